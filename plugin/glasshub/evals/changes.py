"""What a pull request changes in a model's scores: each claim before and after. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
_LEVELS = _SOURCE, _FILE, _TASK = range(3)  # how alike partners are: same file and source, same file, same task


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
    on_main, replaced = {result.id for result in main}, {id(before) for before, _ in pairs.values()}
    left = [result for result in removed if result.id in on_main and id(result) not in replaced]
    gone = {before.id for before, _ in pairs.values()} | {result.id for result in left}
    now = _headlines(main, counts)
    then = _headlines([*(result for result in main if result.id not in gone), *added], counts)
    found = []
    for result in added:
        leads = then.get(task_of(result)) is result
        if id(result) in pairs:
            before, disputed = pairs[id(result)]
            found.append(ScoreChange("changed", before, result, leads, disputed))
        else:
            found.append(ScoreChange("added", now.get(task_of(result)), result, leads))
    return found + [ScoreChange("removed", result, None) for result in left]


def task_of(result: Reported) -> Task:
    """The task that a result is for: dataset (lower-cased) and task id."""
    return result.entry.dataset_id.lower(), result.entry.task_id


def _paired(added: Sequence[R], removed: Sequence[R], main: Sequence[R]) -> dict[int, tuple[R, bool]]:
    """What each added result replaces (by the identity of the added one), and whether ``main`` changed that too."""
    on_main, base = {result.id for result in main}, {result.id for result in removed}
    partners: dict[int, R] = {}
    going = _Waiting(removed)
    for level in _LEVELS:
        for result in added:
            if id(result) not in partners and (before := going.take(result, level)) is not None:
                partners[id(result)] = before
    fresh = _Waiting(result for result in main if result.id not in base)
    pairs: dict[int, tuple[R, bool]] = {}
    for result_id, before in partners.items():
        if before.id in on_main:
            pairs[result_id] = before, False
        elif (now := fresh.take(before, _SOURCE) or fresh.take(before, _FILE)) is not None:
            pairs[result_id] = now, True
    return pairs


class _Waiting(Generic[R]):
    """Results that each take the part of one other: in the order given."""

    def __init__(self, results: Iterable[R]) -> None:
        self._by_key: dict[tuple[object, ...], deque[R]] = {}
        self._taken: set[int] = set()
        for result in results:
            for key in _keys(result):
                self._by_key.setdefault(key, deque()).append(result)

    def take(self, other: R, level: int) -> R | None:
        waiting = self._by_key.get(_keys(other)[level], deque())
        while waiting:
            found = waiting.popleft()
            if id(found) not in self._taken:
                self._taken.add(id(found))
                return found
        return None


def _keys(result: Reported) -> tuple[tuple[object, ...], ...]:
    """What to find its partner by, at each level of likeness."""
    task, entry = task_of(result), result.entry
    return (task, entry.path, entry.source.url if entry.source else ""), (task, entry.path), (task,)


def _by_task(results: Iterable[R]) -> dict[Task, list[R]]:
    found: dict[Task, list[R]] = {}
    for result in results:
        found.setdefault(task_of(result), []).append(result)
    return found


def _headlines(results: Sequence[R], counts: Callable[[R], bool]) -> dict[Task, R]:
    """The result of each task that stands for the model when all are the author's."""
    counted = _by_task(result for result in results if counts(result))
    return {task: found[headline([_candidate(result) for result in found])] for task, found in counted.items()}


def _candidate(result: Reported) -> Candidate:
    entry = result.entry
    try:
        date = normalise_date(entry.date) if entry.date else result.committed_at
    except (ValueError, OverflowError):
        date = result.committed_at
    return Candidate(Tier.AUTHOR, entry.notes, date, entry.path, entry.position)
