"""Accounts: users, organisations and members, and the actors they become. Rules and use cases."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sqlalchemy import Connection

from glasshub import clock, indexing
from glasshub.credentials import (
    TokenInfo,
    check_password,
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
from glasshub.names import check_account_name
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
    "listing",
    "members",
    "organisations_of",
    "revoke_token",
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
    account = Account(check_account_name(name), "user", full_name[:100], clock.now(), is_admin=admin)
    hashed = hash_password(check_password(password)) if password is not None else ""
    with hub.registry.write() as db:
        people.add(db, account, password_hash=hashed)
    return account


def add_org(hub: Hub, name: str, *, admin: str, full_name: str = "") -> Account:
    """Add an organisation with its first admin. Raises ``Invalid``, ``Conflict``, ``AccountNotFound``."""
    account = Account(check_account_name(name), "org", full_name[:100], clock.now())
    with hub.registry.write() as db:
        first = _user(db, admin)
        people.add(db, account)
        people.set_role(db, account.name, first.name, Role.ADMIN)
    return account


def find(hub: Hub, name: str) -> Account:
    """The account of that name, without regard to case. Raises ``AccountNotFound``."""
    with hub.registry.read() as db:
        return _account(db, name)


def listing(hub: Hub, kind: Literal["user", "org"]) -> list[Account]:
    """All users, or all organisations, by name."""
    with hub.registry.read() as db:
        return people.listing(db, kind)


def set_full_name(hub: Hub, name: str, full_name: str) -> None:
    """Change the name shown beside an account's own (at most 100 characters); the index follows at once."""
    with hub.registry.write() as db:
        people.update(db, _account(db, name).name, full_name=full_name.strip()[:100])
    indexing.sync_namespace(hub, name)


def set_member(hub: Hub, actor: Actor, org: str, user: str, role: Role) -> None:
    """Add a member or change their role (``Role.NONE`` removes); needs ADMIN of the org. The last admin stays.

    Raises ``Forbidden``, ``AccountNotFound``, ``Invalid``.
    """
    with hub.registry.write() as db:
        group, member = _account(db, org), _user(db, user)
        if group.kind != "org":
            raise AccountNotFound(f"{org} is a user, not an organisation; only organisations have members.")
        _require_admin(actor, group)
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
        return _actor(db, _user(db, name), scope=scope)


def actor_from_token(hub: Hub, secret: str) -> tuple[Actor, TokenInfo]:
    """Authenticate a token. Raises ``Unauthenticated("Invalid credentials in Authorization header")``."""
    info = token_owner(hub, secret)
    with hub.registry.read() as db:
        account = people.find(db, info.account)
        if account is None or account.disabled:
            raise Unauthenticated("Invalid credentials in Authorization header")
        only = None if info.only_repos is None else frozenset(info.only_repos)
        return _actor(db, account, scope=info.scope, only_repos=only), info


def actor_from_password(hub: Hub, name: str, password: str) -> Actor:
    """Authenticate a password (same time whether or not the name exists). Raises ``Unauthenticated``."""
    with hub.registry.read() as db:
        account, hashed = people.find(db, name), people.password_hash(db, name)
        known = account is not None and account.kind == "user" and not account.disabled
        if not password_matches(hashed if known else "", password) or account is None:
            raise Unauthenticated("Wrong user name or password. Check both and try again.")
        return _actor(db, account, scope="write")


def actor_from_session(hub: Hub, secret: str) -> Actor | None:
    """The actor of a live session, or ``None``."""
    owner = session_owner(hub, secret)
    if owner is None:
        return None
    with hub.registry.read() as db:
        account = people.find(db, owner)
        return None if account is None or account.disabled else _actor(db, account, scope="write")


def set_password(hub: Hub, name: str, password: str) -> None:
    """Set a password (8 to 1,000 characters, argon2id) and end all sessions. Raises ``Invalid``."""
    hashed = hash_password(check_password(password))
    with hub.registry.write() as db:
        people.update(db, _user(db, name).name, password_hash=hashed)
        credential_rows.delete_sessions_of(db, name)


def _actor(
    db: Connection, account: Account, *, scope: Literal["read", "write"], only_repos: frozenset[str] | None = None
) -> Actor:
    roles = {**people.roles(db, account.name), account.name.lower(): Role.ADMIN}
    return Actor(account.name, MappingProxyType(roles), account.is_admin, scope, only_repos)


def _account(db: Connection, name: str) -> Account:
    found = people.find(db, name)
    if found is None:
        raise AccountNotFound(f"There is no user or organisation called {name}.")
    return found


def _user(db: Connection, name: str) -> Account:
    found = _account(db, name)
    if found.kind != "user":
        raise AccountNotFound(f"{name} is an organisation; name a user.")
    return found


def _require_admin(actor: Actor, group: Account) -> None:
    role = Role.ADMIN if actor.is_hub_admin else actor.roles.get(group.name.lower(), Role.NONE)
    if role < Role.ADMIN or actor.scope != "write" or actor.only_repos is not None:
        raise Forbidden(f"Only admins of {group.name} may change its members.")
