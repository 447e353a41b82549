"""Branches and tags: made, deleted and squashed."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from glasshub import branches, receive, squash
from glasshub.desk import Desk, Move
from glasshub.web.api.arguments import KIND, api_repo
from glasshub.web.api.json_body import json_body
from glasshub.web.context import actor, hub

bp = Blueprint("api_branches", __name__)
_REPO = f"/api/{KIND}/<ns>/<name>"


@bp.post(f"{_REPO}/branch/<path:branch>")
def create_branch(kind: str, ns: str, name: str, branch: str) -> Response:
    """Make a branch at ``startingPoint`` (``main`` by default); 409 when there is one."""
    start = json_body().text("startingPoint", "main")
    return _decide(kind, ns, name, lambda desk: branches.create_branch(desk, name=branch, start=start))


@bp.delete(f"{_REPO}/branch/<path:branch>")
def delete_branch(kind: str, ns: str, name: str, branch: str) -> Response:
    """Delete a branch."""
    return _decide(kind, ns, name, lambda desk: branches.delete_branch(desk, name=branch))


@bp.post(f"{_REPO}/tag/<path:revision>")
def create_tag(kind: str, ns: str, name: str, revision: str) -> Response:
    """Tag a revision as ``tag``, with a ``message`` if there is one; 409 when there is such a tag."""
    body = json_body()
    tag, message = body.text("tag"), body.text("message", "")
    return _decide(kind, ns, name, lambda desk: branches.create_tag(desk, name=tag, at=revision, message=message))


@bp.delete(f"{_REPO}/tag/<path:tag>")
def delete_tag(kind: str, ns: str, name: str, tag: str) -> Response:
    """Delete a tag."""
    return _decide(kind, ns, name, lambda desk: branches.delete_tag(desk, name=tag))


@bp.post(f"{_REPO}/super-squash/<path:branch>")
def super_squash(kind: str, ns: str, name: str, branch: str) -> Response:
    """Make the history of a branch or ``refs/pr/N`` one commit with this ``message``."""
    message = json_body().text("message", f"Super-squash branch '{branch[:200]}'")
    return _decide(kind, ns, name, lambda desk: squash.squash(desk, name=branch, message=message))


def _decide(kind: str, ns: str, name: str, decision: Callable[[Desk], Move]) -> Response:
    receive.decide(hub(), api_repo(kind, ns, name), actor(), decision)
    return jsonify({})
