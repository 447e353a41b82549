"""What a pull request changes in a model's scores: each claim before and after. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from glasshub.evals.eval_results import ResultEntry, normalise_date
from glasshub.evals.ranking import Candidate, Tier, headline


class Reported(Protocol):
    """A result that stands in a file: its id, what it says, and the date of the commit that wrote it."""

    @property
    def id(self) -> str:
        """The id of the claim."""

    @property
    def entry(self) -> ResultEntry:
        """What it says."""

    @property
    def committed_at(self) -> str:
        """The date of the commit, which stands in for a missing one."""


R = TypeVar("R", bound=Reported)
Task = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ScoreChange(Generic[R]):
    """One claim that is added, changed or removed.

    Attributes:
        kind: what happens to it.
        before: what it replaces or removes; for an added one the result that stands for the model now, if any.
        after: what is claimed (``None``: nothing any more).
        leads: whether ``after`` would stand for the model on the leaderboard, once it is merged.
        disputed: ``main`` has changed it too, since the pull request began.
    """

    kind: Literal["added", "changed", "removed"]
    before: R | None
    after: R | None
    leads: bool = False
    disputed: bool = False

    @property
    def entry(self) -> ResultEntry:
        """The new entry, or the one that goes."""
        found = self.after or self.before
        assert found is not None
        return found.entry

    @property
    def difference(self) -> float | None:
        """By how much the score rises (falls when negative); ``None`` when there is nothing to compare."""
        if self.before is None or self.after is None:
            return None
        return self.after.entry.value - self.before.entry.value


def score_changes(
    added: Sequence[R], removed: Sequence[R], main: Sequence[R], *, counts: Callable[[R], bool]
) -> list[ScoreChange[R]]:
    """Pair what a pull request adds with what it takes away, in the order of the added ones, then the removals.

    What ``main`` itself has removed meanwhile is nobody's removal. What it has changed meanwhile, and the pull request
    changes too, stands as it is on ``main`` now.

    Args:
        added: the results that it proposes.
        removed: results of its base that its files no longer have.
        main: the results that ``main`` has now.
        counts: whether a result counts on a leaderboard.
    """
    pairs = _paired(added, removed, main)
    on_main = {result.id for result in main}
    left = [r for r in removed if r.id in on_main and all(r is not before for before, _ in pairs.values())]
    gone = {before.id for before, _ in pairs.values()} | {result.id for result in left}
    now, then = _by_task(main, counts), _by_task([*(r for r in main if r.id not in gone), *added], counts)
    found = []
    for result in added:
        leads = _headline(then.get(task_of(result), [])) is result
        if id(result) in pairs:
            before, disputed = pairs[id(result)]
            found.append(ScoreChange("changed", before, result, leads, disputed))
        else:
            found.append(ScoreChange("added", _headline(now.get(task_of(result), [])), result, leads))
    return found + [ScoreChange("removed", result, None) for result in left]


def task_of(result: Reported) -> Task:
    """The task that a result is for: dataset (lower-cased) and task id."""
    return result.entry.dataset_id.lower(), result.entry.task_id


def _paired(added: Sequence[R], removed: Sequence[R], main: Sequence[R]) -> dict[int, tuple[R, bool]]:
    """What each added result replaces (by the identity of the added one), and whether ``main`` changed that too."""
    on_main = {result.id for result in main}
    going: defaultdict[Task, list[R]] = defaultdict(list)
    for result in removed:
        going[task_of(result)].append(result)
    base = {result.id for result in removed}
    pairs: dict[int, tuple[R, bool]] = {}
    for result in added:
        rivals = going[task_of(result)]
        if not rivals:
            continue
        before = min(rivals, key=lambda other: _distance(result.entry, other.entry))
        rivals.remove(before)
        if before.id in on_main:
            pairs[id(result)] = before, False
            continue
        fresh = [r for r in main if task_of(r) == task_of(before) and r.id not in base]
        same_file = [r for r in fresh if r.entry.path == before.entry.path]
        if same_file:
            pairs[id(result)] = min(same_file, key=lambda other: _distance(before.entry, other.entry)), True
    return pairs


def _by_task(results: Sequence[R], counts: Callable[[R], bool]) -> dict[Task, list[R]]:
    found: dict[Task, list[R]] = {}
    for result in results:
        if counts(result):
            found.setdefault(task_of(result), []).append(result)
    return found


def _distance(entry: ResultEntry, other: ResultEntry) -> tuple[bool, bool, int]:
    """How unlikely it is that one was written in the place of the other."""
    sources = [found.source.url if found.source else "" for found in (entry, other)]
    return entry.path != other.path, sources[0] != sources[1], abs(entry.position - other.position)


def _headline(results: Sequence[R]) -> R | None:
    """The one that stands for the model when all are the author's."""
    if not results:
        return None
    return results[headline([_candidate(result) for result in results])]


def _candidate(result: Reported) -> Candidate:
    entry = result.entry
    try:
        date = normalise_date(entry.date) if entry.date else result.committed_at
    except (ValueError, OverflowError):
        date = result.committed_at
    return Candidate(Tier.AUTHOR, entry.notes, date, entry.path, entry.position)
