"""The registry's database: one engine per process, short transactions, errors in the hub's own family."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, OperationalError

from glasshub.errors import Busy, Conflict, GlasshubError, Invalid
from glasshub.registry import tables

BUSY_SECONDS = 30
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class Registry:
    """Identity and secrets. Functions in this package take the open connection; callers own the transaction.

    Args:
        url: an SQLAlchemy URL (``sqlite:///file`` or ``postgresql+driver://...``). Tables are created when missing.

    Raises:
        Invalid: the URL is none, or of another database, or its driver is not installed.
        GlasshubError: the database is damaged, or was made by another version of the hub.
    """

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._engine: Engine | None = None
        self._inherited: Engine | None = None
        self._pid = 0
        self._prepare()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading; sees one consistent state. Raises ``Busy``."""
        with _own_errors(), self._current().connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A write transaction (``BEGIN IMMEDIATE`` on SQLite): commits on leaving, rolls back on an error.

        Raises:
            Busy: another writer held the lock too long, or the database cannot be reached.
            Conflict: a name or id that must be unique exists already.
        """
        with (
            _own_errors(),
            self._current().connect().execution_options(glasshub_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        if self._engine is not None and self._pid == os.getpid():
            self._engine.dispose()
        self._engine = None

    def _current(self) -> Engine:
        if self._engine is None or self._pid != os.getpid():
            # A forked process opens its own connections. It must neither use nor close its parent's, so it keeps them.
            self._inherited, self._engine, self._pid = self._engine, _engine(self._url), os.getpid()
        return self._engine

    def _prepare(self) -> None:
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            Path(self._url.database).touch(mode=0o600)  # before SQLite would make it readable for others
        try:
            if self._is_complete():
                return
            with self.write() as connection:
                tables.metadata.create_all(connection)
                if _version(connection) is None:
                    connection.execute(tables.meta.insert().values(key="schema", value=tables.SCHEMA_VERSION))
        except DatabaseError as error:
            raise GlasshubError(f"The registry {self._url!r} cannot be read: {error.orig}.") from error

    def _is_complete(self) -> bool:
        # Looked up by reading: a command must not wait for a writer only to find that nothing is to be done.
        with self.read() as connection:
            present = set(inspect(connection).get_table_names())
            version = _version(connection) if tables.meta.name in present else None
        if version not in (None, tables.SCHEMA_VERSION):
            raise GlasshubError(
                f"The registry has schema {version}, and this version of glasshub needs {tables.SCHEMA_VERSION}. "
                "Use the version of glasshub that made it."
            )
        return version is not None and present >= set(tables.metadata.tables)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Invalid("The setting database is no database URL. Leave it empty, or see docs/settings.md.") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise Invalid(f"The setting database names {parsed.get_backend_name()}; use sqlite or postgresql.")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise Invalid("The setting database names a database in memory; name a file: sqlite:////path/to/file.")
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        # As many connections as there are threads: waiting for one could only add to the wait for the lock.
        engine = create_engine(url, max_overflow=-1)
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        return engine
    try:
        return create_engine(url, max_overflow=-1, pool_pre_ping=True, isolation_level="SERIALIZABLE")
    except ModuleNotFoundError as error:
        raise Invalid(f"The setting database needs the package {error.name}. Install it beside glasshub.") from error


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # pysqlite must not begin on its own: a deferred BEGIN fails under contention
    for pragma in (f"busy_timeout={BUSY_SECONDS * 1000}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("glasshub_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _version(connection: Connection) -> str | None:
    return connection.scalar(select(tables.meta.c.value).where(tables.meta.c.key == "schema"))


@contextmanager
def _own_errors() -> Iterator[None]:
    """The one place that turns the database's errors into the hub's."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("That name is taken. Choose another.") from error
    except DataError as error:
        raise Invalid("This value cannot be stored. Use ordinary text without control characters.") from error
    except OperationalError as error:
        if _passes(error.orig):
            raise Busy("The registry is busy or cannot be reached. Try again in a moment.") from error
        raise GlasshubError(f"The registry cannot be used ({error.orig}). See to its disk and its rights.") from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # the other kinds are mistakes in our own code
            raise
        raise GlasshubError(f"The registry is damaged ({error.orig}). Restore it from a backup.") from error


def _passes(error: BaseException | None) -> bool:
    """Whether trying again may help: SQLite's lock; with a database server everything operational."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED
    return True
