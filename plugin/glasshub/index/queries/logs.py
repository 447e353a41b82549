"""Results that may name a log, and commits of benchmarks: for the worker that audits logs, which sees everything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from glasshub.index.schema import NAMES_A_LOG

_ID = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class LoggedResult:
    """A result that may name a log; ``dataset_key`` is ``""`` when its benchmark is not on this hub."""

    model_key: str
    id: str
    commit: str
    extra: dict[str, Any]
    source_url: str
    dataset_key: str
    task_id: str
    dataset_revision: str
    value_text: str


def results_with_logs(db: Database, key: str = "") -> Iterator[LoggedResult]:
    """Every result that may name a log (of one model)."""
    mine = "model_key = ? AND " if key else ""
    rows = db.execute(
        "SELECT model_key, id, commit_id, extra, source_url, dataset_key, task_id, dataset_revision, value_text "
        f"FROM results INDEXED BY results_with_log WHERE {mine}({NAMES_A_LOG})",
        [key] if key else [],
    ).fetchall()
    for model, id, commit, extra, *rest in rows:
        yield LoggedResult(model, id, commit, json.loads(extra) if extra else {}, *rest)


def commit_on_branches(db: Database, key: str, revision: str) -> str:
    """The commit of a dataset's branches and tags that a full or short id names (``""``: none, or several)."""
    prefix = revision.lower()
    if not _ID.fullmatch(prefix):
        return ""
    wanted = "SELECT id FROM commits WHERE key = ? AND id >= ? AND id < ? LIMIT 2"
    found = db.execute(wanted, [key, prefix, f"{prefix}g"]).fetchall()
    return str(found[0][0]) if len(found) == 1 else ""


def names_of(db: Database, key: str) -> frozenset[str]:
    """The lower-cased names, present and former, of a repo."""
    return frozenset(row[0] for row in db.execute("SELECT lower FROM names WHERE key = ?", [key]))


def head_of(db: Database, key: str) -> str:
    """The commit of a repo's ``main`` (``""``: it has none)."""
    row = db.execute("SELECT head FROM repos WHERE key = ?", [key]).fetchone()
    return str(row[0]) if row else ""


def indexed_keys(db: Database) -> frozenset[str]:
    """The keys of all repos that are indexed."""
    return frozenset(row[0] for row in db.execute("SELECT key FROM indexed"))
