"""The score change table of a model's pull request: before, after, what is wrong, and the rank it would take."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from glasshub import shown_results
from glasshub.access import Visibility
from glasshub.conversation import hidden_results
from glasshub.evals.changes import ScoreChange, Task, score_changes, task_of
from glasshub.evals.eval_results import ResultEntry
from glasshub.evals.problems import Problem
from glasshub.index import queries
from glasshub.index.queries import Prospect
from glasshub.index.snapshot import FileResult
from glasshub.proposals import Proposal, read_proposal
from glasshub.result_files import read_results
from glasshub.verify.states import State
from glasshub.web.context import hub
from glasshub.web.pages.evaluations import places
from glasshub.web.pages.pulls_view import PullView

MOST_ROWS = 200
_COUNTING = frozenset(state.value for state in State if state.counts)


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One change of a score with what becomes of it.

    ``places`` are the decimals that suit its task; ``badge`` is the state of its token and ``badge_reason`` says why.
    """

    change: ScoreChange[FileResult]
    prospect: Prospect
    hidden: bool
    places: int
    badge: str = ""
    badge_reason: str = ""

    @property
    def better(self) -> bool | None:
        """Whether the new score is the better one; ``None`` when they are equal or cannot be compared."""
        rise = self.change.difference
        return None if not rise or not self.prospect.counts else (rise > 0) == self.prospect.metric.higher_is_better


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The changes a pull request makes to scores, those shown and how many more, and what is wrong in its files."""

    rows: Sequence[ScoreRow] = ()
    more: int = 0
    problems: Sequence[Problem] = ()

    @property
    def verified(self) -> bool:
        """Whether a runner signed all of the new scores that are shown."""
        states = [row.badge for row in self.rows if row.change.after]
        return bool(states) and all(state in _COUNTING for state in states)


def score_table(pull: PullView, model_key: str, see: Visibility) -> ScoreTable:
    """The table, as one reader may see it (empty when the pull request says nothing about scores)."""
    if not pull.head or not pull.main:
        return ScoreTable()
    on_main = read_results(pull.git, pull.main).results
    proposal = read_proposal(pull.git, pull.main, pull.head, on_main={result.id for result in on_main})
    if not (proposal.added or proposal.removed or proposal.problems):
        return ScoreTable()
    proposal = replace(proposal, added=tuple({result.id: result for result in proposal.added}.values()))
    hidden = hidden_results(queries.events(hub().index.read(), model_key)).keys()
    changes = _changes(proposal, on_main, model_key, see, hidden)
    shown = [(change, known) for change in changes[:MOST_ROWS] if (known := change.after or change.before)]
    prospects = queries.prospects(hub().index.read(), see, model_key, [known.entry for _, known in shown])
    decimals = _places(change for change, _ in shown)
    badges = _badges(model_key, see, pull.found.number, [known for _, known in shown])
    rows = [
        ScoreRow(change, prospect, known.id in hidden, decimals[task_of(known)], *badges.get(known.id, ()))
        for (change, known), prospect in zip(shown, prospects, strict=True)
    ]
    return ScoreTable(rows, max(0, len(changes) - MOST_ROWS), proposal.problems)


def _badges(model_key: str, see: Visibility, number: int, shown: Sequence[FileResult]) -> Mapping[str, tuple[str, str]]:
    """The states of tokens by the ids of results, with their reasons."""
    if not any(result.entry.verify_token for result in shown):
        return {}
    found = shown_results.of_model(hub(), see, model_key)
    return {row.id: (row.badge, row.badge_reason) for row in found if row.badge and row.pull in (0, number)}


def _changes(
    proposal: Proposal, on_main: Sequence[FileResult], model_key: str, see: Visibility, hidden: Collection[str]
) -> list[ScoreChange[FileResult]]:
    tasks = {task_of(result) for result in (*proposal.added, *proposal.removed)}
    rivals = [result for result in on_main if task_of(result) in tasks]
    involved = [*proposal.added, *rivals]
    entries = [result.entry for result in involved]
    found = queries.prospects(hub().index.read(), see, model_key, entries, ranked=False)
    counting = {id(r) for r, prospect in zip(involved, found, strict=True) if prospect.counts and r.id not in hidden}
    return score_changes(proposal.added, proposal.removed, rivals, counts=lambda result: id(result) in counting)


def _places(changes: Iterable[ScoreChange[FileResult]]) -> dict[Task, int]:
    """Decimals that suit all numbers of a task."""
    entries: dict[Task, list[ResultEntry]] = {}
    for change in changes:
        for side in (change.before, change.after):
            if side is not None:
                entries.setdefault(task_of(side), []).append(side.entry)
    return {task: places(found) for task, found in entries.items()}
