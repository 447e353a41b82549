"""The audits of logs as pages and API show them, each looked up once per request."""

from __future__ import annotations

from typing import Any

from flask import g

from glasshub.audits.shown import Shown, shown
from glasshub.index.rows import ResultRow
from glasshub.web.context import actor, hub, public_url


def log_audit(result: ResultRow) -> Shown | None:
    """What the reader may know of the log of a result; ``None`` when it names none."""
    if not result.source_url and not result.extra:
        return None
    known: dict[tuple[str, ...], Shown | None] = g.setdefault("log_audits", {})
    name = (result.model_key, str(result.pull), result.path, str(result.position))
    if name not in known:
        known[name] = shown(hub(), actor(), result)
    return known[name]


def audit_address(result: ResultRow) -> str:
    """The page with the report on a result's log."""
    return f"/{result.model_id}/results/{result.id}/audit"


def summary_json(result: ResultRow) -> dict[str, Any]:
    """``{"logAudit": ...}`` for a result that names a log, else nothing."""
    found = log_audit(result)
    if found is None:
        return {}
    report = f"{public_url()}{audit_address(result)}"
    return {"logAudit": {"audited": found.audited, "reason": found.summary, "report": report}}


def report_json(found: Shown) -> dict[str, Any]:
    """All that the reader may know."""
    audit, log = found.audit, found.log
    return {
        "audited": found.audited,
        "state": "none" if audit is None else audit.state,
        "reason": found.summary,
        "value": found.value,
        "stderr": found.stderr,
        "checks": [dict(check) for check in found.checks],
        "log": None
        if audit is None or log is None or not audit.log_commit
        else {
            "repo": {"type": log.type, "name": log.repo_id},
            "commit": audit.log_commit,
            "path": audit.log_path,
            "sha256": audit.log_sha256 or None,
            "size": audit.log_size,
        },
        "dataset": None
        if audit is None or found.dataset is None or not audit.dataset_commit
        else {"name": found.dataset.repo_id, "commit": audit.dataset_commit, "from": audit.basis},
    }
