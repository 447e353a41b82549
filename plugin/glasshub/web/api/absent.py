"""Lists of what this hub never has: spaces, kernels and buckets, papers and followers."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from glasshub import accounts
from glasshub.web.context import hub

bp = Blueprint("api_absent", __name__)


@bp.get("/api/<any('spaces','kernels','daily_papers'):_kind>")
@bp.get("/api/spaces/semantic-search")
@bp.get("/api/papers/search")
@bp.get("/api/buckets/<_kind>")
def no_repos(_kind: str = "") -> Response:
    """An empty list, so that a search through all kinds goes on."""
    return jsonify([])


@bp.get("/api/users/<name>/<any('followers','following'):_part>")
@bp.get("/api/organizations/<name>/followers")
def nobody(name: str, **_: str) -> Response:
    """An empty list for every account that exists: this hub has no followers."""
    accounts.find(hub(), name)
    return jsonify([])
