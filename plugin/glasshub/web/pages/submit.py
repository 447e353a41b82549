"""Submit a score: choose benchmark and task, fill in the result, and it becomes a pull request or a commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import access, repos, submissions
from glasshub.access import Action
from glasshub.errors import Busy, Conflict, Forbidden, Invalid, RepoNotFound
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, TaskRow
from glasshub.submissions import ON_MAIN
from glasshub.web.context import actor, hub
from glasshub.web.errors import status_of
from glasshub.web.pages.repo_view import RepoView, see, view_repo
from glasshub.web.pages.submission_sheet import CONDITIONS, FIELDS, Sheet, default_title, fill, ways

bp = Blueprint("submit", __name__)
BENCHMARKS = 20
MODELS = 30
FEW_TASKS = 12
MOST_CHARACTERS = 20_000  # of one field; each has a limit of its own below that


@dataclass(frozen=True, slots=True)
class Choice:
    """A benchmark with those of its tasks that are offered, and how many more it has."""

    benchmark: BenchmarkRow
    tasks: tuple[TaskRow, ...]
    more: int


@bp.get("/<ns>/<name>/submit-score")
def show(ns: str, name: str) -> ResponseReturnValue:
    """The form; without ``dataset`` and ``task``, what to choose from (``q`` searches)."""
    view = _view(ns, name)
    said = {key: request.args.get(key, "").strip()[:MOST_CHARACTERS] for key in FIELDS}
    if said["dataset"] and said["task"]:
        open_ways = ways(view) if said["value"] else []
        return _form(view, said, fill(view, said, open_ways[0].to) if open_ways else None)
    return _choose(view, said["dataset"])


@bp.post("/<ns>/<name>/submit-score")
def submit(ns: str, name: str) -> ResponseReturnValue:
    """Submit the score, or with ``do=check`` only look at what would become of it."""
    view = _view(ns, name)
    try:
        sheet = _filled(view)
    except Forbidden as error:  # switched off since the form was opened
        return _form(view, _typed(), None, error=error.message), status_of(error)
    if request.form.get("do") == "check":
        return _form(view, sheet.said, sheet)
    if sheet.errors:
        return _form(view, sheet.said, sheet), 400
    comment = sheet.said["comment"]
    try:
        made = submissions.submit(
            hub(), view.repo, actor(), sheet.written, to=sheet.to, title=sheet.title, comment=comment
        )
    except (Conflict, Invalid, Forbidden, Busy) as error:
        access.require(actor(), Action.DISCUSS, view.repo)
        return _form(view, sheet.said, sheet, error=error.message), status_of(error)
    number = made.pull or max(sheet.to, 0)
    if number:
        flash(f"The score is in pull request {number}. It counts as the community's from now on.", "good")
        return redirect(f"{view.path}/discussions/{number}", code=303)
    flash("The score is on main and counts from now on.", "good")
    return redirect(f"{view.path}/evaluations", code=303)


@bp.post("/<ns>/<name>/submit-score/check")
def check(ns: str, name: str) -> Response:
    """What is wrong with the form by field, and what would become of the score as HTML: for the page's script."""
    view = _view(ns, name)
    sheet = _filled(view)
    return jsonify({
        "errors": dict(sheet.errors),
        "title": default_title(sheet.said),
        "preview": render_template("model/score_preview.html", view=view, sheet=sheet, alone=True),
    })  # fmt: skip


@bp.get("/datasets/<ns>/<name>/submit-score")
def choose_model(ns: str, name: str) -> ResponseReturnValue:
    """Which model a score for this benchmark is about (``task``; ``q`` searches)."""
    view = view_repo("dataset", ns, name)
    words = request.args.get("q", "").strip()[:200]
    page = queries.repos(hub().index.read(), see(), type="model", search=words, limit=MODELS)
    return render_template(
        "leaderboard/choose_model.html", view=view, task=request.args.get("task", "")[:200], words=words, page=page
    )


def _view(ns: str, name: str) -> RepoView:
    view = view_repo("model", ns, name)
    access.require(actor(), Action.DISCUSS, view.repo)
    return view


def _typed() -> dict[str, str]:
    return {key: request.form.get(key, "") for key in FIELDS}


def _filled(view: RepoView) -> Sheet:
    said = _typed()
    long = [key for key, text in said.items() if len(text) > MOST_CHARACTERS]
    if long:
        raise Invalid(f"The field {long[0]} has more than {MOST_CHARACTERS:,} characters. Shorten it.")
    return fill(view, said, request.form.get("to", 0, type=int))


def _form(view: RepoView, said: Mapping[str, str], sheet: Sheet | None = None, *, error: str = "") -> str:
    open_ways = ways(view)
    return render_template(
        "model/submit_score.html",
        view=view,
        said=said,
        sheet=sheet,
        errors=sheet.errors if sheet else {},
        task=_task(said["dataset"], said["task"]),
        ways=open_ways,
        to=sheet.to if sheet else (open_ways[0].to if open_ways else ON_MAIN),
        usual_title=default_title(said),
        conditions=any(said[key] for key in CONDITIONS),
        error=error,
    )


def _task(dataset_id: str, task_id: str) -> TaskRow | None:
    """The task, if it is on this hub and the reader may see it."""
    found = _benchmark(dataset_id)
    return next((task for task in found.tasks if task.task_id == task_id), None) if found else None


def _benchmark(dataset_id: str) -> BenchmarkRow | None:
    ns, _, name = dataset_id.partition("/")
    try:
        repo = repos.find(hub(), "dataset", ns, name)
    except RepoNotFound:
        return None
    return queries.benchmark(hub().index.read(), see(), repo.key)


def _choose(view: RepoView, dataset_id: str) -> str:
    words, cursor = request.args.get("q", "").strip()[:200], request.args.get("cursor") or None
    db, following = hub().index.read(), None
    if dataset_id:
        found = _benchmark(dataset_id)
        choices = [_choice(found, words, all_tasks=True)] if found else []
    else:
        page = queries.benchmarks(db, see(), search=words, limit=BENCHMARKS, cursor=cursor)
        choices, following = [_choice(row, words) for row in page.items], page.cursor
    return render_template(
        "model/choose_task.html",
        view=view,
        choices=choices,
        words=words,
        dataset=dataset_id,
        cursor=cursor,
        next_cursor=following,
        ways=ways(view),
    )


def _choice(row: BenchmarkRow, words: str, *, all_tasks: bool = False) -> Choice:
    """The tasks whose ids have all the words, or all if none has; the first few unless all are wanted."""
    wanted = words.lower().split()
    tasks = [task for task in row.tasks if all(word in task.task_id.lower() for word in wanted)] or row.tasks
    shown = tasks if all_tasks else tasks[:FEW_TASKS]
    return Choice(row, tuple(shown), len(row.tasks) - len(shown))
