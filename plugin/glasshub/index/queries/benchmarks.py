"""Benchmarks with their tasks and how much stands on their leaderboards."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index.alignments import metric_of
from glasshub.index.queries import cursor as cursors
from glasshub.index.queries.result_rows import decode
from glasshub.index.queries.visible import condition, counts, parameters
from glasshub.index.rows import BenchmarkRow, Page, TaskRow

_COLUMNS = (
    "b.*, r.namespace || '/' || r.name AS dataset_id, r.head, r.scope, "
    "coalesce(c.models, 0) AS models, coalesce(c.results, 0) AS results"
)

_MOST_WORDS = 12


def benchmark(db: Database, see: Visibility, key: str) -> BenchmarkRow | None:
    """The benchmark in dataset repo ``key`` with its tasks in file order, or ``None``."""
    with db.atomic():
        rows = _rows(db, see, "b.key = :key", {"key": key})
        return _benchmarks(db, see, rows)[0] if rows else None


def task(db: Database, see: Visibility, key: str, task_id: str = "") -> TaskRow | None:
    """One task of the registered benchmark in dataset repo ``key`` (the first in its file by default), or ``None``.

    Much less work than :func:`benchmark` where there are hundreds of tasks.
    """
    wanted = "t.task_id = :task" if task_id else "t.position = 0"
    query = (
        f"SELECT t.*, r.namespace || '/' || r.name AS dataset_id, coalesce(c.models, 0) AS models FROM repos r "
        "JOIN benchmarks b ON b.key = r.key AND b.state = 'registered' JOIN tasks t ON t.key = r.key "
        f"LEFT JOIN ({counts(see, 'dataset_key = :key')}) c ON c.dataset_key = t.key AND c.task_id = t.task_id "
        f"WHERE r.key = :key AND {wanted} AND {condition(see, 'r.scope', 'r.key')}"
    )
    rows = list(db.query(query, parameters(see, key=key, task=task_id)))
    return _task(rows[0], rows[0]["dataset_id"]) if rows else None


def benchmarks(
    db: Database, see: Visibility, *, search: str = "", limit: int = 50, cursor: str | None = None
) -> Page[BenchmarkRow]:
    """Registered benchmarks, those with most models first.

    With ``search`` those that have each of its words in name, description, dataset id or one task id.

    Raises:
        Invalid: a bad cursor.
    """
    limit = cursors.clamp(limit)
    where, sought = _matching(search)
    values: dict[str, Any] = {"limit": limit + 1, **sought}
    after = "TRUE"
    if cursor is not None:
        values["after"], values["lower"] = cursors.decode(cursor, "benchmarks", int, str)
        after = "(-coalesce(c.models, 0), r.lower) > (-:after, :lower)"
    with db.atomic():
        visible = condition(see, "r.scope", "r.key")
        total = db.execute(
            f"SELECT count(*) FROM benchmarks b JOIN repos r ON r.key = b.key WHERE {where} AND {visible}",
            parameters(see, **sought),
        ).fetchone()[0]
        order = "ORDER BY coalesce(c.models, 0) DESC, r.lower LIMIT :limit"
        rows = _rows(db, see, f"{where} AND {after}", values, order)
        items = _benchmarks(db, see, rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursors.encode("benchmarks", last["models"], last["dataset_id"].lower()) if last else None
    return Page(items, following, total)


def _matching(search: str) -> tuple[str, dict[str, str]]:
    """The condition on registered benchmarks with these words, and its values."""
    terms, values = ["b.state = 'registered'"], {}
    for number, word in enumerate(search.lower().split()[:_MOST_WORDS]):
        values[f"word{number}"] = word
        terms.append(
            f"(instr(r.lower || ' ' || lower(b.name || ' ' || b.description), :word{number}) OR EXISTS (SELECT 1 FROM "
            f"tasks w WHERE w.key = b.key AND instr(lower(w.task_id), :word{number})))"
        )
    return " AND ".join(terms), values


def _rows(db: Database, see: Visibility, where: str, values: dict[str, Any], order: str = "") -> list[dict[str, Any]]:
    of = "dataset_key = :key AND task_id = ''" if "key" in values else "task_id = ''"
    query = (
        f"SELECT {_COLUMNS} FROM benchmarks b JOIN repos r ON r.key = b.key "
        f"LEFT JOIN ({counts(see, of)}) c ON c.dataset_key = b.key "
        f"WHERE {where} AND {condition(see, 'r.scope', 'r.key')} {order}"
    )
    return list(db.query(query, parameters(see, **values)))


def _benchmarks(db: Database, see: Visibility, rows: list[dict[str, Any]]) -> list[BenchmarkRow]:
    tasks = _tasks(db, see, [row["key"] for row in rows])
    return [
        BenchmarkRow(
            key=row["key"],
            dataset_id=row["dataset_id"],
            state=row["state"],
            name=row["name"],
            description=row["description"],
            framework=row["framework"],
            head=row["head"],
            private=bool(row["scope"]),
            tasks=tuple(_task(task, row["dataset_id"]) for task in tasks[row["key"]]),
            models=row["models"],
            results=row["results"],
        )
        for row in rows
    ]


def _tasks(db: Database, see: Visibility, keys: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    wanted = "IN (SELECT value FROM json_each(:keys))"
    on_boards = counts(see, f"dataset_key {wanted}")
    query = (
        f"SELECT t.*, coalesce(c.models, 0) AS models FROM tasks t LEFT JOIN ({on_boards}) c "
        f"ON c.dataset_key = t.key AND c.task_id = t.task_id WHERE t.key {wanted} ORDER BY t.key, t.position"
    )
    tasks: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in db.query(query, parameters(see, keys=json.dumps(list(keys)))):
        tasks[row["key"]].append(row)
    return tasks


def _task(row: dict[str, Any], dataset_id: str) -> TaskRow:
    return TaskRow(
        dataset_key=row["key"],
        dataset_id=dataset_id,
        task_id=row["task_id"],
        position=row["position"],
        config=row["config"],
        split=row["split"],
        metric=metric_of(row),
        spec=decode(row["spec"])[0] if row["spec"] else {},
        models=row["models"],
    )
