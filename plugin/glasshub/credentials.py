"""Passwords, tokens and sessions: made, checked, ended. Secrets are never stored, only their digests.

Tokens and session secrets carry more than 190 bits of randomness, so one SHA-256 is enough to keep them;
passwords do not, so they get argon2id.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import string
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection

from glasshub import clock, names
from glasshub.errors import Busy, Invalid, NotFound, Unauthenticated
from glasshub.hub import Hub
from glasshub.registry import credentials as rows
from glasshub.registry import device_codes, people

PREFIX = "hf_"  # the shape stock clients and secret scanners know
_ALPHABET = string.ascii_letters + string.digits
_HASHER = PasswordHasher()
_LONGEST = 1000
_REMEMBER_USE_AFTER = timedelta(minutes=1)
INVALID = "Invalid credentials in Authorization header"  # stock clients look for exactly these words


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token without its secret.

    ``id`` is public; ``expires_at`` is ``""`` for never; ``hint`` the secret's last 4 characters;
    ``only_repos`` holds repo keys, or is ``None`` when the token is not limited to some repos.
    """

    id: str
    account: str
    name: str
    scope: Literal["read", "write"]
    created_at: str
    expires_at: str
    last_used_at: str
    hint: str
    only_repos: tuple[str, ...] | None = None


def create_token(
    hub: Hub,
    user: str,
    *,
    name: str = "token",
    scope: Literal["read", "write"] = "write",
    days: int | None = None,
    only_repos: Sequence[str] | None = None,
) -> tuple[str, TokenInfo]:
    """Make a token; the secret (``hf_`` + 34 characters) is returned once and stored hashed.

    Args:
        hub: the hub.
        user: whose token it is.
        name: a label for people.
        scope: ``read`` or ``write``.
        days: how long it lives; for ever when ``None``.
        only_repos: keys of the repos it is limited to.

    Raises:
        Invalid: an empty name, an unknown scope or a number of days out of range.
        AccountNotFound: there is no such user.
    """
    with hub.registry.write() as db:
        return issue_token(db, user, name=name, scope=scope, days=days, only_repos=only_repos)


def issue_token(
    db: Connection,
    user: str,
    *,
    name: str,
    scope: Literal["read", "write"],
    days: int | None = None,
    only_repos: Sequence[str] | None = None,
) -> tuple[str, TokenInfo]:
    """As :func:`create_token`, within the transaction of ``db``."""
    label = names.label(name)
    if not label:
        raise Invalid("Give the token a name, so that you know it again.")
    if scope not in ("read", "write"):
        raise Invalid(f"The scope of a token is read or write, not {scope!r}.")
    if days is not None and not 1 <= days <= 3650:
        raise Invalid("A token may live for 1 to 3650 days; leave the days out for one that does not expire.")
    secret = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(34))
    expires = clock.iso(datetime.now(UTC) + timedelta(days=days)) if days is not None else ""
    values: dict[str, Any] = {
        "id": secrets.token_hex(8),
        "digest": digest(secret),
        "account": names.folded(people.require_user(db, user).name),
        "name": label,
        "scope": scope,
        "created_at": clock.now(),
        "expires_at": expires,
        "last_used_at": "",
        "hint": secret[-4:],
        "only_repos": "" if only_repos is None else json.dumps(list(only_repos)),
    }
    rows.add_token(db, values)
    return secret, _info(values)


def tokens(hub: Hub, user: str) -> list[TokenInfo]:
    """A user's tokens, newest first."""
    with hub.registry.read() as db:
        return [_info(row) for row in rows.tokens_of(db, user)]


def revoke_token(hub: Hub, user: str, token_id: str) -> None:
    """Revoke at once, with all that came of the same login. Raises ``NotFound`` when it is not this user's."""
    with hub.registry.write() as db:
        family = device_codes.family_of(db, token_id)
        if not rows.delete_token(db, user, token_id):
            raise NotFound(f"{user} has no token {token_id}. It may have been revoked already.")
        if family is not None:
            device_codes.end_family(db, family)


def token_owner(hub: Hub, secret: str) -> TokenInfo:
    """The live token with this secret. Raises ``Unauthenticated``."""
    with hub.registry.read() as db:
        row = rows.token_by_digest(db, digest(secret))
    if row is None or (row["expires_at"] and row["expires_at"] <= clock.now()):
        raise Unauthenticated(INVALID)
    _remember_use(hub, row)
    return _info(row)


def _remember_use(hub: Hub, row: Mapping[str, Any]) -> None:
    # At most one write a minute per token: reading must not turn into writing, nor fail because of others' writes.
    if row["last_used_at"] <= clock.iso(datetime.now(UTC) - _REMEMBER_USE_AFTER):
        with suppress(Busy), hub.registry.write() as db:
            rows.touch_token(db, row["id"], clock.now())


def hash_password(password: str) -> str:
    """The argon2id hash to store. Raises ``Invalid`` for a password too short or too long (8 to 1,000 characters)."""
    if not 8 <= len(password) <= _LONGEST or not _is_text(password):
        raise Invalid(f"A password has 8 to {_LONGEST:,} characters. A few random words make a good one.")
    return _HASHER.hash(_same_everywhere(password))


def password_matches(hashed: str, password: str) -> bool:
    """Whether the password has this hash; takes as long when there is no hash at all."""
    sane = len(password) <= _LONGEST and _is_text(password)
    try:
        _HASHER.verify(hashed or _hash_of_nobody(), _same_everywhere(password) if sane else "")
    except (VerificationError, InvalidHashError):
        return False
    return bool(hashed)


def _is_text(password: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in password)  # undecodable bytes of a terminal


def _same_everywhere(password: str) -> str:
    return unicodedata.normalize("NFKC", password)  # keyboards differ in how they compose a letter (RFC 8265)


@cache
def _hash_of_nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def start_session(hub: Hub, name: str) -> str:
    """Open a browser session; returns the secret for the cookie (stored hashed)."""
    secret = secrets.token_urlsafe(32)
    expires = clock.iso(datetime.now(UTC) + timedelta(seconds=hub.settings.session_seconds))
    with hub.registry.write() as db:
        rows.add_session(db, digest(secret), name, expires, now=clock.now())
    return secret


def session_owner(hub: Hub, secret: str) -> str | None:
    """The lower-cased user of a live session, or ``None``."""
    with hub.registry.read() as db:
        return rows.session_user(db, digest(secret), now=clock.now())


def end_session(hub: Hub, secret: str) -> None:
    """Sign out."""
    with hub.registry.write() as db:
        rows.delete_session(db, digest(secret))


def digest(secret: str) -> str:
    """How a random secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _info(row: Mapping[str, Any]) -> TokenInfo:
    only = row["only_repos"]
    return TokenInfo(
        row["id"], row["account"], row["name"], row["scope"], row["created_at"], row["expires_at"],
        row["last_used_at"], row["hint"], tuple(json.loads(only)) if only else None,
    )  # fmt: skip
