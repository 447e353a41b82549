"""The hub's own API, for people: what its OpenAPI document says."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from glasshub.web.openapi.document import document
from glasshub.web.openapi.reading import Answer, Reading

bp = Blueprint("api_reference", __name__)


@bp.get("/api")
def page() -> ResponseReturnValue:
    """All addresses with their parameters, answers and errors, and what bodies hold."""
    return render_template("api/reference.html", **_read())


@cache
def _read() -> dict[str, Any]:
    """What the page shows; the same on every hub, and made once."""
    reading = Reading(document("", ""))
    groups = reading.groups()
    errors: dict[str, Answer] = {}
    for group in groups:
        for operation in group.operations:
            errors |= {answer.status: answer for answer in operation.errors}
    found = [errors[status] for status in sorted(errors)]
    return {"about": reading.about, "groups": groups, "things": reading.things(), "errors": found}
