"""Deliveries in the registry: what is to be sent, who is sending it, and how it went."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from glasshub.registry.tables import deliveries, webhooks

PENDING, DELIVERED, FAILED, DROPPED = "pending", "delivered", "failed", "dropped"
_EMPTY: Mapping[str, Any] = {
    "attempts": 0, "lease": "", "lease_until": "", "sent_at": "", "milliseconds": 0, "request_headers": "{}",
    "status": 0, "response_headers": "[]", "response_body": "", "error": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as stored; ``number`` is the discussion that it is about (0: none), ``repo`` a key."""

    id: int
    guid: str
    webhook: str
    repo: str
    number: int
    action: str
    scope: str
    body: str
    created_at: str
    state: str
    attempts: int
    next_at: str
    lease: str
    lease_until: str
    sent_at: str
    milliseconds: int
    request_headers: str
    status: int
    response_headers: str
    response_body: str
    error: str


def add(db: Connection, *, guid: str, webhook: str, repo: str, number: int, action: str, scope: str, body: str,
        now: str) -> int:  # fmt: skip
    """Insert a delivery that is to be sent now; returns its id."""
    done = db.execute(
        deliveries.insert().values(
            guid=guid, webhook=webhook, repo=repo, number=number, action=action, scope=scope, body=body,
            created_at=now, state=PENDING, next_at=now, **_EMPTY,
        )
    )  # fmt: skip
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def by_id(db: Connection, webhook: str, id: int) -> Delivery | None:
    """One delivery of a webhook."""
    query = select(deliveries).where(deliveries.c.id == id, deliveries.c.webhook == webhook)
    row = db.execute(query).one_or_none()
    return None if row is None else _delivery(row)


def listing(db: Connection, webhook: str, *, before: int = 0, limit: int = 50) -> list[Delivery]:
    """The deliveries of a webhook, newest first; ``before`` is the id of the last one seen."""
    query = select(deliveries).where(deliveries.c.webhook == webhook)
    if before:
        query = query.where(deliveries.c.id < before)
    return [_delivery(row) for row in db.execute(query.order_by(deliveries.c.id.desc()).limit(limit))]


def numbers(db: Connection, repo: str) -> frozenset[int]:
    """The discussions of a repo (0: none in particular) that deliveries are about, but for its deletion."""
    return frozenset(db.scalars(select(deliveries.c.number).where(_of(repo)).distinct()))


def waiting(db: Connection, webhook: str) -> int:
    """How many deliveries of a webhook are still to be sent."""
    query = select(func.count()).where(deliveries.c.webhook == webhook, deliveries.c.state == PENDING)
    return db.scalar(query) or 0


def is_due(db: Connection, now: str) -> bool:
    """Whether there may be something to send."""
    query = select(deliveries.c.id).where(deliveries.c.state == PENDING, deliveries.c.next_at <= now).limit(1)
    return db.scalar(query) is not None


def claim(db: Connection, *, now: str, until: str, lease: str, limit: int) -> list[Delivery]:
    """Take deliveries that are due, at most one of each webhook and none of one that is being sent to.

    Until ``until`` nobody else takes them. Taking counts as an attempt, so that one that ends its sender ends as well.
    """
    busy = select(deliveries.c.webhook).where(deliveries.c.state == PENDING, deliveries.c.lease_until > now)
    first = (
        select(func.min(deliveries.c.id))
        .where(deliveries.c.state == PENDING, deliveries.c.next_at <= now, deliveries.c.webhook.not_in(busy))
        .group_by(deliveries.c.webhook)
    )
    query = select(deliveries).where(deliveries.c.id.in_(first)).order_by(deliveries.c.id).limit(limit)
    found = [_delivery(row) for row in db.execute(query)]
    db.execute(
        deliveries.update()
        .where(deliveries.c.id.in_([delivery.id for delivery in found]))
        .values(lease=lease, lease_until=until, attempts=deliveries.c.attempts + 1)
    )
    return [replace(delivery, lease=lease, attempts=delivery.attempts + 1) for delivery in found]


def finish(db: Connection, id: int, lease: str, **values: object) -> bool:
    """Write down how it went, and give up the lease; whether it was still held."""
    held = (deliveries.c.id == id) & (deliveries.c.lease == lease)
    done = db.execute(deliveries.update().where(held).values(lease="", lease_until="", **values))
    return done.rowcount > 0


def drop_pending(db: Connection, webhook: str, why: str) -> None:
    """What a webhook was still to be told is not sent any more."""
    mine = (deliveries.c.webhook == webhook) & (deliveries.c.state == PENDING)
    db.execute(deliveries.update().where(mine).values(state=DROPPED, error=why, lease="", lease_until=""))


def forget_repo(db: Connection, repo: str) -> None:
    """Remove everything that was, or was to be, told of a repo, but for its deletion."""
    db.execute(deliveries.delete().where(_of(repo)))


def forget_discussions(db: Connection, repo: str, numbers: Collection[int]) -> None:
    """Remove everything that was, or was to be, told of these discussions of a repo."""
    db.execute(deliveries.delete().where(deliveries.c.repo == repo, deliveries.c.number.in_(list(numbers))))


def prune(db: Connection, *, before: str, keep: int) -> int:
    """Remove what is older than ``before``, and of each webhook all but the newest ``keep``; returns how many went."""
    done = deliveries.c.state != PENDING
    gone = db.execute(deliveries.delete().where(done, deliveries.c.created_at < before)).rowcount
    for webhook in list(db.scalars(select(webhooks.c.id))):
        mine = deliveries.c.webhook == webhook
        newest = select(deliveries.c.id).where(mine).order_by(deliveries.c.id.desc()).offset(keep).limit(1)
        last = db.scalar(newest)
        if last is not None:
            gone += db.execute(deliveries.delete().where(mine, done, deliveries.c.id <= last)).rowcount
    return gone


def _of(repo: str) -> ColumnElement[bool]:
    gone = (deliveries.c.scope == "repo") & (deliveries.c.action == "delete")
    return (deliveries.c.repo == repo) & ~gone


def _delivery(row: Row[tuple[object, ...]]) -> Delivery:
    return Delivery(**row._asdict())
