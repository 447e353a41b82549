"""The full leaderboard of a task, and every report of one model on it."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import access, shown_results
from glasshub.access import Action
from glasshub.errors import EntryNotFound, Invalid
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, TaskRow
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.links import FIRST_PAGE
from glasshub.web.pages.boards import board_of
from glasshub.web.pages.dataset import find_task
from glasshub.web.pages.evaluations import counted
from glasshub.web.pages.repo_view import RepoView, see, view_repo
from glasshub.web.pages.sizes import size_choices
from glasshub.weights.sizes import parse_range

bp = Blueprint("leaderboard", __name__)
PER_PAGE = FIRST_PAGE


@bp.get("/datasets/<ns>/<name>/leaderboard")
def page(ns: str, name: str) -> ResponseReturnValue:
    """One task's models in rank order (``task``, ``base_model=base|all``, ``num_parameters``, ``cursor``).

    With ``model`` the reports of that one.
    """
    view = view_repo("dataset", ns, name)
    benchmark, task = benchmark_and_task(view)
    if request.args.get("model"):
        return _reports(view, benchmark, task, request.args["model"])
    base_model, cursor = request.args.get("base_model", "base"), request.args.get("cursor") or None
    size = request.args.get("num_parameters", "").strip()
    if base_model not in ("base", "all"):
        raise Invalid("base_model is either base (models that build on no other) or all.")
    found = queries.leaderboard(
        hub().index.read(),
        see(),
        view.repo.key,
        task.task_id,
        include_derived=base_model == "all",
        size=parse_range(size),
        limit=PER_PAGE,
        cursor=cursor,
    )
    return render_template(
        "leaderboard/board.html",
        view=view,
        benchmark=benchmark,
        board=board_of(task, found),
        base_model=base_model,
        size=size,
        sizes=size_choices(size),
        cursor=cursor,
    )


def _reports(view: RepoView, benchmark: BenchmarkRow, task: TaskRow, model_id: str) -> ResponseReturnValue:
    ns, _, name = model_id.partition("/")
    model = load_repo("model", ns, name, Action.READ)
    db = hub().index.read()
    rows = shown_results.checked(hub(), queries.reports(db, see(), view.repo.key, task.task_id, model.key))
    groups = counted(rows)
    if not groups:
        raise EntryNotFound(f"{model.repo_id} has no result that counts for {task.task_id} of {benchmark.dataset_id}.")
    return render_template(
        "leaderboard/reports.html",
        view=view,
        benchmark=benchmark,
        task=task,
        model=model,
        group=groups[0],
        hidden=len(queries.hidden_results(db, model.key)),
        may_hide=access.may(actor(), Action.WRITE, model),
    )


def benchmark_and_task(view: RepoView) -> tuple[BenchmarkRow, TaskRow]:
    """The benchmark of a dataset and the task that the address asks for (the first). Raises ``EntryNotFound``."""
    benchmark = view.benchmark
    if benchmark is None or benchmark.state != "registered":
        raise EntryNotFound(f"{view.repo.repo_id} has no leaderboard: it is not a registered benchmark.")
    wanted = request.args.get("task", "")
    return benchmark, find_task(benchmark, wanted) if wanted else benchmark.tasks[0]
