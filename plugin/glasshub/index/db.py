"""The index file: one connection per thread, WAL, writers queue by ``BEGIN IMMEDIATE``."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from glasshub.errors import Busy
from glasshub.index import schema

BUSY_SECONDS = 30
PRAGMAS = (
    f"busy_timeout = {BUSY_SECONDS * 1000}",
    "journal_mode = WAL",
    "synchronous = NORMAL",  # losing the last transactions in a power cut is harmless: the next start heals
    "cache_size = -8000",
)


@dataclass(frozen=True, slots=True)
class _Opened:
    thread: threading.Thread
    db: Database


class Index:
    """The index of one node. A file with another schema version is thrown away and made anew (it is a view).

    Args:
        path: the SQLite file; ``reindex`` and start-up fill it.
        scratch: the file is not kept, so nothing waits for the disk.
    """

    def __init__(self, path: Path, *, scratch: bool = False) -> None:
        self.path = path
        self._scratch = scratch
        self._pid = os.getpid()
        self._local = threading.local()
        self._opened: list[_Opened] = []
        self._inherited: list[_Opened] = []
        self._guard = threading.Lock()
        _prepare(path)

    def read(self) -> Database:
        """This thread's connection, for queries."""
        if self._pid != os.getpid():
            self._forget_parent()
        db: Database | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = _connect(self.path)
            if self._scratch:
                db.execute("PRAGMA synchronous = OFF")
            with self._guard:
                self._prune()
                self._opened.append(_Opened(threading.current_thread(), db))
        return db

    @contextmanager
    def moment(self) -> Iterator[Database]:
        """A connection of its own that goes on seeing the index as it is now, whatever is written meanwhile."""
        db = _connect(self.path)
        try:
            db.execute("PRAGMA query_only = ON")
            db.begin()
            db.execute(
                "SELECT count(*) FROM sqlite_schema"
            ).fetchone()  # a transaction sees the state of its first read
            yield db
        finally:
            db.close()

    @contextmanager
    def write(self) -> Iterator[Database]:
        """A write transaction on this thread's connection: commits on leaving, rolls back on an error.

        Raises:
            Busy: another writer held the lock too long.
        """
        db = self.read()
        try:
            # sqlite-utils' atomic() begins deferred: read-then-write would fail at once when two writers meet.
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise Busy(f"The index is busy ({error}). Try again.") from error
        try:
            yield db
        except BaseException:
            db.rollback()
            raise
        db.commit()

    @contextmanager
    def shredding(self) -> Iterator[None]:
        """What this thread deletes from the index meanwhile is overwritten on the disk, in the write-ahead log too."""
        db = self.read()
        db.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            db.execute("PRAGMA secure_delete = OFF")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close all connections of this process."""
        if self._pid != os.getpid():
            self._forget_parent()
        with self._guard:
            for opened in self._opened:
                opened.db.close()
            self._opened.clear()
        self._local = threading.local()

    def _prune(self) -> None:
        for opened in [o for o in self._opened if not o.thread.is_alive()]:
            opened.db.close()
            self._opened.remove(opened)

    def _forget_parent(self) -> None:
        # A forked child must neither use nor close its parent's connections (closing drops the parent's locks).
        self._inherited += self._opened
        self._opened, self._local, self._guard, self._pid = [], threading.local(), threading.Lock(), os.getpid()


def remove_file(path: Path) -> None:
    """Delete an index file; the database first, since SQLite discards a log without one."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path) -> Database:
    # Each thread has its own connection; only close() may come from another one.
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    db = Database(connection, execute_plugins=False)
    for pragma in PRAGMAS:
        db.execute(f"PRAGMA {pragma}")
    return db


def _prepare(path: Path) -> None:
    """Leave a file of this schema at ``path``; two processes that start at once take turns."""
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and _version(path) != schema.VERSION:
            remove_file(path)
        if not path.exists():
            _create(path)


def _version(path: Path) -> int:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
    with suppress(sqlite3.DatabaseError):
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.close()
        return version
    connection.close()
    return -1


def _create(path: Path) -> None:
    path.touch(mode=0o600)  # it holds what private repos say; SQLite would make it readable for others
    db = _connect(path)
    db.executescript(f"BEGIN IMMEDIATE; {schema.DDL} PRAGMA user_version = {schema.VERSION}; COMMIT;")
    db.close()
