"""The columns of every export, and results as records of them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from glasshub.evals.numbers import as_written
from glasshub.index.rows import LeaderboardRow, ResultRow

Kind = Literal["whole", "number", "text", "truth", "json"]
Record = Sequence[Any]
"""One value per column; ``None`` where there is nothing to say. ``json`` columns hold mappings."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the exports; ``kind`` is what its values are."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Model:
    """What all results of a model share: whether it builds on another, and how many parameters it has, if known."""

    derived: bool
    parameters: int | None


def _columns(kind: Kind, names: str) -> list[Column]:
    return [Column(name, kind) for name in names.split()]


COLUMNS: tuple[Column, ...] = (
    *_columns("whole", "rank of"),
    *_columns("text", "model dataset benchmark task"),
    *_columns("number", "value"),
    *_columns("text", "metric unit"),
    *_columns("truth", "higher_is_better headline verified derived"),
    *_columns("whole", "parameters"),
    *_columns("text", "origin state submitter git_author"),
    *_columns("whole", "pull_request via_pull_request"),
    *_columns("text", "merged_by date source_url source_name source_user source_org notes"),
    *_columns("json", "extra other"),
    *_columns("text", "verify_token dataset_revision commit path"),
    *_columns("whole", "line"),
    *_columns("text", "id"),
    *_columns("whole", "reports"),
    *_columns("number", "low high"),
)


def of_board(row: LeaderboardRow) -> Record:
    """The record of one row of a leaderboard."""
    return _record(row.result, (row.reports, row.low, row.high), Model(row.derived, row.parameters))


def of_model(results: Sequence[ResultRow], model: Model) -> Iterator[Record]:
    """The records of all results of one model, in their order."""
    values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for result in results:
        if result.state == "aligned":
            values[result.dataset_key, result.task_id].append(result.value)
    for result in results:
        found = values[result.dataset_key, result.task_id] if result.headline else ()
        yield _record(result, (len(found), min(found), max(found)) if found else None, model)


def _record(result: ResultRow, spread: tuple[int, float, float] | None, model: Model) -> Record:
    known = bool(result.benchmark_name)  # a task that the hub has not, or not for this reader, has no metric
    return (
        result.rank or None, result.of or None,
        result.model_id, result.dataset_id, result.benchmark_name or None, result.task_id,
        as_written(result.value_text, result.value),
        result.metric.name or None, result.metric.unit or None,
        result.metric.higher_is_better if known else None, result.headline, result.verified, model.derived,
        model.parameters,
        result.origin, result.state, result.submitter or None, result.git_author or None,
        result.pull or None, result.via_pull or None, result.merged_by or None, result.date,
        result.source_url or None, result.source_name or None, result.source_user or None, result.source_org or None,
        result.notes or None, _mapping(result.extra), _mapping(result.unknown),
        result.verify_token or None, result.dataset_revision or None, result.commit, result.path, result.line,
        result.id, *(spread or (None, None, None)),
    )  # fmt: skip


def _mapping(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return found or None
