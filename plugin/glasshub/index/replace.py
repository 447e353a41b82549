"""Writing a set of rows by its difference from what is stored: unchanged rows cost a comparison, not a write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from glasshub.index.schema import Table

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Replaced:
    """The rows before and after, by primary key."""

    before: Mapping[Row, Row]
    after: Mapping[Row, Row]

    @property
    def removed(self) -> list[Row]:
        """Rows that were there and are gone or different now."""
        return [row for key, row in self.before.items() if self.after.get(key) != row]

    @property
    def added(self) -> list[Row]:
        """Rows that are new or different now."""
        return [row for key, row in self.after.items() if self.before.get(key) != row]

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return self.before != self.after


def replace(db: Database, table: Table, rows: Iterable[Row], where: str, parameters: Sequence[object]) -> Replaced:
    """Make ``rows`` the only ones that match ``where``; a row of that key elsewhere gives way.

    Args:
        db: a connection inside a write transaction.
        table: the table.
        rows: tuples in the order of the table's columns, all matching ``where``; later ones win.
        where: an SQL condition with ``?``.
        parameters: its values.
    """
    found = db.execute(f"{table.select} WHERE {where}", parameters)
    before = {row[: table.keys]: tuple(row) for row in found}
    change = Replaced(before, {row[: table.keys]: row for row in rows})
    gone = [key for key in before if key not in change.after]
    if gone:
        match = " AND ".join(f"{column} = ?" for column in table.key)
        db.conn.executemany(f"DELETE FROM {table.name} WHERE {match}", gone)
    fresh = change.added
    if fresh:
        marks = ", ".join("?" * len(table.columns))
        columns = ", ".join(table.columns)
        db.conn.executemany(f"INSERT OR REPLACE INTO {table.name} ({columns}) VALUES ({marks})", fresh)
    return change
