"""The history of a repo."""

from __future__ import annotations

import html
from typing import Any

from flask import Blueprint, Response

from glasshub.git.read import Commit, history, open_repo, resolve_revision
from glasshub.web.api.arguments import KIND, api_repo, limit, many, paged, skipped
from glasshub.web.context import hub

bp = Blueprint("api_commits", __name__)


@bp.get(f"/api/{KIND}/<ns>/<name>/commits/<path:revision>")
def commits(kind: str, ns: str, name: str, revision: str) -> Response:
    """Commits reachable from a revision, newest first."""
    skip, size = skipped(), limit(50, 1000)
    with open_repo(hub().git_dir(api_repo(kind, ns, name))) as git_repo:
        found = history(git_repo, resolve_revision(git_repo, revision).commit, skip=skip, limit=size + 1)
    formatted = "formatted" in many("expand")
    items = [commit_json(commit, formatted=formatted) for commit in found[:size]]
    return paged(items, str(skip + size) if len(found) > size else None)


def commit_json(commit: Commit, *, formatted: bool) -> dict[str, Any]:
    """One commit as clients read it: the message is what follows the title."""
    message = commit.message.strip()[len(commit.title) :].strip()
    item: dict[str, Any] = {
        "id": commit.id,
        "title": commit.title,
        "message": message,
        "date": commit.date,
        "authors": [{"user": commit.author_name, "avatar": ""}],
        "parents": list(commit.parents),
    }
    if formatted:
        item["formatted"] = {"title": html.escape(commit.title), "message": html.escape(message)}
    return item
