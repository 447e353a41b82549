"""Who asked for access to a gated repo, and what its writers decide."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from glasshub import gates
from glasshub.access import Action
from glasshub.errors import Invalid
from glasshub.gates import STATUSES, AccessRequest, Status
from glasshub.web.api.arguments import KIND, api_repo, limit, paged, skipped
from glasshub.web.api.json_body import json_body
from glasshub.web.context import actor, hub

bp = Blueprint("api_access_requests", __name__)
_BASE = f"/api/{KIND}/<ns>/<name>/user-access-request"


@bp.get(f"{_BASE}/<any('pending','accepted','rejected'):status>")
def listed(kind: str, ns: str, name: str, status: Status) -> Response:
    """The requests with a status, newest first: ``limit``, ``cursor``."""
    repo = api_repo(kind, ns, name, Action.WRITE)
    skip, size = skipped(), limit(1000, 1000)
    found = gates.listing(hub(), actor(), repo, status, skip=skip, limit=size + 1)
    return paged([_json(item) for item in found[:size]], str(skip + size) if len(found) > size else None)


@bp.post(f"{_BASE}/handle")
def handle(kind: str, ns: str, name: str) -> Response:
    """Accept, reject (``rejectionReason``) or put back to pending the request of ``user``, or ``requestId``."""
    repo, body = api_repo(kind, ns, name, Action.WRITE), json_body()
    user, id = body.text("user", ""), body.text("requestId", "")
    status = next((known for known in STATUSES if known == body.text("status")), None)
    if status is None or bool(user) == bool(id):
        raise Invalid(f"Send status ({', '.join(STATUSES)}), and either user or requestId.")
    reason = body.text("rejectionReason", "")
    return jsonify(_json(gates.handle(hub(), actor(), repo, status, user=user, id=id, reason=reason)))


@bp.post(f"{_BASE}/grant")
def grant(kind: str, ns: str, name: str) -> Response:
    """Let ``user`` in, whether or not they asked."""
    repo = api_repo(kind, ns, name, Action.WRITE)
    return jsonify(_json(gates.grant(hub(), actor(), repo, json_body().text("user"))))


def _json(found: AccessRequest) -> dict[str, Any]:
    said: dict[str, Any] = {
        "requestId": found.id,
        "status": found.status,
        "timestamp": found.asked_at,
        "user": {"user": found.user, "fullname": found.full_name or found.user},
    }
    if found.fields:
        said["fields"] = dict(found.fields)
    if found.decided_at:
        said["reviewedAt"] = found.decided_at
    if found.decided_by:
        said["grantedBy" if found.status == "accepted" else "reviewedBy"] = {"user": found.decided_by}
    if found.reason:
        said["rejectionReason"] = found.reason
    return said
