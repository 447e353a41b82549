"""Results: those of one model, those of one model for one task, the newest of all."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index.alignments import ALIGNED
from glasshub.index.queries.cursor import clamp
from glasshub.index.queries.result_rows import COLUMNS, WIDTH, joins, result_row
from glasshub.index.queries.visible import condition, counts, parameters
from glasshub.index.rows import ResultRow

# A result is its model's headline on a board if the headline's place is its own.
_HEADLINE = (
    "LEFT JOIN headlines h ON h.dataset_key = r.dataset_key AND h.task_id = r.task_id AND h.model_key = r.model_key "
    "AND h.pull = r.pull AND h.path = r.path AND h.position = r.position AND r.state = 'aligned'"
)


def results_of_model(db: Database, see: Visibility, key: str) -> list[ResultRow]:
    """All results of one model: aligned ones first by benchmark and task, headline first within a task.

    Empty for a model that the reader may not see. A derived model's rank is that on the leaderboard with
    derived models included.
    """
    return _results(db, see, "r.model_key = :key", {"key": key})


def reports(db: Database, see: Visibility, dataset_key: str, task_id: str, model_key: str) -> list[ResultRow]:
    """Every aligned result of one model for one task, headline first."""
    where = "r.model_key = :key AND r.dataset_key = :dataset AND r.task_id = :task AND d.key IS NOT NULL"
    found = _results(db, see, where, {"key": model_key, "dataset": dataset_key, "task": task_id})
    return [result for result in found if result.state == ALIGNED]


def shown_ids(db: Database, key: str) -> frozenset[str]:
    """The ids of all results that a model shows. The caller has checked access."""
    return frozenset(row[0] for row in db.execute("SELECT id FROM results WHERE model_key = ?", [key]))


def newest_results(db: Database, see: Visibility, *, limit: int = 10) -> list[ResultRow]:
    """The aligned results with the newest commits, at most one per (model, task)."""
    visible = condition(see, "d.scope", "d.key")
    found: dict[tuple[str, str, str], ResultRow] = {}
    rows = db.execute(
        f"SELECT {COLUMNS}, h.path FROM results r INDEXED BY results_by_age {joins(visible)} "
        f"{_HEADLINE} WHERE r.state = 'aligned' AND d.key IS NOT NULL AND {condition(see, 'm.scope', 'm.key')} "
        "ORDER BY r.committed_at DESC, r.model_key, r.path, r.position",
        parameters(see),
    )
    for row in rows:
        result = result_row(row, headline=row[WIDTH] is not None)
        found.setdefault((result.model_key, result.dataset_key, result.task_id), result)
        if len(found) == clamp(limit):
            break
    rows.close()
    return list(found.values())


def _results(db: Database, see: Visibility, where: str, values: dict[str, Any]) -> list[ResultRow]:
    rank = (
        "(SELECT count(*) + 1 FROM headlines o WHERE o.dataset_key = h.dataset_key AND o.task_id = h.task_id "
        f"AND o.order_value < h.order_value AND o.derived <= h.derived AND {condition(see, 'o.scope', 'o.model_key')})"
    )
    query = (
        f"SELECT {COLUMNS}, m.derived, CASE WHEN h.path IS NOT NULL AND d.key IS NOT NULL THEN {rank} END "
        f"FROM results r {joins(condition(see, 'd.scope', 'd.key'))} {_HEADLINE} "
        f"WHERE {where} AND {condition(see, 'm.scope', 'm.key')}"
    )
    named = parameters(see, **values)
    with db.atomic():
        rows = db.execute(query, named).fetchall()
        standings = _standings(db, see, named) if rows else {}
    results = []
    for row in rows:
        *_, derived, standing = row
        of = standings.get((row[6], row[7], derived), 0)
        results.append(result_row(row, headline=standing is not None, rank=standing or 0, of=of))
    return sorted(results, key=_order)


def _standings(db: Database, see: Visibility, named: dict[str, Any]) -> dict[tuple[str, str, int], int]:
    """How many models stand on the boards of a model, by (dataset, task, whether derived ones are included)."""
    mine = "(dataset_key, task_id) IN (SELECT dataset_key, task_id FROM headlines WHERE model_key = :key)"
    standings = {}
    for dataset_key, task_id, models, derived, _ in db.execute(counts(see, mine), named):
        standings[dataset_key, task_id, 0] = models
        standings[dataset_key, task_id, 1] = models + derived
    return standings


def _order(result: ResultRow) -> tuple[object, ...]:
    benchmark = (result.benchmark_name.lower(), result.dataset_id.lower(), result.task_id)
    return (result.state != ALIGNED, *benchmark, not result.headline, result.path, result.position, result.pull)
