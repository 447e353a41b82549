"""Keeping collections: use cases. Whoever may write in a namespace keeps its collections.

A collection shows each reader what that reader may see: items hidden from them, and their places, do not exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection

from glasshub import access, clock
from glasshub.collection import (
    MOST_ITEMS,
    MOST_OF_OWNER,
    THEMES,
    Collection,
    Item,
    Sort,
    check_description,
    check_note,
    check_theme,
    check_title,
    id_in,
)
from glasshub.errors import Conflict, Invalid, NotFound, TooLarge, Unauthenticated
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo, Role
from glasshub.registry import collection as rows
from glasshub.registry import people
from glasshub.registry import repos as repo_rows
from glasshub.registry.collection import Wanted

IN_LISTS = 4  # items shown of each collection in a list
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Shown:
    """A collection as one reader sees it."""

    collection: Collection
    items: tuple[Item, ...]
    upvoted: bool
    may_write: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list of collections, and where the next begins (``None`` at the end)."""

    shown: tuple[Shown, ...]
    following: tuple[Any, str] | None


class Taken(Conflict):
    """There is one of that title; ``slug`` names it."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is a collection of this title: {slug}. Use it, or choose another title.")
        self.slug = slug


def create(
    hub: Hub, actor: Actor, owner: str, title: str, *, description: str = "", private: bool = False, theme: str = ""
) -> Shown:
    """Make an empty collection.

    Raises:
        Unauthenticated, Forbidden: as :func:`glasshub.access.require_write_owned`.
        AccountNotFound: there is no such account.
        Invalid: a text is too long.
        Taken: the owner has one of that title.
        TooLarge: the owner has very many.
    """
    title, description = check_title(title), check_description(description)
    theme = check_theme(theme or THEMES[0])
    access.require_write_owned(actor, owner)
    now = clock.now()
    with hub.registry.write() as db:
        account = people.require(db, owner)
        others = rows.of_owner(db, account.name)
        _refuse_title(others, title)
        if len(others) >= MOST_OF_OWNER:
            raise TooLarge(f"{account.name} has {MOST_OF_OWNER} collections. Delete one first.")
        values = {"id": secrets.token_hex(12), "owner": account.name.lower(), "title": title, "theme": theme}
        values |= {"description": description, "created_at": now, "updated_at": now}
        position = max((other.position for other in others), default=-1) + 1
        rows.add(db, {**values, "private": private, "position": position})
        return _show(db, actor, _found(rows.find(db, values["id"])))


def show(hub: Hub, actor: Actor, namespace: str, slug: str) -> Shown:
    """One collection. Raises ``NotFound``, also when it is hidden."""
    with hub.registry.read() as db:
        return _show(db, actor, _readable(db, actor, namespace, slug))


def listing(
    hub: Hub,
    actor: Actor,
    *,
    owners: Sequence[str] = (),
    holding: Sequence[Repo] = (),
    sort: Sort = "lastModified",
    limit: int = 100,
    after: tuple[Any, str] | None = None,
) -> Listed:
    """Collections that the actor may see, each with its first items.

    Args:
        hub: the hub.
        actor: who looks.
        owners: whose; everybody's by default.
        holding: repos (that the actor may see) of which they hold one.
        sort: their order, best or newest first.
        limit: how many.
        after: where the part before ended.
    """
    private_of: Sequence[str] | None = [name for name, role in actor.roles.items() if role >= Role.READ]
    if actor.only_repos is not None:
        private_of = []
    elif actor.is_hub_admin:
        private_of = None
    wanted = Wanted(private_of, owners, [repo.key for repo in holding])
    week = clock.iso(datetime.now(UTC) - _WEEK)
    with hub.registry.read() as db:
        found = rows.listing(db, wanted, sort=sort, week=week, limit=limit + 1, after=after)
        part = [collection for collection, _ in found[:limit]]
        held = rows.items(db, [collection.id for collection in part])
        votes = rows.voted(db, [collection.id for collection in part], actor.name or "")
    following = (found[limit - 1][1], found[limit - 1][0].id) if len(found) > limit else None
    shown = (
        Shown(it, tuple(_visible(actor, held[it.id]))[:IN_LISTS], it.id in votes, may_write(actor, it.owner))
        for it in part
    )
    return Listed(tuple(shown), following)


class Change(Protocol):
    """Something to do to a collection within its transaction; gives the columns to change."""

    def __call__(self, db: Connection, collection: Collection) -> dict[str, object]:
        """Do it."""


def update(
    hub: Hub,
    actor: Actor,
    namespace: str,
    slug: str,
    *,
    title: str | None = None,
    description: str | None = None,
    theme: str | None = None,
    private: bool | None = None,
    position: int | None = None,
) -> Shown:
    """Change what is given. Raises as :func:`create`, and ``NotFound``."""
    wanted: dict[str, object] = {
        "title": None if title is None else check_title(title),
        "description": None if description is None else check_description(description),
        "theme": None if theme is None else check_theme(theme),
        "private": private,
    }

    def change(db: Connection, collection: Collection) -> dict[str, object]:
        others = [other for other in rows.of_owner(db, collection.owner) if other.id != collection.id]
        if title is not None:
            _refuse_title(others, str(wanted["title"]))
        if position is not None:
            others.insert(_place(position, len(others)), collection)
            for place, other in enumerate(others):
                rows.update(db, other.id, position=place)
        return {name: value for name, value in wanted.items() if value is not None}

    return _change(hub, actor, namespace, slug, change)


def delete(hub: Hub, actor: Actor, namespace: str, slug: str) -> None:
    """Delete a collection, not what it holds. Raises ``NotFound``, ``Unauthenticated``, ``Forbidden``."""
    with hub.registry.write() as db:
        collection = _readable(db, actor, namespace, slug)
        access.require_write_owned(actor, collection.owner)
        rows.delete(db, collection.id)


def add_item(hub: Hub, actor: Actor, namespace: str, slug: str, *, type: str, name: str, note: str = "") -> Shown:
    """Add a repo or another collection at the end.

    Raises:
        NotFound: there is no such collection or thing for this actor.
        Invalid: things of this type are not kept here, or the note is too long.
        Conflict: it is in there.
        TooLarge: the collection is full.
        Unauthenticated, Forbidden: as :func:`glasshub.access.require_write_owned`.
    """
    note = check_note(note)
    if type not in ("model", "dataset", "collection"):
        raise Invalid(f"A collection here holds models, datasets and collections; this hub has no {type[:40]}s.")

    def change(db: Connection, collection: Collection) -> dict[str, object]:
        held = rows.items(db, [collection.id])[collection.id]
        if len(held) >= MOST_ITEMS:
            raise TooLarge(f"A collection holds at most {MOST_ITEMS} items. Remove one, or begin another collection.")
        thing = _thing(db, actor, type, name)
        if thing in [(item.repo.key if item.repo else item.child.id if item.child else "") for item in held]:
            raise Conflict(f"{name} is in this collection.")
        if thing == collection.id:
            raise Invalid("A collection cannot hold itself.")
        target = {"repo": None, "child": thing} if type == "collection" else {"repo": thing, "child": None}
        place = max((item.position for item in held), default=-1) + 1
        values = {"id": secrets.token_hex(12), "collection": collection.id, "note": note, "position": place}
        rows.add_item(db, {**values, **target})
        return {}

    return _change(hub, actor, namespace, slug, change)


def update_item(
    hub: Hub,
    actor: Actor,
    namespace: str,
    slug: str,
    item_id: str,
    *,
    note: str | None = None,
    position: int | None = None,
) -> Shown:
    """Change the note of an item, or its place among those that the actor sees. Raises as :func:`add_item`."""
    text = None if note is None else check_note(note)

    def change(db: Connection, collection: Collection) -> dict[str, object]:
        held = rows.items(db, [collection.id])[collection.id]
        item = _item(actor, held, item_id)
        if text is not None:
            rows.update_item(db, item.id, note=text)
        if position is not None:
            for place, other in enumerate(_moved(actor, held, item, position)):
                rows.update_item(db, other.id, position=place)
        return {}

    return _change(hub, actor, namespace, slug, change)


def remove_item(hub: Hub, actor: Actor, namespace: str, slug: str, item_id: str) -> Shown:
    """Take an item out. Raises as :func:`add_item`."""

    def change(db: Connection, collection: Collection) -> dict[str, object]:
        held = rows.items(db, [collection.id])[collection.id]
        rows.delete_item(db, _item(actor, held, item_id).id)
        return {}

    return _change(hub, actor, namespace, slug, change)


def vote(hub: Hub, actor: Actor, namespace: str, slug: str, *, up: bool) -> Shown:
    """Vote for a collection, or take it back; again changes nothing. Raises ``NotFound``, ``Unauthenticated``."""
    with hub.registry.write() as db:
        collection = _readable(db, actor, namespace, slug)
        if actor.name is None:
            raise Unauthenticated("Sign in to vote for collections: send a token with scope write.")
        access.require_write_owned(actor, actor.name)  # with any token that may write at all
        rows.vote(db, collection.id, actor.name, clock.now(), up=up)
        return _show(db, actor, _found(rows.find(db, collection.id)))


def may_write(actor: Actor, owner: str) -> bool:
    """Whether the actor may keep collections of ``owner``."""
    return (
        actor.signed_in
        and actor.scope == "write"
        and actor.only_repos is None
        and access.role_on(actor, owner) >= Role.WRITE
    )


def require_write(actor: Actor, collection: Collection) -> None:
    """Return if the actor may change a collection that they see. Raises ``Unauthenticated``, ``Forbidden``."""
    access.require_write_owned(actor, collection.owner)


def _change(hub: Hub, actor: Actor, namespace: str, slug: str, change: Change) -> Shown:
    with hub.registry.write() as db:
        collection = _readable(db, actor, namespace, slug)
        access.require_write_owned(actor, collection.owner)
        rows.update(db, collection.id, **change(db, collection), updated_at=clock.now())
        return _show(db, actor, _found(rows.find(db, collection.id)))


def _readable(db: Connection, actor: Actor, namespace: str, slug: str) -> Collection:
    found = rows.find(db, id_in(slug))
    if (
        found is None
        or found.owner.lower() != namespace.lower()
        or not access.may_read_owned(actor, found.owner, private=found.private)
    ):
        raise NotFound(f"There is no collection {namespace}/{slug}. Check the address; sign in if it is private.")
    return found


def _show(db: Connection, actor: Actor, collection: Collection) -> Shown:
    held = rows.items(db, [collection.id])[collection.id]
    upvoted = bool(rows.voted(db, [collection.id], actor.name or ""))
    return Shown(collection, tuple(_visible(actor, held)), upvoted, may_write(actor, collection.owner))


def _visible(actor: Actor, items: Iterable[Item]) -> list[Item]:
    """The items that exist for the actor, numbered without gaps."""
    shown = [item for item in items if _may_see(actor, item)]
    return [Item(it.id, it.repo, it.child, it.note, place) for place, it in enumerate(shown)]


def _may_see(actor: Actor, item: Item) -> bool:
    if item.repo is not None:
        return access.may_read(actor, item.repo)
    child = item.child
    return child is not None and access.may_read_owned(actor, child.owner, private=child.private)


def _item(actor: Actor, held: Iterable[Item], item_id: str) -> Item:
    for item in held:
        if item.id == item_id and _may_see(actor, item):
            return item
    raise NotFound("The collection has no such item. It may have been removed already.")


def _moved(actor: Actor, held: list[Item], item: Item, position: int) -> list[Item]:
    """All items with one of them at a place among those that the actor sees."""
    rest = [other for other in held if other.id != item.id]
    seen = [other for other in rest if _may_see(actor, other)]
    place = _place(position, len(seen))
    at = rest.index(seen[place]) if place < len(seen) else len(rest)
    return [*rest[:at], item, *rest[at:]]


def _place(position: int, most: int) -> int:
    return max(0, min(position, most))


def _thing(db: Connection, actor: Actor, type: str, name: str) -> str:
    """The key of a repo, or the id of a collection, that the actor may see. Raises ``NotFound``."""
    if type == "collection":
        owner, _, rest = name.partition("/")
        return _readable(db, actor, owner, rest).id
    found = repo_rows.find(db, type, name)
    if found is None or not access.may_read(actor, found):
        raise access.repo_not_found(name)
    return found.key


def _refuse_title(others: Iterable[Collection], title: str) -> None:
    for other in others:
        if other.title.casefold() == title.casefold():
            raise Taken(other.slug)


def _found(collection: Collection | None) -> Collection:
    if collection is None:
        raise NotFound("The collection is gone.")
    return collection
