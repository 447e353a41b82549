"""The page of one result: what it says, how to measure it again, and what runners made of it."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from glasshub import jobs, reproduction
from glasshub.web.context import actor, hub, public_url
from glasshub.web.pages.repo_view import see, view_repo

bp = Blueprint("result", __name__)
MOST_JOBS = 50


@bp.get("/<ns>/<name>/results/<id>")
def page(ns: str, name: str, id: str) -> ResponseReturnValue:
    """One result of a model, by its id."""
    view = view_repo("model", ns, name)
    found = reproduction.of_result(hub(), see(), view.repo, id, public_url())
    known = jobs.listing(hub(), actor(), model=view.repo.key, dataset=found.result.dataset_key, limit=MOST_JOBS)
    return render_template(
        "model/result.html",
        view=view,
        found=found,
        result=found.result,
        jobs=[shown for shown in known if shown.job.task == found.result.task_id] if found.task else [],
    )
