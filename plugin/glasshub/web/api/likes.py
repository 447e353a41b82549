"""Likes: of a repo, and of a person."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from glasshub import popularity
from glasshub.index.queries import cursor as cursors
from glasshub.names import folded
from glasshub.web.api.arguments import KIND, api_repo, limit, paged
from glasshub.web.context import actor, hub

bp = Blueprint("api_likes", __name__)
_MOST = 1000
_CURSOR = "likers"


@bp.post(f"/api/{KIND}/<ns>/<name>/like")
def like(kind: str, ns: str, name: str) -> Response:
    """Like a repo; again is fine."""
    popularity.like(hub(), actor(), api_repo(kind, ns, name))
    return jsonify({})


@bp.delete(f"/api/{KIND}/<ns>/<name>/like")
def unlike(kind: str, ns: str, name: str) -> Response:
    """Like it no longer; again is fine."""
    popularity.like(hub(), actor(), api_repo(kind, ns, name), likes=False)
    return jsonify({})


@bp.get(f"/api/{KIND}/<ns>/<name>/likers")
def likers(kind: str, ns: str, name: str) -> Response:
    """Who likes a repo, newest first."""
    repo, most = api_repo(kind, ns, name), limit(_MOST, _MOST)
    cursor = request.args.get("cursor")
    after = None
    if cursor is not None:
        moment, account = cursors.decode(cursor, _CURSOR, str, str)
        after = (moment, account)
    found = popularity.likers(hub(), repo, limit=most + 1, after=after)
    shown = found[:most]
    following = None
    if len(found) > most:
        moment, last = shown[-1]
        following = cursors.encode(_CURSOR, moment, folded(last.name))
    people = [{"user": who.name, "fullname": who.full_name or who.name, "avatarUrl": ""} for _, who in shown]
    return paged([{**person, "type": "user"} for person in people], following)


@bp.get("/api/users/<name>/likes")
def likes(name: str) -> Response:
    """What a user likes, as far as the caller may see it, newest first."""
    found = popularity.liked_by(hub(), actor(), name)
    return jsonify(
        [{"createdAt": it.liked_at, "repo": {"name": it.repo.repo_id, "type": it.repo.type}} for it in found]
    )
