"""Tokens and sessions in the registry: only digests of secrets are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from glasshub.names import folded
from glasshub.registry.tables import sessions, tokens


def add_token(db: Connection, values: Mapping[str, object]) -> None:
    """Insert one token's row."""
    db.execute(tokens.insert().values(**values))


def token_by_digest(db: Connection, digest: str) -> dict[str, Any] | None:
    """The row of a token, found by the digest of its secret."""
    row = db.execute(select(tokens).where(tokens.c.digest == digest)).one_or_none()
    return None if row is None else row._asdict()


def tokens_of(db: Connection, user: str) -> list[dict[str, Any]]:
    """A user's tokens, newest first."""
    query = select(tokens).where(tokens.c.account == folded(user)).order_by(tokens.c.created_at.desc(), tokens.c.id)
    return [row._asdict() for row in db.execute(query)]


def delete_token(db: Connection, user: str, token_id: str) -> bool:
    """Remove one of the user's tokens; whether there was one."""
    found = db.execute(tokens.delete().where((tokens.c.id == token_id) & (tokens.c.account == folded(user))))
    return found.rowcount > 0


def touch_token(db: Connection, token_id: str, moment: str) -> None:
    """Note when a token was used last."""
    db.execute(tokens.update().where(tokens.c.id == token_id).values(last_used_at=moment))


def add_session(db: Connection, digest: str, user: str, expires_at: str, *, now: str) -> None:
    """Insert a session and drop the expired ones."""
    db.execute(sessions.delete().where(sessions.c.expires_at <= now))
    db.execute(sessions.insert().values(digest=digest, account=folded(user), expires_at=expires_at))


def session_user(db: Connection, digest: str, *, now: str) -> str | None:
    """The lower-cased user of a live session."""
    live = (sessions.c.digest == digest) & (sessions.c.expires_at > now)
    return db.scalar(select(sessions.c.account).where(live))


def delete_session(db: Connection, digest: str) -> None:
    """Remove one session."""
    db.execute(sessions.delete().where(sessions.c.digest == digest))


def delete_sessions_of(db: Connection, user: str) -> None:
    """Remove all sessions of a user."""
    db.execute(sessions.delete().where(sessions.c.account == folded(user)))
