"""The first page and the search across everything."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import accounts
from glasshub.errors import AccountNotFound
from glasshub.identity import Account
from glasshub.index import queries
from glasshub.web.context import hub
from glasshub.web.pages.evaluations import reports_of
from glasshub.web.pages.repo_view import see

bp = Blueprint("home", __name__)
BENCHMARKS = 6
NEWEST = 200  # results looked at; one commit often reports many
REPORTS = 8
FOUND = 10


@bp.get("/")
def index() -> ResponseReturnValue:
    """What this hub is and what is new."""
    db, reader = hub().index.read(), see()
    newest = queries.newest_results(db, reader, limit=NEWEST)
    return render_template(
        "home/index.html",
        totals=queries.totals(db, reader),
        benchmarks=queries.benchmarks(db, reader, limit=BENCHMARKS),
        reports=reports_of(newest)[:REPORTS],
    )


@bp.get("/search")
def search() -> ResponseReturnValue:
    """Models and datasets that match the words in ``q``."""
    words = request.args.get("q", "").strip()[:200]
    db, reader = hub().index.read(), see()
    found = {type: queries.repos(db, reader, type=type, search=words, limit=FOUND) for type in ("model", "dataset")}
    return render_template("home/search.html", words=words, found=found if words else {}, account=_account(words))


def _account(words: str) -> Account | None:
    try:
        return accounts.find(hub(), words)
    except AccountNotFound:
        return None
