"""Gated repos in the registry: how they are gated, and who asked for access."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Row, func, select

from glasshub.identity import Gate
from glasshub.names import folded
from glasshub.registry.tables import access_requests, accounts, gates

Status = Literal["pending", "accepted", "rejected"]
STATUSES: tuple[Status, ...] = ("pending", "accepted", "rejected")
_REQUESTS = select(access_requests, accounts.c.name, accounts.c.full_name).join_from(access_requests, accounts)


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Somebody's request for the files of a gated repo.

    Attributes:
        id: 24 hex digits.
        repo: the key of the repo.
        user: who asked, and ``full_name`` as others know them.
        status: ``pending``, ``accepted`` or ``rejected``.
        fields: what they filled in, by the label of the field.
        terms: the commit whose card they agreed to (``""``: they were let in unasked).
        asked_at: when they asked (or were let in).
        decided_at: when the last decision was made, and ``decided_by`` by whom (``""``: by asking alone).
        reason: why they were rejected, for them to read.
    """

    id: str
    repo: str
    user: str
    full_name: str
    status: Status
    fields: Mapping[str, str | bool]
    terms: str
    asked_at: str
    decided_at: str = ""
    decided_by: str = ""
    reason: str = ""


def set_mode(db: Connection, repo: str, mode: Gate, now: str) -> None:
    """Gate a repo, or (``""``) no longer; who asked is remembered."""
    db.execute(gates.delete().where(gates.c.repo == repo))
    if mode:
        db.execute(gates.insert().values(repo=repo, mode=mode, changed_at=now))


def find(db: Connection, repo: str, user: str) -> AccessRequest | None:
    """The request of a user for a repo."""
    mine = (access_requests.c.repo == repo) & (access_requests.c.account == folded(user))
    row = db.execute(_REQUESTS.where(mine)).one_or_none()
    return None if row is None else _request(row)


def by_id(db: Connection, repo: str, id: str) -> AccessRequest | None:
    """A request for a repo by its id."""
    row = db.execute(_REQUESTS.where((access_requests.c.repo == repo) & (access_requests.c.id == id))).one_or_none()
    return None if row is None else _request(row)


def listing(db: Connection, repo: str, status: Status, *, skip: int, limit: int) -> list[AccessRequest]:
    """The requests for a repo with a status, newest first."""
    wanted = (access_requests.c.repo == repo) & (access_requests.c.status == status)
    order = (access_requests.c.asked_at.desc(), access_requests.c.id)
    return [_request(row) for row in db.execute(_REQUESTS.where(wanted).order_by(*order).offset(skip).limit(limit))]


def counts(db: Connection, repo: str) -> dict[Status, int]:
    """How many requests for a repo there are of each status."""
    query = select(access_requests.c.status, func.count()).where(access_requests.c.repo == repo)
    found = {row[0]: int(row[1]) for row in db.execute(query.group_by(access_requests.c.status))}
    return {status: found.get(status, 0) for status in STATUSES}


def put(db: Connection, request: AccessRequest, *, seen: bool) -> None:
    """Insert a request, or replace the one of the same user; ``seen``: whether they know its status."""
    mine = (access_requests.c.repo == request.repo) & (access_requests.c.account == folded(request.user))
    db.execute(access_requests.delete().where(mine))
    db.execute(
        access_requests.insert().values(
            id=request.id,
            repo=request.repo,
            account=folded(request.user),
            status=request.status,
            fields=json.dumps(dict(request.fields), ensure_ascii=False),
            terms=request.terms,
            asked_at=request.asked_at,
            decided_at=request.decided_at,
            decided_by=request.decided_by,
            reason=request.reason,
            seen=seen,
        )
    )


def withdraw(db: Connection, repo: str, user: str) -> bool:
    """Remove the request of a user if nobody has decided it; whether there was one."""
    mine = (access_requests.c.repo == repo) & (access_requests.c.account == folded(user))
    return bool(db.execute(access_requests.delete().where(mine & (access_requests.c.status == "pending"))).rowcount)


def waiting(db: Connection, repos: Collection[str]) -> dict[str, tuple[int, str]]:
    """Of those of the repos that are gated: how many requests are pending (if any), and when the last was made."""
    wanted = access_requests.c.repo.in_(sorted(repos)) & (access_requests.c.status == "pending")
    query = select(access_requests.c.repo, func.count(), func.max(access_requests.c.asked_at))
    rows = db.execute(query.join_from(access_requests, gates, access_requests.c.repo == gates.c.repo).where(wanted)
                      .group_by(access_requests.c.repo))  # fmt: skip
    return {row[0]: (int(row[1]), str(row[2])) for row in rows}


def waiting_anywhere(db: Connection) -> list[str]:
    """The keys of gated repos that somebody waits for."""
    query = select(access_requests.c.repo).join(gates, access_requests.c.repo == gates.c.repo)
    return list(db.scalars(query.where(access_requests.c.status == "pending").distinct()))


def unseen(db: Connection, user: str) -> list[AccessRequest]:
    """The decided requests of a user whose answer they have not seen, newest first."""
    mine = (access_requests.c.account == folded(user)) & ~access_requests.c.seen
    rows = db.execute(_REQUESTS.where(mine).order_by(access_requests.c.decided_at.desc()))
    return [_request(row) for row in rows]


def mark_seen(db: Connection, user: str, id: str = "") -> None:
    """A user has seen the answer to one of their requests, or to all."""
    mine = access_requests.c.account == folded(user)
    db.execute(access_requests.update().where(mine & (access_requests.c.id == id) if id else mine).values(seen=True))


def _request(row: Row[tuple[object, ...]]) -> AccessRequest:
    return AccessRequest(
        row.id, row.repo, row.name, row.full_name, row.status, json.loads(row.fields), row.terms, row.asked_at,
        row.decided_at, row.decided_by, row.reason,
    )  # fmt: skip
