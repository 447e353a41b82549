"""The items of a result's log: a list to filter and search, and each with everything that was said.

For those alone who may read the files of the log and of the benchmark; and never for search engines, since questions
and right answers that are found in the open measure nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import gates, reproduction
from glasshub.audits import attached, items
from glasshub.audits.items import SHOWS, Show
from glasshub.audits.shown import Shown
from glasshub.errors import EntryNotFound
from glasshub.index.rows import ResultRow
from glasshub.verify.logs.log import EvalLog
from glasshub.web.context import actor, hub
from glasshub.web.log_audits import log_audit
from glasshub.web.pages.repo_view import RepoView, see, view_repo

bp = Blueprint("log_items", __name__)
MOST_WORDS = 200


@bp.get("/<ns>/<name>/results/<id>/items")
def listing(ns: str, name: str, id: str) -> ResponseReturnValue:
    """Items of the log: ``show`` (failures, no-answer, errors), ``q`` (words in them), ``start``."""
    view, result, found = _readable(ns, name, id)
    show: Show = next((known for known in SHOWS if known == request.args.get("show")), "all")
    words = request.args.get("q", "").strip()[:MOST_WORDS]
    start = max(1, min(request.args.get("start", 1, type=int), items.LIMITS.members))
    with _log(found) as log:
        page = items.page(log, show=show, words=words, start=start)
    return _unlisted(
        render_template(
            "model/log_items.html", view=view, result=result, page=page, show=show, words=words, start=start
        )
    )


@bp.get("/<ns>/<name>/results/<id>/items/<int:number>")
def item(ns: str, name: str, id: str, number: int) -> ResponseReturnValue:
    """One item: question, choices, right answer, what was said, and how it was graded."""
    view, result, found = _readable(ns, name, id)
    with _log(found) as log:
        whole = items.whole(log, number)
    return _unlisted(render_template("model/log_item.html", view=view, result=result, whole=whole, item=whole.item))


def _readable(ns: str, name: str, id: str) -> tuple[RepoView, ResultRow, Shown]:
    """The result and its log, for those who may read what is in it."""
    view = view_repo("model", ns, name)
    result = reproduction.find(hub(), see(), view.repo, id)
    found = log_audit(result)
    if found is None or found.log is None or found.audit is None or not found.audit.log_commit:
        raise EntryNotFound("This result names no log that can be read here, or it was not found yet.")
    if found.dataset is None:
        raise EntryNotFound("The benchmark of this result is not on this hub.")
    for repo in (found.log, found.dataset):
        gates.require_files(hub(), actor(), repo)
    return view, result, found


@contextmanager
def _log(found: Shown) -> Iterator[EvalLog]:
    assert found.log is not None
    assert found.audit is not None
    place = attached.locate(hub(), found.log, found.audit.log_commit, found.audit.log_path)
    with items.opened(hub(), place) as log:
        yield log


def _unlisted(page: str) -> Response:
    answer = make_response(page)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return answer
