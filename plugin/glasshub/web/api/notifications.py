"""The inbox of whoever asks; ours."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from glasshub import repos
from glasshub.errors import Invalid, RepoNotFound
from glasshub.identity import REPO_TYPES
from glasshub.index.queries import cursor as cursors
from glasshub.notices import inbox
from glasshub.notices.inbox import Thread
from glasshub.web.api.arguments import flag, limit, paged
from glasshub.web.api.json_body import json_body
from glasshub.web.context import actor, hub, public_url
from glasshub.web.links import thread_url

bp = Blueprint("api_notifications", __name__)
_KIND = "notifications"


@bp.get("/api/notifications")
def listing() -> Response:
    """Threads that concern the caller, newest first: ``unread=true``, ``limit``, ``cursor``."""
    found = inbox.threads(hub(), actor(), unread_only=flag("unread"))
    if "cursor" in request.args:
        after = cursors.decode(request.args["cursor"], _KIND, str, str, int)
        found = [thread for thread in found if _sort_key(thread) < after]
    most = limit(50, 500)
    more = len(found) > most
    return paged([_json(t) for t in found[:most]], cursors.encode(_KIND, *_sort_key(found[most - 1])) if more else None)


@bp.post("/api/notifications/read")
def read() -> Response:
    """Take ``threads`` as read, or ``all`` of them."""
    body = json_body()
    threads = body.fields.get("threads")
    if (threads is None) == (not body.flag("all")):
        raise Invalid('Send either {"all": true} or {"threads": [{"type": "model", "name": "ns/name", "num": 1}]}.')
    only = None if threads is None else [found for thread in _list(threads) if (found := _thread(thread))]
    return jsonify({"read": inbox.mark_read(hub(), actor(), only)})


def _sort_key(thread: Thread) -> tuple[str, str, int]:
    return thread.row.date, thread.row.key, thread.row.number


def _json(thread: Thread) -> dict[str, Any]:
    row = thread.row
    said: dict[str, Any] = {
        "repo": {"type": row.repo_type, "name": row.repo_id},
        "unread": thread.unread,
        "reason": row.reason,
        "event": {"id": row.event_id, "type": row.event, "createdAt": row.date},
        "url": f"{public_url()}{thread_url(row)}",
    }
    if row.actor:  # else the name was erased
        said["event"]["author"] = {"name": row.actor}
    if row.number:
        said["discussion"] = {
            "num": row.number,
            "title": row.title,
            "status": row.status,
            "isPullRequest": row.is_pull,
        }
    return said


def _list(threads: object) -> list[Any]:
    if not isinstance(threads, list):
        raise Invalid("Send threads as a list.")
    return threads


def _thread(thread: object) -> tuple[str, int] | None:
    """(repo key, number) of what the caller names; ``None`` when there is no such repo, where nothing is unread."""
    fields = thread if isinstance(thread, dict) else {}
    name, number = fields.get("name"), fields.get("num", 0)
    type = next((known for known in REPO_TYPES if known == fields.get("type")), None)
    if type is None or not isinstance(name, str) or not isinstance(number, int):
        raise Invalid('Each of threads is an object such as {"type": "model", "name": "ns/name", "num": 1}.')
    namespace, _, rest = name.partition("/")
    try:
        return repos.find(hub(), type, namespace, rest).key, number
    except RepoNotFound:
        return None
