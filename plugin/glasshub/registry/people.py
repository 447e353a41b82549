"""Accounts and memberships in the registry."""

from __future__ import annotations

from sqlalchemy import Connection, Row, select

from glasshub.errors import AccountNotFound
from glasshub.identity import Account, Role
from glasshub.names import folded
from glasshub.registry.tables import accounts, memberships


def add(db: Connection, account: Account, *, password_hash: str = "") -> None:
    """Insert an account; a taken name violates the primary key."""
    db.execute(
        accounts.insert().values(
            lower=folded(account.name),
            name=account.name,
            kind=account.kind,
            full_name=account.full_name,
            created_at=account.created_at,
            is_admin=account.is_admin,
            disabled=account.disabled,
            password_hash=password_hash,
        )
    )


def find(db: Connection, name: str) -> Account | None:
    """The account of that name, without regard to case."""
    row = db.execute(select(accounts).where(accounts.c.lower == folded(name))).one_or_none()
    return None if row is None else _account(row)


def require(db: Connection, name: str) -> Account:
    """The account of that name. Raises ``AccountNotFound``."""
    found = find(db, name)
    if found is None:
        raise AccountNotFound(f"There is no user or organisation called {name}.")
    return found


def require_user(db: Connection, name: str) -> Account:
    """The user of that name. Raises ``AccountNotFound``."""
    found = require(db, name)
    if found.kind != "user":
        raise AccountNotFound(f"{found.name} is an organisation; name a user.")
    return found


def listing(db: Connection, kind: str) -> list[Account]:
    """All accounts of a kind by name."""
    rows = db.execute(select(accounts).where(accounts.c.kind == kind).order_by(accounts.c.lower))
    return [_account(row) for row in rows]


def password_hash(db: Connection, name: str) -> str:
    """The stored hash (``""`` when there is none)."""
    return db.scalar(select(accounts.c.password_hash).where(accounts.c.lower == folded(name))) or ""


def update(db: Connection, name: str, **values: object) -> None:
    """Change columns of one account."""
    db.execute(accounts.update().where(accounts.c.lower == folded(name)).values(**values))


def roles(db: Connection, user: str) -> dict[str, Role]:
    """Lower-cased organisation -> role of one user."""
    rows = db.execute(select(memberships.c.org, memberships.c.role).where(memberships.c.user == folded(user)))
    return {row.org: Role(row.role) for row in rows}


def memberships_of(db: Connection, *, org: str = "", user: str = "") -> list[tuple[str, str, Role]]:
    """(organisation, user, role) with names as written, by organisation or by user."""
    groups, people = accounts.alias("groups"), accounts.alias("people")
    query = (
        select(groups.c.name.label("org_name"), people.c.name.label("user_name"), memberships.c.role)
        .join(groups, groups.c.lower == memberships.c.org)
        .join(people, people.c.lower == memberships.c.user)
        .order_by(groups.c.lower, people.c.lower)
    )
    query = query.where(memberships.c.org == folded(org)) if org else query.where(memberships.c.user == folded(user))
    return [(row.org_name, row.user_name, Role(row.role)) for row in db.execute(query)]


def set_role(db: Connection, org: str, user: str, role: Role) -> None:
    """Replace a membership; ``Role.NONE`` removes it."""
    same = (memberships.c.org == folded(org)) & (memberships.c.user == folded(user))
    db.execute(memberships.delete().where(same))
    if role is not Role.NONE:
        db.execute(memberships.insert().values(org=folded(org), user=folded(user), role=int(role)))


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(row.name, row.kind, row.full_name, row.created_at, bool(row.is_admin), bool(row.disabled))
