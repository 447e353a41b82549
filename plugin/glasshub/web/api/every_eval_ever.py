"""One result as a record of Every Eval Ever; ours."""

from __future__ import annotations

import time

from flask import Blueprint, Response, jsonify

from glasshub import reproduction
from glasshub.errors import Conflict
from glasshub.exports.every_eval_ever import to_record
from glasshub.exports.records import COLUMNS, Model, of_model
from glasshub.web.api.arguments import api_repo, see
from glasshub.web.context import hub

bp = Blueprint("api_every_eval_ever", __name__)


@bp.get("/api/models/<ns>/<name>/eval-results/<result_id>/every-eval-ever")
def show(ns: str, name: str, result_id: str) -> Response:
    """The record. Raises ``Conflict`` where it is not known which direction is better."""
    result = reproduction.find(hub(), see(), api_repo("models", ns, name), result_id)
    (row,) = of_model([result], Model(derived=False, parameters=None))
    found = to_record({column.name: value for column, value in zip(COLUMNS, row, strict=True)}, time.time())
    if found is None:
        raise Conflict(
            "Such a record must say whether lower is better, and this hub has no benchmark with this task that tells."
        )
    return jsonify(found)
