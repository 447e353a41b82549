"""Locks of paths (``git lfs lock``): a note to others that somebody works on a file that cannot be merged.

git-lfs heeds them before it pushes; the hub only keeps them.
"""

from __future__ import annotations

import secrets

from glasshub import access, clock
from glasshub.access import Action
from glasshub.errors import Forbidden, Invalid, NotFound, TooLarge
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.registry import large_files as rows
from glasshub.registry.large_files import PathLock

__all__ = ["MOST_LOCKS", "PathLock", "every", "lock", "unlock"]
MOST_LOCKS = 10_000
_LONGEST = 4096


def every(hub: Hub, repo: Repo) -> list[PathLock]:
    """The locks of a repo by path. (The caller has checked that the reader may see the repo.)"""
    with hub.registry.read() as db:
        return rows.locks(db, repo.key)


def lock(hub: Hub, actor: Actor, repo: Repo, path: str) -> tuple[PathLock, bool]:
    """Lock a path for the actor.

    Returns:
        The lock, and whether it was made now; otherwise it is the one that somebody has already.

    Raises:
        Invalid: it is no path within a repo.
        TooLarge: the repo has too many locks.
        Forbidden, Unauthenticated, RepoNotFound: as the permission table says for writing.
    """
    access.require(actor, Action.WRITE, repo)
    _check(path)
    made = PathLock(secrets.token_hex(16), path, actor.name or "", clock.now())
    with hub.registry.write() as db:
        known = rows.locks(db, repo.key)
        there = next((found for found in known if found.path == path), None)
        if there is not None:
            return there, False
        if len(known) >= MOST_LOCKS:
            raise TooLarge(f"{repo.repo_id} has {MOST_LOCKS:,} locks, which is the most. Unlock some paths.")
        rows.add_lock(db, repo.key, made)
    return made, True


def unlock(hub: Hub, actor: Actor, repo: Repo, id: str, *, force: bool = False) -> PathLock:
    """Remove a lock; that of somebody else only as an admin of the repo, and with ``force``.

    Raises:
        NotFound: there is no such lock.
        Forbidden, Unauthenticated, RepoNotFound: it is not the actor's, or they may not write here.
    """
    access.require(actor, Action.WRITE, repo)
    with hub.registry.write() as db:
        found = next((lock for lock in rows.locks(db, repo.key) if lock.id == id), None)
        if found is None:
            raise NotFound("There is no such lock. Look at git lfs locks.")
        if found.owner.lower() != (actor.name or "").lower():
            if not force:
                raise Forbidden(
                    f"{found.owner} has locked {found.path}. An admin of the repo may unlock it with --force."
                )
            access.require(actor, Action.ADMINISTER, repo)
        rows.delete_lock(db, repo.key, id)
    return found


def _check(path: str) -> None:
    parts = path.split("/")
    if not 0 < len(path) <= _LONGEST or not path.isprintable() or any(part in ("", ".", "..") for part in parts):
        raise Invalid("Lock a path as it stands in the repo, such as weights/model.bin.")
