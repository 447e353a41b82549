"""The lists of models, datasets and benchmarks: search, tag filters, sort and cursor all live in the address."""

from __future__ import annotations

from typing import cast, get_args

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from glasshub.errors import Invalid
from glasshub.identity import RepoType
from glasshub.index import queries
from glasshub.index.queries import Sort
from glasshub.web.context import hub
from glasshub.web.pages.repo_view import see
from glasshub.web.pages.sizes import size_choices
from glasshub.weights.sizes import parse_range

bp = Blueprint("listing", __name__)
PER_PAGE = 30
MOST_FILTERS = 20


@bp.get("/models", defaults={"type": "model"}, endpoint="models")
@bp.get("/datasets", defaults={"type": "dataset"}, endpoint="datasets")
def repos(type: RepoType) -> ResponseReturnValue:
    """One page of models or of datasets."""
    words = request.args.get("search", "").strip()[:200]
    filters = tuple(dict.fromkeys(tag for tag in request.args.getlist("filter") if tag))[:MOST_FILTERS]
    author = request.args.get("author", "").strip()[:100]
    size = request.args.get("num_parameters", "").strip() if type == "model" else ""
    sort = _sort(request.args.get("sort") or "last_modified")
    cursor = request.args.get("cursor") or None
    page = queries.repos(
        hub().index.read(),
        see(),
        type=type,
        search=words,
        filters=filters,
        namespace=author,
        size=parse_range(size),
        sort=sort,
        limit=PER_PAGE,
        cursor=cursor,
    )
    asked = {"search": words, "filter": filters, "author": author, "num_parameters": size, "sort": sort}
    return render_template(
        "listing/repos.html", type=type, page=page, asked=asked, sizes=size_choices(size), cursor=cursor
    )


@bp.get("/benchmarks")
def benchmarks() -> ResponseReturnValue:
    """One page of benchmarks, those with most models first."""
    cursor = request.args.get("cursor") or None
    page = queries.benchmarks(hub().index.read(), see(), limit=PER_PAGE, cursor=cursor)
    return render_template("listing/benchmarks.html", page=page, cursor=cursor)


def _sort(text: str) -> Sort:
    if text not in get_args(Sort):
        raise Invalid(f"There is no order called {text!r}. Choose one of: {', '.join(get_args(Sort))}.")
    return cast(Sort, text)
