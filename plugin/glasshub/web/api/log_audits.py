"""The audit of a result's log; ours."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from glasshub import reproduction
from glasshub.errors import EntryNotFound
from glasshub.web.api.arguments import api_repo, see
from glasshub.web.context import hub
from glasshub.web.log_audits import log_audit, report_json

bp = Blueprint("api_log_audits", __name__)


@bp.get("/api/models/<ns>/<name>/eval-results/<result_id>/audit")
def show(ns: str, name: str, result_id: str) -> Response:
    """The checks of the log that a result names, and what they were made with."""
    found = log_audit(reproduction.find(hub(), see(), api_repo("models", ns, name), result_id))
    if found is None:
        raise EntryNotFound("This result names no log.")
    return jsonify(report_json(found))
