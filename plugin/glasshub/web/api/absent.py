"""What stock clients ask for and this hub never has: spaces and kernels, likes and followers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from glasshub import access, accounts
from glasshub.web.api.arguments import KIND, api_repo
from glasshub.web.context import hub

bp = Blueprint("api_absent", __name__)


@bp.get("/api/<any('spaces','kernels'):_kind>")
def no_repos(_kind: str) -> Response:
    """An empty list, so that a search through all kinds goes on."""
    return jsonify([])


@bp.get("/api/<any('spaces','kernels'):_kind>/<path:rest>")
def no_repo(_kind: str, rest: str) -> ResponseReturnValue:
    """The answer by which clients know that the repo does not exist."""
    raise access.repo_not_found("/".join(rest.split("/")[:2]))


@bp.get("/api/users/<name>/<any('likes','followers','following'):_part>")
@bp.get("/api/organizations/<name>/followers")
def nobody(name: str, **_: str) -> Response:
    """An empty list for every account that exists: this hub counts neither likes nor followers."""
    accounts.find(hub(), name)
    return jsonify([])


@bp.get(f"/api/{KIND}/<ns>/<name>/likers")
def no_likers(kind: str, ns: str, name: str) -> Response:
    """An empty list for every repo that the reader may see."""
    api_repo(kind, ns, name)
    return jsonify([])
