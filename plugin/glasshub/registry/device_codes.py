"""Logins of programs under way, and the tokens that renew what they got, in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from glasshub.names import folded
from glasshub.registry.tables import device_codes, refresh_tokens, tokens


def add(db: Connection, values: Mapping[str, object], *, expired_by: str) -> None:
    """Insert a login and drop those that had expired by a moment."""
    db.execute(device_codes.delete().where(device_codes.c.expires_at <= expired_by))
    db.execute(device_codes.insert().values(**values))


def count(db: Connection) -> int:
    """How many logins are under way."""
    return db.scalar(select(func.count()).select_from(device_codes)) or 0


def by_device(db: Connection, digest: str) -> dict[str, Any] | None:
    """The login of the program that holds this code."""
    row = db.execute(select(device_codes).where(device_codes.c.digest == digest)).one_or_none()
    return None if row is None else row._asdict()


def pending(db: Connection, user_digest: str, *, now: str) -> dict[str, Any] | None:
    """The login that waits for the approval of this code."""
    live = (device_codes.c.user_digest == user_digest) & (device_codes.c.expires_at > now)
    row = db.execute(select(device_codes).where(live & (device_codes.c.state == "pending"))).one_or_none()
    return None if row is None else row._asdict()


def decide(db: Connection, user_digest: str, *, state: str, account: str, now: str) -> bool:
    """Approve or deny a login that waits; whether there was one."""
    live = (device_codes.c.user_digest == user_digest) & (device_codes.c.expires_at > now)
    changed = device_codes.update().where(live & (device_codes.c.state == "pending"))
    return db.execute(changed.values(state=state, account=folded(account))).rowcount > 0


def touch(db: Connection, digest: str, now: str) -> None:
    """Note that the program asked."""
    db.execute(device_codes.update().where(device_codes.c.digest == digest).values(polled_at=now))


def take(db: Connection, digest: str) -> bool:
    """Remove a login; whether it was there."""
    return db.execute(device_codes.delete().where(device_codes.c.digest == digest)).rowcount > 0


def add_refresh(db: Connection, values: Mapping[str, object]) -> None:
    """Insert one that renews a token."""
    db.execute(refresh_tokens.insert().values(**values))


def refresh(db: Connection, digest: str) -> dict[str, Any] | None:
    """What renews a token, with the ``account`` and ``name`` of that token."""
    query = select(refresh_tokens, tokens.c.account, tokens.c.name).join(tokens, tokens.c.id == refresh_tokens.c.token)
    row = db.execute(query.where(refresh_tokens.c.digest == digest)).one_or_none()
    return None if row is None else row._asdict()


def use_refresh(db: Connection, digest: str, now: str) -> None:
    """Note the first use of one that renews."""
    unused = (refresh_tokens.c.digest == digest) & (refresh_tokens.c.used_at == "")
    db.execute(refresh_tokens.update().where(unused).values(used_at=now))


def end_family(db: Connection, family: str, *, expired_by: str | None = None) -> None:
    """Remove all tokens that came of one login, or those that have expired by a moment."""
    mine = tokens.c.id.in_(select(refresh_tokens.c.token).where(refresh_tokens.c.family == family))
    db.execute(tokens.delete().where(mine if expired_by is None else mine & (tokens.c.expires_at <= expired_by)))


def family_of(db: Connection, token_id: str) -> str | None:
    """The login that a token came of, if it came of one."""
    return db.scalar(select(refresh_tokens.c.family).where(refresh_tokens.c.token == token_id))
