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
    """

    kind: Literal["added", "changed", "removed"]
    before: R | None
    after: R | None
    leads: bool = False

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

    What ``main`` itself has changed or removed meanwhile is nobody's removal.

    Args:
        added: the results that it proposes.
        removed: results of its base that its files no longer have.
        main: the results that ``main`` has now.
        counts: whether a result counts on a leaderboard.
    """
    on_main = {result.id for result in main}
    going: defaultdict[Task, list[R]] = defaultdict(list)
    for result in removed:
        if result.id in on_main:
            going[task_of(result)].append(result)
    gone = {result.id for results in going.values() for result in results}
    now, then = _by_task(main, counts), _by_task([*(r for r in main if r.id not in gone), *added], counts)
    found = [_change(result, going[task_of(result)], now, then) for result in added]
    return found + [ScoreChange("removed", result, None) for results in going.values() for result in results]


def task_of(result: Reported) -> Task:
    """The task that a result is for: dataset (lower-cased) and task id."""
    return result.entry.dataset_id.lower(), result.entry.task_id


def _change(result: R, going: list[R], now: dict[Task, list[R]], then: dict[Task, list[R]]) -> ScoreChange[R]:
    leads = _headline(then.get(task_of(result), [])) is result
    if going:
        before = min(going, key=lambda other: _distance(result.entry, other.entry))
        going.remove(before)
        return ScoreChange("changed", before, result, leads)
    return ScoreChange("added", _headline(now.get(task_of(result), [])), result, leads)


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
