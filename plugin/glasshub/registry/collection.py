"""Collections, their items and votes in the registry."""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from glasshub.collection import Collection, Item, Sort
from glasshub.identity import Repo
from glasshub.names import folded
from glasshub.registry import repos as repo_rows
from glasshub.registry.tables import accounts, collection_items, collection_votes, collections


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which collections a list has.

    Attributes:
        private_of: lower-cased accounts whose private ones are among them; ``None`` for everybody's.
        owners: accounts whose collections these are; empty for all.
        repos: keys of repos of which they hold one; empty for all.
    """

    private_of: Sequence[str] | None = ()
    owners: Sequence[str] = ()
    repos: Sequence[str] = ()


def add(db: Connection, values: Mapping[str, object]) -> None:
    """Insert a collection."""
    db.execute(collections.insert().values(**values))


def find(db: Connection, id: str) -> Collection | None:
    """The collection with this id."""
    row = db.execute(_select().where(collections.c.id == id)).one_or_none()
    return None if row is None else _collection(row)


def of_owner(db: Connection, owner: str) -> list[Collection]:
    """All collections of an account in its order."""
    mine = _select().where(collections.c.owner == folded(owner))
    return [_collection(row) for row in db.execute(mine.order_by(collections.c.position, collections.c.id))]


def listing(
    db: Connection, wanted: Wanted, *, sort: Sort, week: str, limit: int, after: tuple[Any, str] | None
) -> list[tuple[Collection, Any]]:
    """Collections with what they are sorted by, from a place in that order.

    Args:
        db: the connection.
        wanted: which.
        sort: by the last change, votes since ``week``, votes, or the owner's own order.
        week: the moment from which votes make a trend.
        limit: how many.
        after: the value sorted by, and the id, of the last one before.
    """
    votes = select(func.count()).where(collection_votes.c.collection == collections.c.id)
    by: Any = {
        "lastModified": collections.c.updated_at,
        "upvotes": votes.scalar_subquery(),
        "trending": votes.where(collection_votes.c.voted_at >= week).scalar_subquery(),
        "position": -collections.c.position,
    }[sort]
    query = _select().add_columns(by.label("sorted_by"))
    if wanted.private_of is not None:
        query = query.where(or_(~collections.c.private, collections.c.owner.in_(wanted.private_of)))
    if wanted.owners:
        query = query.where(collections.c.owner.in_([folded(owner) for owner in wanted.owners]))
    if wanted.repos:
        holding = select(collection_items.c.collection).where(collection_items.c.repo.in_(wanted.repos))
        query = query.where(collections.c.id.in_(holding))
    if after is not None:
        query = query.where(or_(by < after[0], (by == after[0]) & (collections.c.id < after[1])))
    rows = db.execute(query.order_by(by.desc(), collections.c.id.desc()).limit(limit))
    return [(_collection(row), row.sorted_by) for row in rows]


def update(db: Connection, id: str, **values: object) -> None:
    """Change columns of one collection."""
    db.execute(collections.update().where(collections.c.id == id).values(**values))


def delete(db: Connection, id: str) -> bool:
    """Remove a collection with its items and votes; whether it was there."""
    return db.execute(collections.delete().where(collections.c.id == id)).rowcount > 0


def items(db: Connection, ids: Some[str]) -> dict[str, list[Item]]:
    """What collections hold, in order, by their ids."""
    mine = select(collection_items).where(collection_items.c.collection.in_(sorted(ids)))
    rows = db.execute(mine.order_by(collection_items.c.position, collection_items.c.id)).all()
    repos = repo_rows.by_keys(db, {row.repo for row in rows if row.repo is not None})
    children = {row.child for row in rows if row.child is not None}
    found = {row.id: _collection(row) for row in db.execute(_select().where(collections.c.id.in_(sorted(children))))}
    held: dict[str, list[Item]] = {id: [] for id in ids}
    for row in rows:
        held[row.collection].append(_item(row, repos, found))
    return held


def add_item(db: Connection, values: Mapping[str, object]) -> None:
    """Insert an item."""
    db.execute(collection_items.insert().values(**values))


def update_item(db: Connection, id: str, **values: object) -> None:
    """Change columns of one item."""
    db.execute(collection_items.update().where(collection_items.c.id == id).values(**values))


def delete_item(db: Connection, id: str) -> None:
    """Remove one item."""
    db.execute(collection_items.delete().where(collection_items.c.id == id))


def vote(db: Connection, id: str, account: str, now: str, *, up: bool) -> None:
    """Note the vote of an account, or take it back."""
    mine = (collection_votes.c.collection == id) & (collection_votes.c.account == folded(account))
    if not up:
        db.execute(collection_votes.delete().where(mine))
    elif db.scalar(select(collection_votes.c.account).where(mine)) is None:
        db.execute(collection_votes.insert().values(collection=id, account=folded(account), voted_at=now))


def voted(db: Connection, ids: Some[str], account: str) -> set[str]:
    """Which of some collections an account voted for."""
    mine = (collection_votes.c.account == folded(account)) & collection_votes.c.collection.in_(sorted(ids))
    return set(db.scalars(select(collection_votes.c.collection).where(mine)))


def _select() -> Select[Any]:
    votes = select(func.count()).where(collection_votes.c.collection == collections.c.id).scalar_subquery()
    named = select(collections, accounts.c.name.label("owner_name"), votes.label("votes"))
    return named.join(accounts, accounts.c.lower == collections.c.owner)


def _collection(row: Row[Any]) -> Collection:
    return Collection(
        row.id, row.owner_name, row.title, row.description, row.theme, bool(row.private), row.position,
        row.updated_at, row.votes,
    )  # fmt: skip


def _item(row: Row[Any], repos: Mapping[str, Repo], found: Mapping[str, Collection]) -> Item:
    return Item(row.id, repos.get(row.repo), found.get(row.child), row.note, row.position)
