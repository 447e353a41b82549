"""The evaluation history of a model; hiding its results and showing them again."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import receive, results
from glasshub.access import Action
from glasshub.desk import Move
from glasshub.errors import Conflict, Invalid, NotFound
from glasshub.history import read_history
from glasshub.index import queries
from glasshub.index.queries.results import shown_ids
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.pages.notices.inbox import seen
from glasshub.web.pages.repo_view import view_repo
from glasshub.web.pages.sign_in import local_target

bp = Blueprint("evaluation_history", __name__)
PER_PAGE = 30
NAMED = 12  # results of one act that are shown at once
MOST_NAMED = 200  # and those that are shown at all


@bp.get("/<ns>/<name>/evaluations/history")
def page(ns: str, name: str) -> ResponseReturnValue:
    """What is hidden now, and every act on the model's results, newest first."""
    view = view_repo("model", ns, name)
    seen(view.repo, 0)
    cursor = request.args.get("cursor") or None
    found = read_history(hub(), view.repo, cursor=cursor, limit=PER_PAGE)
    db = hub().index.read()
    return render_template(
        "model/history.html",
        view=view,
        acts=found.acts,
        cursor=cursor,
        next_cursor=found.cursor,
        named=NAMED,
        most_named=MOST_NAMED,
        hidden=[] if cursor else queries.hidden_results(db, view.repo.key),
        state=partial(found.state, shown=shown_ids(db, view.repo.key)),
    )


@bp.post("/<ns>/<name>/results/<id>/hide")
def hide(ns: str, name: str, id: str) -> ResponseReturnValue:
    """Hide a result (those who may write to the model)."""
    return _decide(ns, name, partial(results.hide_result, result_id=id), "The result is hidden; the record keeps it.")


@bp.post("/<ns>/<name>/results/<id>/show")
def show(ns: str, name: str, id: str) -> ResponseReturnValue:
    """Show a hidden result again."""
    return _decide(ns, name, partial(results.show_result, result_id=id), "The result shows again.")


def _decide(ns: str, name: str, decision: partial[Move], done: str) -> ResponseReturnValue:
    repo = load_repo("model", ns, name, Action.READ)
    try:
        receive.decide(hub(), repo, actor(), partial(decision, reason=request.form.get("reason", "")))
    except (Conflict, Invalid, NotFound) as error:
        flash(error.message, "bad")
    else:
        flash(done, "good")
    back = request.form.get("next", "")
    return redirect(local_target(back) if back else f"{repo.path}/evaluations", code=303)
