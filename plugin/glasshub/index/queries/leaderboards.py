"""Leaderboards: a page of headline results in rank order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index.alignments import metric
from glasshub.index.queries import cursor as cursors
from glasshub.index.queries.result_rows import ON_BOARD, TASK_COLUMNS, Board, on_board
from glasshub.index.queries.visible import condition, counts, parameters, sized, sizes
from glasshub.index.replace import Row
from glasshub.index.rows import LeaderboardRow, Page
from glasshub.weights.sizes import SizeRange

_AFTER = "(h.order_value, h.model_lower, h.model_key) > (:value, :lower, :key)"
_PLACE, _RESULT = 3, 10  # the columns of a row that place it, and where its result begins
_BEFORE = "(h.order_value, h.model_lower, h.model_key) < (:value, :lower, :key)"


def leaderboard(
    db: Database,
    see: Visibility,
    dataset_key: str,
    task_id: str,
    *,
    include_derived: bool = False,
    size: SizeRange | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[LeaderboardRow]:
    """One task's leaderboard: headline results in rank order; models with a ``base_model`` only if asked for.

    ``size`` leaves out models with fewer or more parameters, and those of unknown size; ranks are among what is left.
    Models of equal value share a rank and stand by name. Empty where there is no such leaderboard, or none
    for this reader.

    Raises:
        Invalid: a bad cursor.
    """
    limit = cursors.clamp(limit)
    named = parameters(see, dataset=dataset_key, task=task_id, limit=limit + 1)
    after = "TRUE"
    if cursor is not None:
        named["value"], named["lower"], named["key"] = cursors.decode(cursor, "leaderboard", float, str, str)
        after = _AFTER
    where = f"h.dataset_key = :dataset AND h.task_id = :task AND {condition(see, 'h.scope', 'h.model_key')}"
    if not include_derived:
        where += " AND h.derived = 0"
    where, named = f"{where} AND {sized('h.model_key', size)}", {**named, **sizes(size)}
    with db.atomic():
        # What all rows share is looked up once, not once per row.
        board = _board(db, see, named)
        rows = _rows(db, f"{where} AND {after}", named) if board else []
        if size is None:
            total = _total(db, see, named, include_derived=include_derived) if rows else 0
        else:
            total = db.execute(f"SELECT count(*) FROM headlines h WHERE {where}", named).fetchone()[0]
        better, before = _standing(db, where, named, rows[0]) if rows and cursor is not None else (0, 0)
    items = _ranked(rows[:limit], board, better, before, total) if board else []
    following = cursors.encode("leaderboard", *rows[limit - 1][:_PLACE]) if len(rows) > limit else None
    return Page(items, following, total)


def _board(db: Database, see: Visibility, named: dict[str, Any]) -> Board | None:
    query = (
        f"SELECT d.namespace || '/' || d.name, d.key, t.task_id, {TASK_COLUMNS} FROM repos d "
        "JOIN benchmarks b ON b.key = d.key JOIN tasks t ON t.key = d.key AND t.task_id = :task "
        f"WHERE d.key = :dataset AND {condition(see, 'd.scope', 'd.key')}"
    )
    row = db.execute(query, named).fetchone()
    if row is None:
        return None
    dataset_id, key, task_id, name, *measured = row
    return Board(dataset_id, key, task_id, name, metric(*measured))


def _rows(db: Database, where: str, named: dict[str, Any]) -> list[Row]:
    """Rows: place (order value, name, key), reports, low, high, derived, owner's kind and name, parameters, result."""
    query = (
        "SELECT h.order_value, h.model_lower, h.model_key, h.reports, h.low, h.high, h.derived, n.kind, n.full_name, "
        f"f.total, {ON_BOARD} FROM headlines h JOIN results r ON r.model_key = h.model_key AND r.pull = h.pull "
        "AND r.path = h.path AND r.position = h.position JOIN repos m ON m.key = h.model_key "
        "JOIN namespaces n ON n.lower = m.namespace_lower LEFT JOIN model_facts f ON f.key = h.model_key "
        f"WHERE {where} ORDER BY h.order_value, h.model_lower, h.model_key LIMIT :limit"
    )
    return db.execute(query, named).fetchall()


def _total(db: Database, see: Visibility, named: dict[str, Any], *, include_derived: bool) -> int:
    row = db.execute(counts(see, "dataset_key = :dataset AND task_id = :task"), named).fetchone()
    if row is None:
        return 0
    _, _, models, derived, _ = row
    return int(models + derived) if include_derived else int(models)


def _standing(db: Database, where: str, named: dict[str, Any], first: Row) -> tuple[int, int]:
    """How many visible models are better than ``first``, and how many stand before it."""
    place = dict(zip(("value", "lower", "key"), first[:_PLACE], strict=True))
    better = f"SELECT count(*) FROM headlines h WHERE {where} AND h.order_value < :value"
    before = f"SELECT count(*) FROM headlines h WHERE {where} AND {_BEFORE}"
    row = db.execute(f"SELECT ({better}), ({before})", {**named, **place}).fetchone()
    return row[0], row[1]


def _ranked(rows: Sequence[Row], board: Board, better: int, before: int, of: int) -> list[LeaderboardRow]:
    items = []
    rank, last = better + 1, None
    for number, row in enumerate(rows, start=before + 1):
        value, _, _, reports, low, high, derived, kind, full_name, parameters = row[:_RESULT]
        if last is not None and value != last:
            rank = number
        last = value
        result = on_board(row[_RESULT:], board, rank=rank, of=of)
        items.append(LeaderboardRow(rank, result, kind, full_name, reports, low, high, bool(derived), parameters))
    return items
