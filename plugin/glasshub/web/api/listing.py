"""Lists of models and datasets."""

from __future__ import annotations

from flask import Blueprint, Response, request

from glasshub.errors import Invalid
from glasshub.identity import RepoType
from glasshub.index import queries
from glasshub.index.queries import Sort
from glasshub.web.api.arguments import KIND, flag, limit, many, paged, repo_type, see
from glasshub.web.api.repo_json import COSTLY, FULL_FIELDS, LIST_FIELDS, expanded, repo_json
from glasshub.web.context import hub
from glasshub.weights.sizes import SizeRange, parse_range

bp = Blueprint("api_listing", __name__)
_MOST, _MOST_COSTLY = 1000, 100
_SORTS: dict[str, Sort] = {
    "": "last_modified",
    "lastModified": "last_modified",
    "last_modified": "last_modified",
    "createdAt": "created_at",
    "created_at": "created_at",
    "likes": "likes",
    "downloads": "downloads",
    "trendingScore": "trending",
    "trending_score": "trending",
}


@bp.get(f"/api/{KIND}")
def repos(kind: str) -> Response:
    """Repos by search, tags, author; newest change first unless ``sort`` says otherwise."""
    type, sort = repo_type(kind), request.args.get("sort", "")
    if sort not in _SORTS:
        raise Invalid(f"sort must be one of: {', '.join(name for name in _SORTS if name)}.")
    filters = [part.strip() for value in many("filter") for part in value.split(",") if part.strip()]
    filters += many("pipeline_tag") + many("apps")
    fields = expanded(type, many("expand")) or _fields(type)
    if _asks_for_what_no_repo_has():
        return paged([], None)
    page = queries.repos(
        hub().index.read(),
        see(),
        type=type,
        search=" ".join(many("search")),
        filters=filters,
        namespace=request.args.get("author", ""),
        size=_size(type),
        gated=flag("gated") if request.args.get("gated") else None,
        sort=_SORTS[sort],
        limit=limit(100, _MOST_COSTLY if COSTLY & set(fields) else _MOST),
        cursor=request.args.get("cursor"),
    )
    return paged([repo_json(row, fields) for row in page.items], page.cursor)


def _asks_for_what_no_repo_has() -> bool:
    """Whether the query wants repos that are run by an inference provider; none here is."""
    return any(many(name) for name in ("inference", "inference_provider"))


def _size(type: RepoType) -> SizeRange | None:
    asked = request.args.get("num_parameters", "")
    if asked and type == "dataset":
        raise Invalid("num_parameters is for models: datasets have no parameters. Leave it out.")
    return parse_range(asked)


def _fields(type: RepoType) -> tuple[str, ...]:
    fields = FULL_FIELDS[type] if flag("full") else LIST_FIELDS[type]
    more = ("cardData", "config") if type == "model" else ("cardData",)
    return (*fields, *(field for field in more if flag(field) and field not in fields))
