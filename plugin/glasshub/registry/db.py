"""The registry's database: one engine, short transactions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection


class Registry:
    """Identity and secrets. Functions in this package take the open connection; callers own the transaction.

    Args:
        url: an SQLAlchemy URL (``sqlite:///...`` or ``postgresql+...``). Tables are created when missing.
    """

    def __init__(self, url: str) -> None:
        raise NotImplementedError

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; sees one consistent state."""
        raise NotImplementedError

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction (``BEGIN IMMEDIATE`` on SQLite): commits on leaving, rolls back on an error.

        Raises:
            Busy: another writer held the lock too long.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError
