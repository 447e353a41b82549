"""Benchmarks and leaderboards."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from glasshub.errors import EntryNotFound
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, TaskRow
from glasshub.web.api.arguments import api_repo, limit, paged, see
from glasshub.web.api.results import leaderboard_json
from glasshub.web.context import hub
from glasshub.weights.sizes import parse_range

bp = Blueprint("api_benchmarks", __name__)


@bp.get("/api/benchmarks")
def benchmarks() -> Response:
    """Benchmarks with their tasks, those with most models first; ours."""
    page = queries.benchmarks(hub().index.read(), see(), limit=limit(50, 500), cursor=request.args.get("cursor"))
    return paged([_benchmark_json(row) for row in page.items], page.cursor)


@bp.get("/api/datasets/<ns>/<name>/leaderboard")
def leaderboard(ns: str, name: str) -> Response:
    """One task's leaderboard: a bare array in rank order.

    ``task_id`` chooses the task (the first by default), ``base_model=false`` includes derived models,
    ``num_parameters=max:7B`` leaves out larger ones; ``limit`` and ``cursor`` page through it. Without ``limit`` the
    whole board is answered, since stock clients read one page.
    """
    repo = api_repo("datasets", ns, name)
    db = hub().index.read()
    task = wanted_task(repo, request.args.get("task_id", ""))
    page = queries.leaderboard(
        db,
        see(),
        repo.key,
        task.task_id,
        include_derived=request.args.get("base_model", "").lower() == "false",
        size=parse_range(request.args.get("num_parameters", "")),
        limit=limit(1000, 1000),
        cursor=request.args.get("cursor"),
    )
    return paged([leaderboard_json(row) for row in page.items], page.cursor)


@bp.get("/api/datasets/<ns>/<name>/benchmark")
def benchmark(ns: str, name: str) -> Response:
    """The benchmark in a dataset repo: state, framework, tasks; ours."""
    repo = api_repo("datasets", ns, name)
    found = queries.benchmark(hub().index.read(), see(), repo.key)
    if found is None:
        raise EntryNotFound(f"{repo.repo_id} is not a benchmark: its main has no valid eval.yaml.")
    return jsonify(_benchmark_json(found))


def wanted_task(repo: Repo, wanted: str = "") -> TaskRow:
    """The task with this id of a registered benchmark (the first by default). Raises ``EntryNotFound``."""
    db = hub().index.read()
    task = queries.task(db, see(), repo.key, wanted)
    if task is None:
        raise _no_leaderboard(repo, queries.benchmark(db, see(), repo.key), wanted)
    return task


def _no_leaderboard(repo: Repo, found: BenchmarkRow | None, task_id: str) -> EntryNotFound:
    if found is None or found.state != "registered":
        return EntryNotFound(f"{repo.repo_id} has no leaderboard: it is not a registered benchmark.")
    names = ", ".join(task.task_id for task in found.tasks[:20])
    return EntryNotFound(f"{found.dataset_id} has no task {task_id[:100]!r}. Its tasks: {names}.")


def _benchmark_json(row: BenchmarkRow) -> dict[str, Any]:
    return {
        "id": row.dataset_id,
        "state": row.state,
        "name": row.name,
        "description": row.description,
        "evaluation_framework": row.framework,
        "sha": row.head,
        "private": row.private,
        "models": row.models,
        "results": row.results,
        "tasks": [
            {
                "id": task.task_id,
                "config": task.config,
                "split": task.split,
                "models": task.models,
                "metric": {
                    "name": task.metric.name,
                    "higher_is_better": task.metric.higher_is_better,
                    "unit": task.metric.unit,
                    "range": [task.metric.minimum, task.metric.maximum],
                },
            }
            for task in row.tasks
        ],
    }
