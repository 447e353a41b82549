"""The score change table of a model's pull request: before, after, what is wrong, and the rank it would take."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from glasshub.access import Visibility
from glasshub.conversation import hidden_results
from glasshub.evals.changes import ScoreChange, score_changes
from glasshub.evals.problems import Problem
from glasshub.index import queries
from glasshub.index.queries import Prospect
from glasshub.index.snapshot import FileResult
from glasshub.proposals import Proposal, read_proposal
from glasshub.result_files import read_results
from glasshub.web.context import hub
from glasshub.web.pages.evaluations import places
from glasshub.web.pages.pulls_view import PullView

MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One change of a score with what becomes of it; ``places`` are the decimals that suit both its numbers."""

    change: ScoreChange[FileResult]
    prospect: Prospect
    hidden: bool
    places: int

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


def score_table(pull: PullView, model_key: str, see: Visibility) -> ScoreTable:
    """The table, as one reader may see it (empty when the pull request says nothing about scores)."""
    if not pull.head or not pull.main:
        return ScoreTable()
    on_main = read_results(pull.git, pull.main).results
    proposal = read_proposal(pull.git, pull.main, pull.head, on_main={result.id for result in on_main})
    if not (proposal.added or proposal.removed or proposal.problems):
        return ScoreTable()
    hidden = hidden_results(queries.events(hub().index.read(), model_key)).keys()
    changes, prospects = _changes(proposal, on_main, model_key, see, hidden)
    rows = [_row(change, prospects[id(change.after or change.before)], hidden) for change in changes[:MOST_ROWS]]
    return ScoreTable(rows, max(0, len(changes) - MOST_ROWS), proposal.problems)


def _changes(
    proposal: Proposal, on_main: Sequence[FileResult], model_key: str, see: Visibility, hidden: Collection[str]
) -> tuple[list[ScoreChange[FileResult]], dict[int, Prospect]]:
    tasks = {(r.entry.dataset_id.lower(), r.entry.task_id) for r in (*proposal.added, *proposal.removed)}
    rivals = [r for r in on_main if (r.entry.dataset_id.lower(), r.entry.task_id) in tasks]
    involved = [*proposal.added, *proposal.removed, *rivals]
    found = queries.prospects(hub().index.read(), see, model_key, [result.entry for result in involved])
    by_result = {id(result): prospect for result, prospect in zip(involved, found, strict=True)}

    def counts(result: FileResult) -> bool:
        return by_result[id(result)].counts and result.id not in hidden

    return score_changes(proposal.added, proposal.removed, rivals, counts=counts), by_result


def _row(change: ScoreChange[FileResult], prospect: Prospect, hidden: Collection[str]) -> ScoreRow:
    sides = [side.entry for side in (change.before, change.after) if side is not None]
    known = change.after or change.before
    return ScoreRow(change, prospect, known is not None and known.id in hidden, places(sides))
