"""Hiding single results of a model and showing them again; ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, jsonify

from glasshub import receive, results
from glasshub.desk import Move
from glasshub.web.api.arguments import api_repo
from glasshub.web.api.json_body import json_body
from glasshub.web.context import actor, hub
from glasshub.web.repeats import request_id

bp = Blueprint("api_result_decisions", __name__)
_ONE = "/api/models/<ns>/<name>/eval-results/<result_id>"


@bp.post(f"{_ONE}/hide")
def hide(ns: str, name: str, result_id: str) -> Response:
    """Hide a result from card, leaderboards and feeds, with a ``reason`` if there is one."""
    return _decide(results.hide_result, ns, name, result_id)


@bp.post(f"{_ONE}/show")
def show(ns: str, name: str, result_id: str) -> Response:
    """Show a hidden result again."""
    return _decide(results.show_result, ns, name, result_id)


def _decide(decision: Callable[..., Move], ns: str, name: str, result_id: str) -> Response:
    repo, reason = api_repo("models", ns, name), json_body().text("reason", "")
    wanted = partial(decision, result_id=result_id, reason=reason)
    event = receive.decide(hub(), repo, actor(), wanted, request=request_id()).event
    assert event is not None
    return jsonify(
        {
            "id": event.data["result"],
            "hidden": decision is results.hide_result,
            "by": event.actor,
            "date": event.date,
            "reason": event.data.get("reason", ""),
        }
    )
