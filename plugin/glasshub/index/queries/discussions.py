"""Discussions and pull requests of one repo, its events, and what is hidden. The caller has checked access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlite_utils import Database

from glasshub import conversation
from glasshub.conversation import Discussion
from glasshub.events import Event
from glasshub.index import recorded
from glasshub.index.rows import DiscussionRow, HiddenRow, Page

Kind = Literal["all", "discussion", "pull_request"]
Status = Literal["all", "open", "closed"]
_COLUMNS = "key, number, pull, title, author, status, created_at, updated_at, comments, pinned, locked"
_HIDDEN = (
    "model_key, id, pull, path, line, dataset_id, task_id, value_text, submitter, git_author, hidden_by, hidden_at, "
    "reason"
)
_MOST_WORDS = 12
_STATUS = {"open": "status IN ('open', 'draft')", "closed": "status IN ('closed', 'merged')"}


@dataclass(frozen=True, slots=True)
class DiscussionFilter:
    """Which discussions to list. ``open`` includes drafts, ``closed`` includes merged ones; ``search`` is words."""

    kind: Kind = "all"
    status: Status = "all"
    author: str = ""
    search: str = ""


def discussions(
    db: Database,
    key: str,
    which: DiscussionFilter | None = None,
    *,
    start: int = 0,
    limit: int = 20,
    pinned: bool = False,
) -> Page[DiscussionRow]:
    """A page of a repo's discussions, newest first (``pinned``: pinned ones before); ``total`` counts all."""
    where, values = _where(key, which or DiscussionFilter())
    order = "pinned DESC, number DESC" if pinned else "number DESC"
    with db.atomic():
        total = db.execute(f"SELECT count(*) FROM discussions WHERE {where}", values).fetchone()[0]
        rows = db.execute(
            f"SELECT {_COLUMNS} FROM discussions WHERE {where} ORDER BY {order} LIMIT :limit OFFSET :start",
            {**values, "limit": max(1, min(limit, 1000)), "start": max(0, start)},
        ).fetchall()
    return Page([_row(row) for row in rows], None, total)


def discussion_counts(db: Database, key: str) -> dict[str, int]:
    """How many there are: ``open`` and ``closed`` (as filters have it), ``discussions``, ``pulls``, ``open_pulls``."""
    row = db.execute(
        "SELECT count(*) FILTER (WHERE status IN ('open', 'draft')), "
        "count(*) FILTER (WHERE status IN ('closed', 'merged')), count(*) FILTER (WHERE NOT pull), "
        "count(*) FILTER (WHERE pull), count(*) FILTER (WHERE pull AND status IN ('open', 'draft')) "
        "FROM discussions WHERE key = ?",
        [key],
    ).fetchone()
    return dict(zip(("open", "closed", "discussions", "pulls", "open_pulls"), row, strict=True))


def discussion(db: Database, key: str, number: int) -> Discussion | None:
    """One discussion or pull request with its comments and timeline."""
    return conversation.discussions(_events(db, key, "AND number = :number", {"number": number})).get(number)


def events(db: Database, key: str) -> list[Event]:
    """All events of a repo, oldest first."""
    return _events(db, key, "", {})


def hidden_results(db: Database, key: str) -> list[HiddenRow]:
    """The results of a model that stand in its files (or open pull requests) and are hidden."""
    rows = db.execute(f"SELECT {_HIDDEN} FROM hidden_results WHERE model_key = ? ORDER BY hidden_at DESC, id", [key])
    return [HiddenRow(*row) for row in rows]


def _events(db: Database, key: str, condition: str, values: dict[str, Any]) -> list[Event]:
    rows = db.execute(
        "SELECT id, type, number, actor, date, data FROM events "
        f"WHERE key = :key AND type != '' {condition} ORDER BY place",
        {"key": key, **values},
    )
    return [recorded.event(*row) for row in rows]


def _where(key: str, which: DiscussionFilter) -> tuple[str, dict[str, Any]]:
    terms, values = ["key = :key"], {"key": key}
    if which.kind != "all":
        terms.append("pull" if which.kind == "pull_request" else "NOT pull")
    if which.status != "all":
        terms.append(_STATUS[which.status])
    if which.author:
        terms.append("author = :author COLLATE NOCASE")
        values["author"] = which.author
    for number, word in enumerate(which.search.lower().split()[:_MOST_WORDS]):
        terms.append(f"instr(words, :word{number})")
        values[f"word{number}"] = word
    return " AND ".join(terms), values


def _row(row: tuple[Any, ...]) -> DiscussionRow:
    key, number, pull, title, author, status, created_at, updated_at, comments, pinned, locked = row
    return DiscussionRow(
        key, number, bool(pull), title, author, status, created_at, updated_at, comments, bool(pinned), bool(locked)
    )
