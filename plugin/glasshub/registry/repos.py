"""Repos, their old names, benchmark approvals and deletions under way in the registry."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Row, func, select

from glasshub.identity import GATES, Repo
from glasshub.names import folded
from glasshub.registry.tables import deletions, gates, redirects, repos

_REPOS = select(repos, gates.c.mode).select_from(repos.outerjoin(gates))


def add(db: Connection, repo: Repo) -> None:
    """Insert a repo; its name stops redirecting elsewhere."""
    forget_redirect(db, repo.type, repo.repo_id)
    db.execute(
        repos.insert().values(
            key=repo.key,
            type=repo.type,
            namespace=repo.namespace,
            name=repo.name,
            lower=folded(repo.repo_id),
            private=repo.private,
            created_at=repo.created_at,
            creator=repo.creator,
            allow_force_push=repo.allow_force_push,
            pulls_enabled=repo.pulls_enabled,
            approved=False,
        )
    )


def find(db: Connection, type: str, repo_id: str) -> Repo | None:
    """The repo of that name now, or of that old name."""
    lower = folded(repo_id)
    row = db.execute(_REPOS.where((repos.c.type == type) & (repos.c.lower == lower))).one_or_none()
    if row is None:
        key = db.scalar(select(redirects.c.key).where((redirects.c.type == type) & (redirects.c.lower == lower)))
        return None if key is None else by_key(db, key)
    return _repo(row)


def by_key(db: Connection, key: str) -> Repo | None:
    """The repo with this key."""
    row = db.execute(_REPOS.where(repos.c.key == key)).one_or_none()
    return None if row is None else _repo(row)


def by_keys(db: Connection, keys: Collection[str]) -> dict[str, Repo]:
    """Those of some repos that are there, by key."""
    return {row.key: _repo(row) for row in db.execute(_REPOS.where(repos.c.key.in_(sorted(keys))))}


def every(db: Connection) -> list[Repo]:
    """All repos by key."""
    return [_repo(row) for row in db.execute(_REPOS.order_by(repos.c.key))]


def made_by(db: Connection, account: str) -> list[Repo]:
    """The repos that a user made, by key."""
    mine = func.lower(repos.c.creator) == folded(account)
    return [_repo(row) for row in db.execute(_REPOS.where(mine).order_by(repos.c.key))]


def update(db: Connection, key: str, **values: object) -> None:
    """Change columns of one repo."""
    if values:
        db.execute(repos.update().where(repos.c.key == key).values(**values))


def rename(db: Connection, repo: Repo, namespace: str, name: str) -> None:
    """Give a repo a new name; the old one redirects, the new one does not redirect any more."""
    new_id = f"{namespace}/{name}"
    forget_redirect(db, repo.type, new_id)
    update(db, repo.key, namespace=namespace, name=name, lower=folded(new_id))
    if folded(new_id) != folded(repo.repo_id):
        db.execute(redirects.insert().values(type=repo.type, lower=folded(repo.repo_id), key=repo.key))


def delete(db: Connection, key: str) -> None:
    """Remove a repo and its redirects; note that its folder is to go."""
    db.execute(redirects.delete().where(redirects.c.key == key))
    if db.execute(repos.delete().where(repos.c.key == key)).rowcount:
        db.execute(deletions.insert().values(key=key))


def deleted(db: Connection) -> list[str]:
    """The keys of deleted repos whose folders may still be there."""
    return list(db.scalars(select(deletions.c.key).order_by(deletions.c.key)))


def forget_deletion(db: Connection, key: str) -> None:
    """The folder of a deleted repo is gone."""
    db.execute(deletions.delete().where(deletions.c.key == key))


def old_names(db: Connection, key: str) -> list[str]:
    """Lower-cased names that redirect to this repo."""
    return list(db.scalars(select(redirects.c.lower).where(redirects.c.key == key).order_by(redirects.c.lower)))


def every_old_name(db: Connection) -> list[tuple[str, str]]:
    """(key, lower-cased name that redirects to it) of all repos, in order."""
    query = select(redirects.c.key, redirects.c.lower).order_by(redirects.c.key, redirects.c.lower)
    return [(row.key, row.lower) for row in db.execute(query)]


def every_approved(db: Connection) -> set[str]:
    """The keys of all datasets that an admin approved as benchmarks."""
    return set(db.scalars(select(repos.c.key).where(repos.c.approved)))


def approved(db: Connection, key: str) -> bool:
    """Whether an admin approved this dataset as a benchmark."""
    return bool(db.scalar(select(repos.c.approved).where(repos.c.key == key)))


def forget_redirect(db: Connection, type: str, repo_id: str) -> None:
    """Stop redirecting a name."""
    db.execute(redirects.delete().where((redirects.c.type == type) & (redirects.c.lower == folded(repo_id))))


def _repo(row: Row[tuple[object, ...]]) -> Repo:
    return Repo(
        row.key, row.type, row.namespace, row.name, bool(row.private), row.created_at, row.creator,
        bool(row.allow_force_push), bool(row.pulls_enabled), next((mode for mode in GATES if mode == row.mode), ""),
    )  # fmt: skip
