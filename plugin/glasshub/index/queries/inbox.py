"""What concerns somebody: discussions of the repos they watch, take part in, or are mentioned in; newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index.queries.visible import condition, parameters
from glasshub.index.rows import ThreadRow

MOST = 500  # threads in an inbox: older ones fall out
_REASONS = ("mentioned", "result", "opened", "took part", "watching")


@dataclass(frozen=True, slots=True)
class Interests:
    """Whose inbox it is, and the repos they watch: by lower-cased namespace, by key, less those they ignore."""

    account: str
    namespaces: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


# Threads are discussions, and with number 0 what was decided about a repo's results. ``since`` is the place of the
# first event in them that concerns the reader, ``only`` whether none but that one does.
_WATCHED = (
    "SELECT value FROM json_each(:watched) UNION "
    "SELECT key FROM repos WHERE namespace_lower IN (SELECT value FROM json_each(:namespaces))"
)
_FOUND = f"""
SELECT key, number, updated_at AS at, 0 AS since, 0 AS only, 'watching' AS reason FROM discussions
WHERE key IN ({_WATCHED})
UNION ALL
SELECT key, 0, max(date), 0, 0, 'watching' FROM events
WHERE number = 0 AND type IN ('result-hidden', 'result-shown') AND key IN ({_WATCHED}) GROUP BY key
UNION ALL
SELECT c.key, c.number, coalesce(d.updated_at, e.date), c.place, c.number = 0, c.reason FROM concerns c
LEFT JOIN discussions d ON d.key = c.key AND d.number = c.number
LEFT JOIN events e ON e.key = c.key AND e.place = c.place WHERE c.account = :account
"""
# The last event in it by somebody else.
_PLACE = """
SELECT e.place FROM events e WHERE e.key = f.key AND e.number = f.number AND e.place >= f.since
AND (NOT f.only OR e.place = f.since) AND e.actor != :account COLLATE NOCASE
AND (e.number != 0 OR e.type IN ('result-hidden', 'result-shown')) ORDER BY e.place DESC LIMIT 1
"""
_COLUMNS = (
    "g.key, r.type, r.namespace || '/' || r.name, g.number, coalesce(d.title, ''), coalesce(d.pull, 0), "
    "coalesce(d.status, ''), g.reason, e.place, e.id, e.type, e.actor, e.date"
)


def inbox(db: Database, see: Visibility, who: Interests) -> list[ThreadRow]:
    """The threads that concern somebody and that they may read, the one with the newest event of others first."""
    query = (
        f"SELECT {_COLUMNS} FROM ({_threads(see)}) g JOIN events e ON e.key = g.key AND e.place = g.place "
        "JOIN repos r ON r.key = g.key LEFT JOIN discussions d ON d.key = g.key AND d.number = g.number"
    )
    best: dict[tuple[str, int], ThreadRow] = {}
    for key, type, repo_id, number, title, is_pull, *rest in db.execute(query, _values(see, who, MOST)):
        row = ThreadRow(key, type, repo_id, number, title, bool(is_pull), *rest)
        other = best.get((key, number), row)
        newest, reason = max(row, other, key=_place), min(row.reason, other.reason, key=_REASONS.index)
        best[key, number] = replace(newest, reason=reason)
    return sorted(best.values(), key=lambda row: (row.date, row.key, row.number), reverse=True)[:MOST]


def latest(db: Database, see: Visibility, who: Interests, *, most: int = MOST) -> dict[tuple[str, int], int]:
    """The newest of the same threads with no more than the place of that event: (repo key, number) -> place."""
    found: dict[tuple[str, int], int] = {}
    query = f"SELECT key, number, place FROM ({_threads(see)}) WHERE place IS NOT NULL"
    for key, number, place in db.execute(query, _values(see, who, most)):
        found[key, number] = max(place, found.get((key, number), 0))
    return found


def last_place(db: Database, key: str, number: int) -> int:
    """The place of the last event of a thread (-1 when there is none). The caller has checked access."""
    row = db.execute("SELECT max(place) FROM events WHERE key = ? AND number = ?", [key, number]).fetchone()
    return -1 if row[0] is None else int(row[0])


def concerns(db: Database, account: str, key: str, number: int) -> bool:
    """Whether somebody (lower-cased) takes part in a thread, is mentioned in it, or proposed what it is about."""
    query = "SELECT 1 FROM concerns WHERE key = ? AND number = ? AND account = ?"
    return db.execute(query, [key, number, account]).fetchone() is not None


def _threads(see: Visibility) -> str:
    # First which threads changed last, then by whom: the second is asked for few of them only.
    newest = (
        f"SELECT f.* FROM ({_FOUND}) f JOIN repos m ON m.key = f.key WHERE {condition(see, 'm.scope', 'm.key')} "
        "AND f.key NOT IN (SELECT value FROM json_each(:ignored)) ORDER BY f.at DESC LIMIT :most"
    )
    return f"SELECT f.*, ({_PLACE}) AS place FROM ({newest}) f"


def _values(see: Visibility, who: Interests, most: int) -> dict[str, Any]:
    return parameters(
        see,
        account=who.account,
        namespaces=json.dumps(who.namespaces),
        watched=json.dumps(who.watched),
        ignored=json.dumps(who.ignored),
        most=2 * most,  # a thread may be found twice, for two reasons
    )


def _place(row: ThreadRow) -> int:
    return row.place
