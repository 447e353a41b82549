"""Accounts: users, organisations and members, and the actors they become. Rules and use cases."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sqlalchemy import Connection

from glasshub import clock, indexing, names
from glasshub.credentials import (
    INVALID,
    TokenInfo,
    create_token,
    end_session,
    hash_password,
    password_matches,
    revoke_token,
    session_owner,
    start_session,
    token_owner,
    tokens,
)
from glasshub.errors import AccountNotFound, Forbidden, Invalid, Unauthenticated
from glasshub.hub import Hub
from glasshub.identity import Account, Actor, Role
from glasshub.registry import credentials as credential_rows
from glasshub.registry import people

__all__ = [
    "Member",
    "TokenInfo",
    "actor_for",
    "actor_from_password",
    "actor_from_session",
    "actor_from_token",
    "add_org",
    "add_user",
    "create_token",
    "end_session",
    "find",
    "find_user",
    "listing",
    "members",
    "organisations_of",
    "revoke_token",
    "set_admin",
    "set_disabled",
    "set_full_name",
    "set_member",
    "set_password",
    "start_session",
    "tokens",
]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an organisation."""

    org: str
    user: str
    role: Role


def add_user(hub: Hub, name: str, *, password: str | None = None, full_name: str = "", admin: bool = False) -> Account:
    """Add a user (without a password they can only use tokens).

    Raises ``Invalid`` for a bad name or password, ``Conflict`` for a taken name.
    """
    account = Account(names.check_account_name(name), "user", names.label(full_name), clock.now(), is_admin=admin)
    hashed = hash_password(password) if password is not None else ""
    with hub.registry.write() as db:
        people.add(db, account, password_hash=hashed)
    return account


def add_org(hub: Hub, name: str, *, admin: str, full_name: str = "") -> Account:
    """Add an organisation with its first admin. Raises ``Invalid``, ``Conflict``, ``AccountNotFound``."""
    account = Account(names.check_account_name(name), "org", names.label(full_name), clock.now())
    with hub.registry.write() as db:
        first = people.require_user(db, admin)
        people.add(db, account)
        people.set_role(db, account.name, first.name, Role.ADMIN)
    return account


def find(hub: Hub, name: str) -> Account:
    """The account of that name, without regard to case. Raises ``AccountNotFound``."""
    with hub.registry.read() as db:
        return people.require(db, name)


def find_user(hub: Hub, name: str) -> Account:
    """The user of that name. Raises ``AccountNotFound``, also for an organisation."""
    with hub.registry.read() as db:
        return people.require_user(db, name)


def listing(hub: Hub, kind: Literal["user", "org"]) -> list[Account]:
    """All users, or all organisations, by name."""
    with hub.registry.read() as db:
        return people.listing(db, kind)


def set_full_name(hub: Hub, name: str, full_name: str) -> None:
    """Change the name shown beside an account's own (at most 100 characters); the index follows at once."""
    with hub.registry.write() as db:
        people.update(db, people.require(db, name).name, full_name=names.label(full_name))
    indexing.sync_namespace(hub, name)


def set_member(hub: Hub, actor: Actor, org: str, user: str, role: Role) -> None:
    """Add a member or change their role (``Role.NONE`` removes); needs ADMIN of the org. The last admin stays.

    Raises ``Forbidden``, ``AccountNotFound``, ``Invalid``.
    """
    with hub.registry.write() as db:
        group, member = people.require(db, org), people.require_user(db, user)
        if group.kind != "org":
            raise AccountNotFound(f"{org} is a user, not an organisation; only organisations have members.")
        _require_admin(db, actor, group)
        people.set_role(db, group.name, member.name, role)
        if not any(held is Role.ADMIN for _, _, held in people.memberships_of(db, org=group.name)):
            raise Invalid(f"{group.name} needs at least one admin. Make somebody else admin first.")


def members(hub: Hub, org: str) -> list[Member]:
    """Members by name."""
    with hub.registry.read() as db:
        return [Member(*row) for row in people.memberships_of(db, org=org)]


def organisations_of(hub: Hub, user: str) -> list[Member]:
    """The organisations a user is in."""
    with hub.registry.read() as db:
        return [Member(*row) for row in people.memberships_of(db, user=user)]


def actor_for(hub: Hub, name: str, *, scope: Literal["read", "write"] = "write") -> Actor:
    """The actor of a user, for callers that need no password (commands). Raises ``AccountNotFound``."""
    with hub.registry.read() as db:
        return _actor(db, people.require_user(db, name), scope=scope)


def actor_from_token(hub: Hub, secret: str) -> tuple[Actor, TokenInfo]:
    """Authenticate a token. Raises ``Unauthenticated("Invalid credentials in Authorization header")``."""
    info = token_owner(hub, secret)
    with hub.registry.read() as db:
        account = people.find(db, info.account)
        if account is None or account.disabled:
            raise Unauthenticated(INVALID)
        only = None if info.only_repos is None else frozenset(info.only_repos)
        return _actor(db, account, scope=info.scope, only_repos=only), info


def actor_from_password(hub: Hub, name: str, password: str) -> Actor:
    """Authenticate a password (same time whether or not the name exists). Raises ``Unauthenticated``."""
    with hub.registry.read() as db:
        account = people.find(db, name)
        known = account is not None and account.kind == "user" and not account.disabled
        actor = _actor(db, account, scope="write") if known and account else None
        hashed = people.password_hash(db, name) if known else ""
    if not password_matches(hashed, password) or actor is None:
        raise Unauthenticated("Wrong user name or password. Check both and try again.")
    return actor


def actor_from_session(hub: Hub, secret: str) -> Actor | None:
    """The actor of a live session, or ``None``."""
    owner = session_owner(hub, secret)
    if owner is None:
        return None
    with hub.registry.read() as db:
        account = people.find(db, owner)
        return None if account is None or account.disabled else _actor(db, account, scope="write")


def set_password(hub: Hub, name: str, password: str) -> None:
    """Set a password (8 to 1,000 characters) and end all sessions. Raises ``Invalid``, ``AccountNotFound``."""
    hashed = hash_password(password)
    with hub.registry.write() as db:
        people.update(db, people.require_user(db, name).name, password_hash=hashed)
        credential_rows.delete_sessions_of(db, name)


def set_admin(hub: Hub, name: str, admin: bool) -> None:
    """Make a user an admin of the whole hub, or no longer. Raises ``AccountNotFound``."""
    with hub.registry.write() as db:
        people.update(db, people.require_user(db, name).name, is_admin=admin)


def set_disabled(hub: Hub, name: str, disabled: bool) -> None:
    """Shut a user out (sessions end, tokens and password stop working) or let them in again.

    What they own stays. Raises ``AccountNotFound``.
    """
    with hub.registry.write() as db:
        people.update(db, people.require_user(db, name).name, disabled=disabled)
        if disabled:
            credential_rows.delete_sessions_of(db, name)


def _actor(
    db: Connection, account: Account, *, scope: Literal["read", "write"], only_repos: frozenset[str] | None = None
) -> Actor:
    roles = {**people.roles(db, account.name), names.folded(account.name): Role.ADMIN}
    return Actor(account.name, MappingProxyType(roles), account.is_admin, scope, only_repos)


def _require_admin(db: Connection, actor: Actor, group: Account) -> None:
    # By the role as it is now: somebody may have taken it away since the actor was loaded.
    role = Role.ADMIN if actor.is_hub_admin else people.roles(db, actor.name or "").get(names.folded(group.name))
    if role is not Role.ADMIN or actor.scope != "write" or actor.only_repos is not None:
        raise Forbidden(f"Only admins of {group.name} may change its members.")
