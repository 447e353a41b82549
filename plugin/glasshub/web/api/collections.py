"""Collections, as the stock clients keep them."""

from __future__ import annotations

from typing import Any, cast, get_args

from flask import Blueprint, Response, g, jsonify, request

from glasshub import accounts, collecting, repos
from glasshub.collecting import Shown, Taken
from glasshub.collection import Item, Sort
from glasshub.errors import Invalid, RepoNotFound
from glasshub.identity import Repo, RepoType
from glasshub.index import queries
from glasshub.index.queries import cursor as cursors
from glasshub.web.api.arguments import limit, many, paged
from glasshub.web.api.json_body import JsonBody, json_body
from glasshub.web.context import actor, hub

bp = Blueprint("api_collections", __name__)
_ONE = "/api/collections/<ns>/<slug>"
_ITEM = f"{_ONE}/items/<item>"
_MOST = 100


@bp.get("/api/collections")
def listing() -> Response:
    """Collections: ``owner``, ``item`` (``models/ns/name``), ``sort``, ``limit``; each with its first four items."""
    sort = request.args.get("sort", "lastModified")
    if sort not in get_args(Sort):
        raise Invalid(f"sort must be one of: {', '.join(get_args(Sort))}.")
    holding = [repo for name in many("item") if (repo := _holdable(name)) is not None]
    if many("item") and not holding:
        return paged([], None)
    cursor, kind = request.args.get("cursor"), str if sort == "lastModified" else int
    after = None if cursor is None else cursors.decode(cursor, f"collections {sort}", kind, str)
    found = collecting.listing(
        hub(),
        actor(),
        owners=many("owner"),
        holding=holding,
        sort=cast(Sort, sort),
        limit=limit(_MOST, _MOST),
        after=None if after is None else (after[0], after[1]),
    )
    following = None if found.following is None else cursors.encode(f"collections {sort}", *found.following)
    return paged([collection_json(shown) for shown in found.shown], following)


@bp.post("/api/collections")
def create() -> Response:
    """Make a collection: ``title``, ``namespace`` (the caller by default), ``description``, ``private``."""
    body = json_body()
    try:
        shown = collecting.create(
            hub(),
            actor(),
            body.text("namespace", "") or actor().name or "",
            body.text("title"),
            description=body.text("description", ""),
            private=body.flag("private"),
            theme=body.text("theme", ""),
        )
    except Taken as taken:
        g.error_fields = {"slug": taken.slug}  # clients with ``exists_ok`` go on with it
        raise
    return jsonify(_whole(shown))


@bp.get(_ONE)
def one(ns: str, slug: str) -> Response:
    """A collection with all that the caller may see of it."""
    return jsonify(_whole(collecting.show(hub(), actor(), ns, slug)))


@bp.patch(_ONE)
def update(ns: str, slug: str) -> Response:
    """Change ``title``, ``description``, ``theme``, ``private``, ``position``."""
    body = json_body()
    shown = collecting.update(
        hub(),
        actor(),
        ns,
        slug,
        title=_maybe_text(body, "title"),
        description=_maybe_text(body, "description"),
        theme=_maybe_text(body, "theme"),
        private=body.maybe_flag("private"),
        position=_position(body),
    )
    return jsonify({"success": True, "data": _whole(shown)})


@bp.delete(_ONE)
def delete(ns: str, slug: str) -> Response:
    """Delete a collection, not what it holds."""
    collecting.delete(hub(), actor(), ns, slug)
    return jsonify({"success": True})


@bp.post(f"{_ONE}/items")
def add_item(ns: str, slug: str) -> Response:
    """Add ``item`` (``type``, ``id``) with a ``note``."""
    body = json_body()
    item = body.fields.get("item")
    thing = JsonBody(item if isinstance(item, dict) else {})
    note = body.text("note", "")
    shown = collecting.add_item(hub(), actor(), ns, slug, type=thing.text("type"), name=thing.text("id"), note=note)
    return jsonify(_whole(shown))


@bp.patch(_ITEM)
def update_item(ns: str, slug: str, item: str) -> Response:
    """Change the ``note`` or ``position`` of an item."""
    body = json_body()
    note, position = _maybe_text(body, "note"), _position(body)
    return jsonify(_whole(collecting.update_item(hub(), actor(), ns, slug, item, note=note, position=position)))


@bp.delete(_ITEM)
def remove_item(ns: str, slug: str, item: str) -> Response:
    """Take an item out."""
    return jsonify(_whole(collecting.remove_item(hub(), actor(), ns, slug, item)))


@bp.post(f"{_ONE}/upvote")
def upvote(ns: str, slug: str) -> Response:
    """Vote for a collection."""
    return jsonify(_whole(collecting.vote(hub(), actor(), ns, slug, up=True)))


@bp.delete(f"{_ONE}/upvote")
def take_back(ns: str, slug: str) -> Response:
    """Vote for it no longer."""
    return jsonify(_whole(collecting.vote(hub(), actor(), ns, slug, up=False)))


def collection_json(shown: Shown) -> dict[str, Any]:
    """A collection without its place, as it stands in lists: there clients number them themselves."""
    it = shown.collection
    account = accounts.find(hub(), it.owner)
    owner = {"name": it.owner, "fullname": account.full_name or it.owner, "type": account.kind, "avatarUrl": ""}
    found = {
        "slug": it.slug,
        "title": it.title,
        "owner": owner,
        "theme": it.theme,
        "private": it.private,
        "upvotes": it.upvotes,
        "isUpvotedByUser": shown.upvoted,
        "lastUpdated": it.updated_at,
        "items": [_item(item) for item in shown.items],
    }
    return {**found, "description": it.description} if it.description else found


def _whole(shown: Shown) -> dict[str, Any]:
    return {**collection_json(shown), "position": shown.collection.position}


def _item(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = {"_id": item.id, "type": item.type, "position": item.position}
    if item.note:
        found["note"] = {"text": item.note}
    if item.child is not None:
        child = item.child
        return {**found, "id": child.id, "slug": child.slug, "title": child.title, "upvotes": child.upvotes}
    repo = cast(Repo, item.repo)
    row = queries.repo(hub().index.read(), repo.key)
    found |= {"id": repo.repo_id, "author": repo.namespace, "private": repo.private}
    if row is not None:
        found |= {"lastModified": row.last_modified, "downloads": row.downloads, "likes": row.likes}
    return found


def _holdable(name: str) -> Repo | None:
    """The repo that ``item`` names, if the caller may see it."""
    kind, _, rest = name.partition("/")
    if kind not in ("models", "datasets"):
        return None
    type: RepoType = "dataset" if kind == "datasets" else "model"
    namespace, _, repo_name = rest.partition("/")
    try:
        return repos.find_readable(hub(), actor(), type, namespace, repo_name)
    except RepoNotFound:
        return None


def _maybe_text(body: JsonBody, name: str) -> str | None:
    return None if body.fields.get(name) is None else body.text(name)


def _position(body: JsonBody) -> int | None:
    value = body.fields.get("position")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise Invalid("Send position as a whole number, from 0.")
    return value
