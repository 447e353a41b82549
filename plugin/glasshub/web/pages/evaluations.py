"""Results as pages show them: grouped by task, with their spread and one number of decimals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Protocol

from glasshub.evals.alignment import Alignment
from glasshub.index.rows import ResultRow

MOST_PLACES = 4


@dataclass(frozen=True, slots=True)
class TaskResults:
    """All reports of one model for one task: the headline first, then the others.

    ``places`` is the number of decimals that suits all of them; ``low`` and ``high`` are their extremes.
    """

    headline: ResultRow
    others: tuple[ResultRow, ...]
    places: int

    @property
    def reports(self) -> int:
        """How many there are."""
        return 1 + len(self.others)

    @property
    def all(self) -> tuple[ResultRow, ...]:
        """The headline, then the others."""
        return (self.headline, *self.others)

    @property
    def low(self) -> float:
        """The smallest value reported."""
        return min(row.value for row in self.all)

    @property
    def high(self) -> float:
        """The largest value reported."""
        return max(row.value for row in self.all)


@dataclass(frozen=True, slots=True)
class Report:
    """What one commit says of one model: its results, in the order given, and the decimals that suit them."""

    model_id: str
    results: tuple[ResultRow, ...]
    places: int


def reports_of(rows: Iterable[ResultRow]) -> list[Report]:
    """Results gathered by model and commit, in the order of their first rows."""
    groups: dict[tuple[str, str], list[ResultRow]] = {}
    for row in rows:
        groups.setdefault((row.model_id, row.commit), []).append(row)
    return [Report(model_id, tuple(members), places(members)) for (model_id, _), members in groups.items()]


def counted(rows: Iterable[ResultRow]) -> list[TaskResults]:
    """The results that count, one group per task, in the order of their first rows."""
    groups: dict[tuple[str, str], list[ResultRow]] = {}
    for row in rows:
        if row.state == Alignment.ALIGNED.value:
            groups.setdefault((row.dataset_key, row.task_id), []).append(row)
    return [_group(members) for members in groups.values()]


def uncounted(rows: Iterable[ResultRow]) -> list[ResultRow]:
    """The results that count nowhere; each has its reason."""
    return [row for row in rows if row.state != Alignment.ALIGNED.value]


def matching(groups: Iterable[TaskResults], words: str) -> list[TaskResults]:
    """The groups whose benchmark or task contains every word."""
    wanted = words.lower().split()
    return [group for group in groups if all(word in _haystack(group.headline) for word in wanted)]


class Valued(Protocol):
    """Something with a value as a number and as it was written."""

    @property
    def value(self) -> float:
        """The number."""

    @property
    def value_text(self) -> str:
        """The number as written."""


def places(rows: Iterable[Valued]) -> int:
    """Decimals to show in a column: as many as were written, at most four (two for values of 100 and more)."""
    rows = list(rows)
    most = 2 if any(abs(row.value) >= 100 for row in rows) else MOST_PLACES
    return min(most, max((_written(row.value_text) for row in rows), default=0))


def settings_of(row: ResultRow) -> list[tuple[str, str]]:
    """What the file says about how the result was made, as (name, text) in the order written."""
    return [(name.replace("_", " "), _text(value)) for name, value in {**row.extra, **row.unknown}.items()]


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _group(rows: Sequence[ResultRow]) -> TaskResults:
    first = next((row for row in rows if row.headline), rows[0])
    return TaskResults(first, tuple(row for row in rows if row is not first), places(rows))


def _written(text: str) -> int:
    try:
        exponent = Decimal(text).normalize().as_tuple().exponent
    except InvalidOperation:
        return MOST_PLACES
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _haystack(row: ResultRow) -> str:
    return f"{row.benchmark_name} {row.dataset_id} {row.task_id}".lower()
