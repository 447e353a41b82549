"""Pages of jobs and of the list of runs; asking for a run, and deciding about it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import jobs, repos, reproduction, runs
from glasshub.access import Action
from glasshub.errors import Conflict, EntryNotFound, Invalid
from glasshub.jobs import Job
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.pages.repo_view import see

bp = Blueprint("jobs", __name__)
PER_PAGE = 100


@bp.get("/jobs")
def listing() -> ResponseReturnValue:
    """Jobs that the reader may see, newest first (``model``, ``state``)."""
    model, state = request.args.get("model", ""), request.args.get("state", "")
    namespace, _, name = model.partition("/")
    key = load_repo("model", namespace, name, Action.READ).key if model else ""
    found = jobs.listing(
        hub(), actor(), model=key, states=[known for known in jobs.STATES if known == state], limit=PER_PAGE
    )
    return render_template("jobs/list.html", jobs=found, model=model, state=state)


@bp.get("/jobs/<id>")
def page(id: str) -> ResponseReturnValue:
    """One job: how far it is, and everything that was tried."""
    return render_template("jobs/job.html", shown=jobs.show(hub(), actor(), id))


@bp.post("/jobs/<id>/approve")
def approve(id: str) -> ResponseReturnValue:
    """Queue it."""
    return _decide(id, lambda: jobs.approve(hub(), actor(), id), "The job is in the queue.")


@bp.post("/jobs/<id>/cancel")
def cancel(id: str) -> ResponseReturnValue:
    """End it."""
    reason = request.form.get("reason", "")
    return _decide(id, lambda: jobs.cancel(hub(), actor(), id, reason=reason), "The job is cancelled.")


@bp.post("/<ns>/<name>/results/<id>/verify")
def verify(ns: str, name: str, id: str) -> ResponseReturnValue:
    """Ask that a runner measures the result's task again, at the commits that stand now."""
    model = load_repo("model", ns, name)
    result = reproduction.find(hub(), see(), model, id)
    if not result.dataset_key:
        raise EntryNotFound("The dataset of this result is not on this hub.")
    try:
        dataset = repos.by_key(hub(), result.dataset_key)
        job = jobs.request(hub(), actor(), model, dataset, result.task_id, result=id)
    except (Conflict, Invalid) as error:
        flash(error.message, "bad")
        return redirect(f"{model.path}/results/{id}", code=303)
    flash("Asked for. " + ("It awaits approval." if job.state == "requested" else f"It is {job.state}."), "good")
    return redirect(f"/jobs/{job.id}", code=303)


@bp.get("/runs")
def list_runs() -> ResponseReturnValue:
    """The list of runs, newest first (``model``, ``dataset``, ``runner``, ``start``)."""
    names = {name: request.args.get(name, "").strip() for name in ("model", "dataset", "runner")}
    start = max(request.args.get("start", 0, type=int), 0)
    acts = runs.acts(hub(), actor(), **names, skip=start, limit=PER_PAGE + 1)
    return render_template(
        "jobs/runs.html", acts=acts[:PER_PAGE], more=len(acts) > PER_PAGE, start=start, step=PER_PAGE, names=names,
        record=runs.repo(hub()),
    )  # fmt: skip


def _decide(id: str, decision: Callable[[], Job], done: str) -> ResponseReturnValue:
    try:
        decision()
    except Conflict as error:
        flash(error.message, "bad")
    else:
        flash(done, "good")
    return redirect(f"/jobs/{id}", code=303)
