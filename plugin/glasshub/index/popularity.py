"""Copies of what likes and downloads add up to, beside the rows of repos.

They follow the registry by the second and the clock by the day, so they are no part of what a rebuilt index is
compared by; whoever makes an index anew fills them as well.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlite_utils import Database

Sums = tuple[int, int, int, int]
"""Downloads of 30 days and ever, likes, trend."""


def write(db: Database, sums: Mapping[str, Sums], keys: Collection[str] | None) -> int:
    """Make the copies of ``keys`` (all by default) equal to ``sums``; returns how many were not."""
    where, values = ("TRUE", []) if keys is None else ("key IN (SELECT value FROM json_each(?))", [json.dumps([*keys])])
    before = {row[0]: tuple(row[1:]) for row in db.execute(f"SELECT * FROM popularity WHERE {where}", values)}
    changed = {key: numbers for key, numbers in sums.items() if before.get(key) != numbers}
    rows = [(key, *numbers) for key, numbers in changed.items()]
    gone = [(key,) for key in before if key not in sums]
    db.conn.executemany("INSERT OR REPLACE INTO popularity VALUES (?, ?, ?, ?, ?)", rows)
    db.conn.executemany("DELETE FROM popularity WHERE key = ?", gone)
    return len(changed) + len(gone)
