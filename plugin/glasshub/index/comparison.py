"""One index against another, row by row: what differs, and taking over what differs."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from glasshub.index.schema import TABLES, Table

MEND = "If this stays so, stop the hub, remove index.sqlite* from its folder, and start it: the index is made anew."


def attach(db: Database, path: Path) -> None:
    """Have the index in the file at ``path`` beside this one, as ``fresh``."""
    db.execute("ATTACH DATABASE ? AS fresh", [str(path)])


def detach(db: Database) -> None:
    """End :func:`attach`, outside a transaction; nothing happens when it did not come to that."""
    if any(name == "fresh" for _, name, _ in db.execute("PRAGMA database_list").fetchall()):
        db.execute("DETACH DATABASE fresh")


def take_over(db: Database) -> None:
    """Make all rows those of ``fresh``, inside a write transaction; rows that are the same are not written."""
    for table in TABLES:
        columns = ", ".join(table.columns)
        db.execute(f"DELETE FROM main.{table.name} AS a WHERE {_missing('fresh', table, table.columns)}")
        db.execute(
            f"INSERT INTO main.{table.name} ({columns}) SELECT {columns} FROM fresh.{table.name} AS a "
            f"WHERE {_missing('main', table, table.key)}"
        )


def differences(db: Database) -> Generator[tuple[str, dict[str, Any], bool], None, None]:
    """Rows without an equal on the other side, as (table, row, whether it is here rather than in ``fresh``)."""
    for table in TABLES:
        columns = ", ".join(table.columns)
        for here, one, other in ((True, "main", "fresh"), (False, "fresh", "main")):
            found = db.execute(
                f"SELECT {columns} FROM {one}.{table.name} AS a WHERE {_missing(other, table, table.columns)}"
            )
            for row in found:
                yield table.name, dict(zip(table.columns, row, strict=True)), here


def damage(db: Database) -> list[str]:
    """What SQLite itself finds wrong with the file (nothing, as a rule)."""
    try:
        found = [" ".join(row[0].split()) for row in db.execute("PRAGMA quick_check(5)") if row[0] != "ok"]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    try:
        db.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        found.append(f"full-text search: {error}")
    return found


def _missing(other: str, table: Table, columns: tuple[str, ...]) -> str:
    """SQL that is true for a row ``a`` whose ``columns`` no row of the other side has (found by primary key)."""
    same = " AND ".join(f"b.{name} {'=' if name in table.key else 'IS'} a.{name}" for name in columns)
    return f"NOT EXISTS (SELECT 1 FROM {other}.{table.name} AS b WHERE {same})"
