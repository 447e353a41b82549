"""How to measure a result again, for programs; ours."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from glasshub import reproduction
from glasshub.web.api.arguments import api_repo, see
from glasshub.web.api.results import number
from glasshub.web.context import hub, public_url

bp = Blueprint("api_reproduction", __name__)


@bp.get("/api/models/<ns>/<name>/eval-results/<result_id>/reproduction")
def show(ns: str, name: str, result_id: str) -> Response:
    """The commands, the task as they name it, and the claim to compare with."""
    found = reproduction.of_result(hub(), see(), api_repo("models", ns, name), result_id, public_url())
    spec = found.task.spec if found.task else {}
    return jsonify(
        {
            "value": number(found.result),
            "dataset": found.result.dataset_id,
            "task": found.result.task_id,
            "revision": found.revision or None,
            "pinned": found.pinned,
            "name": found.name or None,
            "install": found.install or None,
            "command": found.evaluate or None,
            "reason": found.why_not or None,
            "epochs": int(spec.get("epochs") or 1),
            "reducer": spec.get("epoch_reducer") or "mean",
        }
    )
