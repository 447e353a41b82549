"""The report on the log of a result."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from glasshub import reproduction
from glasshub.errors import EntryNotFound
from glasshub.web.context import hub
from glasshub.web.log_audits import audit_address, log_audit
from glasshub.web.pages.repo_view import see, view_repo

bp = Blueprint("log_audits", __name__)
bp.add_app_template_global(log_audit)
bp.add_app_template_global(audit_address)


@bp.get("/<ns>/<name>/results/<id>/audit")
def report(ns: str, name: str, id: str) -> ResponseReturnValue:
    """The checks A1 to R2 with their outcome, and what they were made with."""
    view = view_repo("model", ns, name)
    result = reproduction.find(hub(), see(), view.repo, id)
    found = log_audit(result)
    if found is None:
        raise EntryNotFound("This result names no log.")
    return render_template("model/audit.html", view=view, result=result, found=found, audit=found.audit)
