"""Everything else below ``/api``: a JSON 404, since clients read the body of every answer."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from glasshub.errors import NotFound

bp = Blueprint("api_fallback", __name__)


@bp.route("/api/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(rest: str) -> ResponseReturnValue:
    """There is no such route."""
    raise NotFound(f"This hub has no API at /api/{rest[:100]}. See docs/api.md for what there is.")
