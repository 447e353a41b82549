"""What was indexed last, for comparing with what is."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

from sqlite_utils import Database

from glasshub.events import Event, EventType
from glasshub.index.snapshot import LoggedEvent, Observed, Owner


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outside of one repo when it was indexed: registry facts as JSON, names, and refs."""

    facts: str
    names: frozenset[str]
    refs: dict[str, str]

    def equals(self, observed: Observed) -> bool:
        """Whether nothing that the index follows has changed since."""
        same_names = self.names == observed.facts.names
        return same_names and self.facts == observed.facts.as_json() and self.refs == observed.refs


def of(db: Database, key: str) -> Recorded | None:
    """What was recorded of one repo."""
    row = db.execute("SELECT facts FROM indexed WHERE key = ?", [key]).fetchone()
    if row is None:
        return None
    refs = dict(db.execute("SELECT name, target FROM refs WHERE key = ?", [key]).fetchall())
    return Recorded(row[0], names(db, key), refs)


def names(db: Database, key: str) -> frozenset[str]:
    """The lower-cased names, present and former, by which a repo is known."""
    return frozenset(row[0] for row in db.execute("SELECT lower FROM names WHERE key = ?", [key]))


def every(db: Database) -> dict[str, Recorded]:
    """What was recorded, by repo key."""
    refs: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for key, name, target in db.execute("SELECT key, name, target FROM refs"):
        refs[key][name] = target
    known: defaultdict[str, set[str]] = defaultdict(set)
    for key, lower in db.execute("SELECT key, lower FROM names"):
        known[key].add(lower)
    rows = db.execute("SELECT key, facts FROM indexed")
    return {key: Recorded(facts, frozenset(known[key]), refs[key]) for key, facts in rows}


def owners(db: Database) -> dict[str, Owner]:
    """The namespaces, by lower-cased name."""
    rows = db.execute("SELECT lower, name, kind, full_name FROM namespaces")
    return {lower: Owner(name, kind, full_name) for lower, name, kind, full_name in rows}


def commits(db: Database, key: str) -> frozenset[str]:
    """The commits of a dataset's branches and tags, as indexed."""
    return frozenset(row[0] for row in db.execute("SELECT id FROM commits WHERE key = ?", [key]))


def log(db: Database, key: str) -> tuple[LoggedEvent, ...]:
    """The chain of events of a repo, as indexed."""
    rows = db.execute(
        "SELECT commit_id, id, type, number, actor, date, data FROM events WHERE key = ? ORDER BY place", [key]
    )
    return tuple(LoggedEvent(commit, event(*rest) if rest[1] else None) for commit, *rest in rows)


def event(id: str, type: str, number: int, actor: str, date: str, data: str) -> Event:
    """The event in these columns of a row of ``events``."""
    return Event(id, EventType(type), number, actor, date, json.loads(data))
