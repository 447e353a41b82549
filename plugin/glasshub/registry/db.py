"""The registry's database: one engine per process, short transactions, errors in the hub's own family."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError

from glasshub.errors import Busy, Conflict, GlasshubError
from glasshub.registry import tables

BUSY_SECONDS = 30


class Registry:
    """Identity and secrets. Functions in this package take the open connection; callers own the transaction.

    Args:
        url: an SQLAlchemy URL (``sqlite:///...`` or ``postgresql+...``). Tables are created when missing.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engine: Engine | None = None
        self._pid = 0
        self._create()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; sees one consistent state."""
        with self._current().connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction (``BEGIN IMMEDIATE`` on SQLite): commits on leaving, rolls back on an error.

        Raises:
            Busy: another writer held the lock too long.
            Conflict: a name or id that must be unique exists already.
        """
        try:
            with self._current().connect().execution_options(glasshub_write=True) as connection, connection.begin():
                yield connection
        except IntegrityError as error:
            raise Conflict("That name is taken. Choose another.") from error
        except OperationalError as error:
            raise Busy(f"The registry is busy or unavailable ({error.orig}). Try again.") from error

    def close(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _current(self) -> Engine:
        # A forked worker must not share its parent's connections: it opens its own.
        if self._engine is None or self._pid != os.getpid():
            self._engine, self._pid = _engine(self._url), os.getpid()
        return self._engine

    def _create(self) -> None:
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            Path(self._url.database).touch(mode=0o600)
        with self.write() as connection:
            tables.metadata.create_all(connection)
            version = connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "schema"))
            if version is None:
                connection.execute(tables.meta.insert().values(key="schema", value=str(tables.SCHEMA_VERSION)))
            elif version != str(tables.SCHEMA_VERSION):
                raise GlasshubError(
                    f"The registry has schema {version}, this version needs {tables.SCHEMA_VERSION}. Update glasshub."
                )


def _engine(url: Any) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # pysqlite must not begin on its own: a deferred BEGIN fails under contention
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_SECONDS * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("glasshub_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
