"""The OpenAPI document of the hub's own API; ours."""

from __future__ import annotations

import hashlib

import orjson
from flask import Blueprint, Response, request

from glasshub.web.context import hub, public_url
from glasshub.web.openapi.document import document

bp = Blueprint("api_openapi", __name__)


@bp.get("/api/openapi.json")
def show() -> Response:
    """The document, its parts in the order in which people read them."""
    body = orjson.dumps(document(public_url(), hub().settings.name), option=orjson.OPT_INDENT_2)
    response = Response(body, content_type="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response
