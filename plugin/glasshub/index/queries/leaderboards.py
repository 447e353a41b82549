"""Leaderboards: a page of headline results in rank order."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index.queries import cursor as cursors
from glasshub.index.queries.result_rows import COLUMNS, joins, result_row
from glasshub.index.queries.visible import condition, counts, parameters
from glasshub.index.rows import LeaderboardRow, Page

_AFTER = "(h.order_value, h.model_lower, h.model_key) > (:value, :lower, :key)"
_BEFORE = "(h.order_value, h.model_lower, h.model_key) < (:value, :lower, :key)"


def leaderboard(
    db: Database,
    see: Visibility,
    dataset_key: str,
    task_id: str,
    *,
    include_derived: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[LeaderboardRow]:
    """One task's leaderboard: headline results in rank order; models with a ``base_model`` only if asked for.

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
    with db.atomic():
        rows = _rows(db, see, f"{where} AND {after}", named)
        total = _total(db, see, named, include_derived=include_derived) if rows else 0
        better, before = _standing(db, where, named, rows[0]) if rows and cursor is not None else (0, 0)
    items = _ranked(rows[:limit], better, before, total)
    last = rows[limit - 1] if len(rows) > limit else None
    following = (
        cursors.encode("leaderboard", last["order_value"], last["model_lower"], last["model_key"]) if last else None
    )
    return Page(items, following, total)


def _rows(db: Database, see: Visibility, where: str, named: dict[str, Any]) -> list[dict[str, Any]]:
    query = (
        f"SELECT {COLUMNS}, h.order_value, h.model_lower, h.reports, h.low, h.high, h.derived, "
        "n.kind AS namespace_kind, n.full_name AS namespace_full_name FROM headlines h "
        "JOIN results r ON r.model_key = h.model_key AND r.pull = h.pull AND r.path = h.path "
        f"AND r.position = h.position {joins(condition(see, 'd.scope', 'd.key'))} "
        "JOIN namespaces n ON n.lower = m.namespace_lower "
        f"WHERE {where} AND d.key IS NOT NULL ORDER BY h.order_value, h.model_lower, h.model_key LIMIT :limit"
    )
    return list(db.query(query, named))


def _total(db: Database, see: Visibility, named: dict[str, Any], *, include_derived: bool) -> int:
    row = db.execute(counts(see, "dataset_key = :dataset AND task_id = :task"), named).fetchone()
    if row is None:
        return 0
    _, _, models, derived, _ = row
    return int(models + derived) if include_derived else int(models)


def _standing(db: Database, where: str, named: dict[str, Any], first: dict[str, Any]) -> tuple[int, int]:
    """How many visible models are better than ``first``, and how many stand before it."""
    place = {"value": first["order_value"], "lower": first["model_lower"], "key": first["model_key"]}
    better = f"SELECT count(*) FROM headlines h WHERE {where} AND h.order_value < :value"
    before = f"SELECT count(*) FROM headlines h WHERE {where} AND {_BEFORE}"
    row = db.execute(f"SELECT ({better}), ({before})", {**named, **place}).fetchone()
    return row[0], row[1]


def _ranked(rows: list[dict[str, Any]], better: int, before: int, of: int) -> list[LeaderboardRow]:
    items: list[LeaderboardRow] = []
    rank = better + 1
    for number, row in enumerate(rows):
        if number and row["order_value"] != rows[number - 1]["order_value"]:
            rank = before + number + 1
        items.append(
            LeaderboardRow(
                rank=rank,
                result=result_row(row, headline=True, rank=rank, of=of),
                namespace_kind=row["namespace_kind"],
                namespace_full_name=row["namespace_full_name"],
                reports=row["reports"],
                low=row["low"],
                high=row["high"],
                derived=bool(row["derived"]),
            )
        )
    return items
