"""The page of a dataset: card, and for a benchmark its leaderboards and how to reproduce them."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from glasshub.errors import EntryNotFound
from glasshub.evals import stock_commands
from glasshub.git.read import open_repo
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, TaskRow
from glasshub.web.context import hub, public_url
from glasshub.web.pages.boards import board_of
from glasshub.web.pages.card import card_html
from glasshub.web.pages.repo_view import MAIN, see, view_repo

bp = Blueprint("dataset", __name__)
TOP = 10
SHOWN_AT_ONCE = 3


@bp.get("/datasets/<ns>/<name>")
def page(ns: str, name: str) -> ResponseReturnValue:
    """The dataset's card; a benchmark with many tasks shows the one in ``task``."""
    view = view_repo("dataset", ns, name)
    db = hub().index.read()
    tasks = chosen_tasks(view.benchmark, request.args.get("task", ""))
    with open_repo(hub().git_dir(view.repo)) as git:
        card, html = card_html(git, view.repo.path, MAIN)
    return render_template(
        "dataset/card.html",
        view=view,
        card=card,
        html=html,
        boards=[
            board_of(task, queries.leaderboard(db, see(), view.repo.key, task.task_id, limit=TOP)) for task in tasks
        ],
        commands=reproduce(view.benchmark, tasks, public_url()) if view.benchmark and tasks else [],
        problems=queries.problems(db, view.repo.key),
    )


def chosen_tasks(benchmark: BenchmarkRow | None, wanted: str) -> Sequence[TaskRow]:
    """The tasks to show: the wanted one, else all if they are few, else the first.

    Raises:
        EntryNotFound: the benchmark has no task called ``wanted``.
    """
    if benchmark is None or benchmark.state != "registered":
        return ()
    if wanted:
        return [find_task(benchmark, wanted)]
    return benchmark.tasks if len(benchmark.tasks) <= SHOWN_AT_ONCE else benchmark.tasks[:1]


def find_task(benchmark: BenchmarkRow, task_id: str) -> TaskRow:
    """The task with this id. Raises ``EntryNotFound``."""
    found = next((task for task in benchmark.tasks if task.task_id == task_id), None)
    if found is None:
        raise EntryNotFound(f"{benchmark.dataset_id} has no task called {task_id!r}. Its page lists the tasks it has.")
    return found


def reproduce(benchmark: BenchmarkRow, tasks: Sequence[TaskRow], address: str) -> list[tuple[str, str]]:
    """Commands that run tasks with stock tools at the pinned revision, as (what it does, command).

    For Inspect the spec is ``hf/<dataset>/<task>@<commit>``; for other frameworks the data is fetched at that commit.
    """
    if benchmark.framework == stock_commands.INSPECT:
        names = {
            task.task_id: stock_commands.task_name(
                benchmark.dataset_id, task.task_id, benchmark.head, tasks=len(benchmark.tasks)
            )
            for task in tasks
        }
        return [
            ("Install Inspect and what it needs to read this hub", stock_commands.install()),
            *((f"Run the task {id}", stock_commands.evaluate(address, name)) for id, name in names.items() if name),
        ]
    fetch = f"hf download {benchmark.dataset_id} --repo-type dataset --revision {benchmark.head}"
    return [("Fetch the benchmark exactly as it is now", f"HF_ENDPOINT={address} {fetch}")]
