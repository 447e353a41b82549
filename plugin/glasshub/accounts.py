"""Accounts: users, organisations, members, passwords, tokens, sessions. Rules and use cases.

Names: 2-39 characters ``[A-Za-z0-9-_.]``, starting and ending alphanumeric, no ``--`` or ``..``, not ending in
``.git``, unique without regard to case, and not one of ``RESERVED`` (the first path segments of the hub).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from glasshub.hub import Hub
from glasshub.identity import Account, Actor, Role


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token without its secret. ``id`` is public; ``expires_at`` is ``""`` for never; ``hint`` its last 4 characters."""

    id: str
    account: str
    name: str
    scope: Literal["read", "write"]
    created_at: str
    expires_at: str
    last_used_at: str
    hint: str
    only_repos: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an organisation."""

    org: str
    user: str
    role: Role


def add_user(hub: Hub, name: str, *, password: str | None = None, full_name: str = "", admin: bool = False) -> Account:
    """Add a user (without a password they can only use tokens). Raises ``Invalid``, ``Conflict``."""
    raise NotImplementedError


def add_org(hub: Hub, name: str, *, admin: str, full_name: str = "") -> Account:
    """Add an organisation with its first admin. Raises ``Invalid``, ``Conflict``, ``AccountNotFound``."""
    raise NotImplementedError


def find(hub: Hub, name: str) -> Account:
    """The account of that name, without regard to case. Raises ``AccountNotFound``."""
    raise NotImplementedError


def set_member(hub: Hub, actor: Actor, org: str, user: str, role: Role) -> None:
    """Add a member or change their role (``Role.NONE`` removes); needs ADMIN of the org. The last admin stays.

    Raises ``Forbidden``, ``AccountNotFound``, ``Invalid``.
    """
    raise NotImplementedError


def members(hub: Hub, org: str) -> list[Member]:
    """Members by name."""
    raise NotImplementedError


def organisations_of(hub: Hub, user: str) -> list[Member]:
    """The organisations a user is in."""
    raise NotImplementedError


def actor_for(hub: Hub, name: str, *, scope: Literal["read", "write"] = "write") -> Actor:
    """The actor of a user (the CLI and the demo use it). Raises ``AccountNotFound``."""
    raise NotImplementedError


def create_token(
    hub: Hub,
    user: str,
    *,
    name: str = "token",
    scope: Literal["read", "write"] = "write",
    days: int | None = None,
    only_repos: Sequence[str] | None = None,
) -> tuple[str, TokenInfo]:
    """Make a token; the secret (``hf_`` + 34 characters) is returned once and stored hashed."""
    raise NotImplementedError


def tokens(hub: Hub, user: str) -> list[TokenInfo]:
    """A user's tokens, newest first."""
    raise NotImplementedError


def revoke_token(hub: Hub, user: str, token_id: str) -> None:
    """Revoke at once. Raises ``NotFound`` when it is not this user's."""
    raise NotImplementedError


def actor_from_token(hub: Hub, secret: str) -> tuple[Actor, TokenInfo]:
    """Authenticate a token. Raises ``Unauthenticated("Invalid credentials in Authorization header")``."""
    raise NotImplementedError


def actor_from_password(hub: Hub, name: str, password: str) -> Actor:
    """Authenticate a password (same time whether or not the name exists). Raises ``Unauthenticated``."""
    raise NotImplementedError


def set_password(hub: Hub, name: str, password: str) -> None:
    """Set a password (at least 8 characters, argon2id) and end all sessions. Raises ``Invalid``."""
    raise NotImplementedError


def start_session(hub: Hub, name: str) -> str:
    """Open a browser session; returns the secret for the cookie (stored hashed)."""
    raise NotImplementedError


def actor_from_session(hub: Hub, secret: str) -> Actor | None:
    """The actor of a live session, or ``None``."""
    raise NotImplementedError


def end_session(hub: Hub, secret: str) -> None:
    """Sign out."""
    raise NotImplementedError
