"""Passwords, tokens and sessions: made, checked, ended. Secrets are never stored, only their digests.

Tokens and session secrets carry more than 190 bits of randomness, so one SHA-256 is enough to keep them;
passwords do not, so they get argon2id.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from glasshub import clock
from glasshub.errors import Invalid, NotFound, Unauthenticated
from glasshub.hub import Hub
from glasshub.registry import credentials as rows

PREFIX = "hf_"  # the shape stock clients and secret scanners know
_ALPHABET = string.ascii_letters + string.digits
_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("no account has this password")
_REMEMBER_USE_AFTER = timedelta(minutes=1)
INVALID = "Invalid credentials in Authorization header"


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
        Invalid: an empty name, an unknown scope or a number of days that is not positive.
    """
    if not name.strip() or len(name) > 100:
        raise Invalid("Give the token a name of at most 100 characters, so that you know it again.")
    if scope not in ("read", "write"):
        raise Invalid(f"The scope of a token is read or write, not {scope!r}.")
    if days is not None and not 1 <= days <= 3650:
        raise Invalid("A token may live for 1 to 3650 days; leave the days out for one that does not expire.")
    secret = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(34))
    expires = clock.iso(datetime.now(UTC) + timedelta(days=days)) if days is not None else ""
    values = {
        "id": secrets.token_hex(8),
        "digest": _digest(secret),
        "account": user.lower(),
        "name": name.strip(),
        "scope": scope,
        "created_at": clock.now(),
        "expires_at": expires,
        "last_used_at": "",
        "hint": secret[-4:],
        "only_repos": "" if only_repos is None else json.dumps(list(only_repos)),
    }
    with hub.registry.write() as db:
        rows.add_token(db, values)
    return secret, _info(values)


def tokens(hub: Hub, user: str) -> list[TokenInfo]:
    """A user's tokens, newest first."""
    with hub.registry.read() as db:
        return [_info(row) for row in rows.tokens_of(db, user)]


def revoke_token(hub: Hub, user: str, token_id: str) -> None:
    """Revoke at once. Raises ``NotFound`` when it is not this user's."""
    with hub.registry.write() as db:
        if not rows.delete_token(db, user, token_id):
            raise NotFound(f"{user} has no token {token_id}. It may have been revoked already.")


def token_owner(hub: Hub, secret: str) -> TokenInfo:
    """The live token with this secret. Raises ``Unauthenticated``."""
    with hub.registry.read() as db:
        row = rows.token_by_digest(db, _digest(secret))
    if row is None or (row["expires_at"] and row["expires_at"] <= clock.now()):
        raise Unauthenticated(INVALID)
    _remember_use(hub, row)
    return _info(row)


def _remember_use(hub: Hub, row: Mapping[str, Any]) -> None:
    # At most one write a minute per token: reading must not turn into writing.
    if row["last_used_at"] <= clock.iso(datetime.now(UTC) - _REMEMBER_USE_AFTER):
        with hub.registry.write() as db:
            rows.touch_token(db, row["id"], clock.now())


def check_password(password: str) -> str:
    """The password, if it is acceptable. Raises ``Invalid``."""
    if not 8 <= len(password) <= 1000:
        raise Invalid("A password has 8 to 1,000 characters. A few random words make a good one.")
    return password


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _HASHER.hash(password)


def password_matches(hashed: str, password: str) -> bool:
    """Whether the password has this hash; takes as long when there is no hash at all."""
    try:
        _HASHER.verify(hashed or _NOBODY, password[:1000])
    except (VerifyMismatchError, InvalidHashError):
        return False
    return bool(hashed)


def start_session(hub: Hub, name: str) -> str:
    """Open a browser session; returns the secret for the cookie (stored hashed)."""
    secret = secrets.token_urlsafe(32)
    expires = clock.iso(datetime.now(UTC) + timedelta(seconds=hub.settings.session_seconds))
    with hub.registry.write() as db:
        rows.add_session(db, _digest(secret), name, expires, now=clock.now())
    return secret


def session_owner(hub: Hub, secret: str) -> str | None:
    """The lower-cased user of a live session, or ``None``."""
    with hub.registry.read() as db:
        return rows.session_user(db, _digest(secret), now=clock.now())


def end_session(hub: Hub, secret: str) -> None:
    """Sign out."""
    with hub.registry.write() as db:
        rows.delete_session(db, _digest(secret))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _info(row: Mapping[str, Any]) -> TokenInfo:
    only = row["only_repos"]
    return TokenInfo(
        row["id"], row["account"], row["name"], row["scope"], row["created_at"], row["expires_at"],
        row["last_used_at"], row["hint"], tuple(json.loads(only)) if only else None,
    )  # fmt: skip
