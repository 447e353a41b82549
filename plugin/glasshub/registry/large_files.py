"""Which repos have which large files, and who has locked paths."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select, tuple_

from glasshub.registry.tables import deleted_large_files, large_files, lfs_locks

_AT_ONCE = 500  # values in one statement


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A large file of a repo: the SHA-256 of its content, size in bytes, and its Xet hash (``""``: a plain file)."""

    sha256: str
    size: int
    xet_hash: str
    added_at: str
    added_by: str


@dataclass(frozen=True, slots=True)
class PathLock:
    """A path that somebody has locked with ``git lfs lock``."""

    id: str
    path: str
    owner: str
    locked_at: str


def add(db: Connection, repo: str, file: LargeFile) -> None:
    """Note that a repo has a file; nothing happens when it has it already."""
    if find(db, repo, [file.sha256]):
        return
    db.execute(
        large_files.insert().values(
            repo=repo, sha256=file.sha256, size=file.size, xet_hash=file.xet_hash, added_at=file.added_at,
            added_by=file.added_by,
        )
    )  # fmt: skip


def find(db: Connection, repo: str, hashes: Collection[str]) -> dict[str, LargeFile]:
    """Those of the files that the repo has, by SHA-256."""
    wanted = sorted(set(hashes))
    found: dict[str, LargeFile] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        rows = db.execute(select(large_files).where((large_files.c.repo == repo) & large_files.c.sha256.in_(part)))
        found.update({row.sha256: _file(row) for row in rows})
    return found


def every(db: Connection, repo: str) -> list[LargeFile]:
    """All files that the repo has, by SHA-256."""
    rows = db.execute(select(large_files).where(large_files.c.repo == repo).order_by(large_files.c.sha256))
    return [_file(row) for row in rows]


def total_size(db: Connection, repo: str) -> int:
    """The bytes of all files that the repo has."""
    return int(db.execute(select(func.sum(large_files.c.size)).where(large_files.c.repo == repo)).scalar() or 0)


def names(db: Connection) -> tuple[set[str], set[str]]:
    """The content that any repo has: SHA-256 of plain files, and Xet hashes of files made of chunks."""
    plain = db.scalars(select(large_files.c.sha256).where(large_files.c.xet_hash == "").distinct())
    chunked = db.scalars(select(large_files.c.xet_hash).where(large_files.c.xet_hash != "").distinct())
    return set(plain), set(chunked)


def page(db: Connection, repo: str, *, after: tuple[str, str] | None, limit: int) -> list[LargeFile]:
    """Files that the repo has, the newest first, after the one with this time and SHA-256."""
    key = tuple_(large_files.c.added_at, large_files.c.sha256)
    query = select(large_files).where(large_files.c.repo == repo)
    if after is not None:
        query = query.where(key < tuple_(*after))
    query = query.order_by(large_files.c.added_at.desc(), large_files.c.sha256.desc()).limit(limit)
    return [_file(row) for row in db.execute(query)]


def delete(db: Connection, repo: str, hashes: Collection[str], *, by: str, at: str) -> int:
    """The repo has these files no more, and that is noted; returns how many it had."""
    had = list(find(db, repo, hashes))
    known = set(deleted(db, repo))
    for sha256 in had:
        db.execute(large_files.delete().where((large_files.c.repo == repo) & (large_files.c.sha256 == sha256)))
        if sha256 not in known:
            noted = {"repo": repo, "sha256": sha256, "deleted_at": at, "deleted_by": by}
            db.execute(deleted_large_files.insert().values(noted))
    return len(had)


def deleted(db: Connection, repo: str) -> dict[str, str]:
    """The files that were deleted from the repo: when, by SHA-256. (Some may have been brought again since.)"""
    columns = (deleted_large_files.c.sha256, deleted_large_files.c.deleted_at)
    return {
        row.sha256: row.deleted_at for row in db.execute(select(*columns).where(deleted_large_files.c.repo == repo))
    }


def locks(db: Connection, repo: str) -> list[PathLock]:
    """The locks of a repo by path."""
    rows = db.execute(select(lfs_locks).where(lfs_locks.c.repo == repo).order_by(lfs_locks.c.path))
    return [PathLock(row.id, row.path, row.owner, row.locked_at) for row in rows]


def add_lock(db: Connection, repo: str, lock: PathLock) -> None:
    """Insert a lock; a path that is locked violates a constraint."""
    db.execute(
        lfs_locks.insert().values(id=lock.id, repo=repo, path=lock.path, owner=lock.owner, locked_at=lock.locked_at)
    )


def delete_lock(db: Connection, repo: str, id: str) -> None:
    """Remove a lock."""
    db.execute(lfs_locks.delete().where((lfs_locks.c.repo == repo) & (lfs_locks.c.id == id)))


def _file(row: Row[tuple[object, ...]]) -> LargeFile:
    return LargeFile(row.sha256, row.size, row.xet_hash, row.added_at, row.added_by)
