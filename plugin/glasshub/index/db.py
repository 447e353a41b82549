"""The index file: one connection per thread, WAL, writers queue by ``BEGIN IMMEDIATE``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database


class Index:
    """The index of one node. A file with another schema version is thrown away and made anew (it is a view).

    Args:
        path: the SQLite file; ``reindex`` and start-up fill it.
    """

    def __init__(self, path: Path) -> None:
        raise NotImplementedError

    def read(self) -> Database:
        """This thread's connection, for queries."""
        raise NotImplementedError

    @contextmanager
    def write(self) -> Iterator[Database]:
        """A write transaction on this thread's connection: commits on leaving, rolls back on an error.

        Raises:
            Busy: another writer held the lock too long.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close all connections of this process."""
        raise NotImplementedError
