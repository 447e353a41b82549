"""A discussion's events as its page tells them: comments, and notes between them. Pure.

Events come out of git, so nothing is taken for granted about what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glasshub.conversation import Comment, Discussion
from glasshub.events import Event, EventType

MOST_COMMITS = 50  # listed with one event; the page of commits has them all
_HEX = frozenset("0123456789abcdef")
_TOLD_BY_COMMENTS = frozenset({EventType.EDITED, EventType.COMMENT_HIDDEN, EventType.COMMENT_SHOWN})
_STATUS = {"closed": "closed", "draft": "draft", "open": "reopened"}


@dataclass(frozen=True, slots=True)
class Said:
    """A comment in its place; ``opening`` is the first one."""

    comment: Comment
    opening: bool

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""
        return f"comment-{self.comment.id}"


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that an event tells of."""

    oid: str
    subject: str


@dataclass(frozen=True, slots=True)
class Note:
    """What happened between comments.

    Attributes:
        kind: ``opened``, ``pushed``, ``forced``, ``merged``, ``closed``, ``reopened``, ``ready``, ``draft``,
            ``retitled``, ``pinned``, ``unpinned``, ``locked``, ``unlocked``, ``head-deleted`` or ``erased``.
        anchor: the id of its place on the page.
        commits: those that came with it, oldest first; ``more`` were not listed.
        results: how many scores it brought, and ``withdrawn`` took back.
        old: the commit before, or the former title; ``new`` is the one after.
    """

    kind: str
    anchor: str
    actor: str
    date: str
    commits: tuple[Commit, ...] = ()
    more: int = 0
    results: int = 0
    withdrawn: int = 0
    old: str = ""
    new: str = ""
    how: str = ""
    reason: str = ""


def timeline(found: Discussion) -> list[Said | Note]:
    """The comments and notes of a discussion, in order."""
    return list(_items(found))


def _items(found: Discussion) -> Iterator[Said | Note]:
    status = ""
    for event in found.timeline:
        if event.type in (EventType.OPENED, EventType.COMMENTED):
            comment = found.comments.get(event.id)
            if comment is not None:
                yield Said(comment, event.type is EventType.OPENED)
            if event.type is EventType.OPENED:
                status = "draft" if event.data.get("draft") else "open"
                if found.is_pull:
                    yield _note(event, "opened")
        elif event.type is EventType.STATUS:
            asked = _text(event.data, "status")
            yield _note(event, "ready" if (status, asked) == ("draft", "open") else _STATUS.get(asked, asked))
            status = asked
        elif event.type not in _TOLD_BY_COMMENTS:
            yield _note(event, "forced" if event.data.get("forced") else event.type.value)


def _note(event: Event, kind: str) -> Note:
    data = event.data
    commits = _commits(data)
    titled = event.type is EventType.RETITLED
    old, new = ("from", "to") if titled else ("old", "commit" if event.type is EventType.MERGED else "new")
    shown = (_text if titled else _oid)(data, old), (_text if titled else _oid)(data, new)
    if event.type in (EventType.HEAD_DELETED, EventType.OPENED):
        shown = "", _oid(data, "head")
    return Note(
        kind, f"event-{event.id}", event.actor, event.date, commits[:MOST_COMMITS], max(0, len(commits) - MOST_COMMITS),
        _count(data, "results"), _count(data, "withdrawn"), *shown, _text(data, "how"), _text(data, "reason"),
    )  # fmt: skip


def _commits(data: Mapping[str, Any]) -> tuple[Commit, ...]:
    listed = data.get("commits")
    items = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return tuple(Commit(oid, _text(item, "subject")) for item in items if (oid := _oid(item, "oid")))


def _count(data: Mapping[str, Any], key: str) -> int:
    found = data.get(key)
    return len(found) if isinstance(found, list) else 0


def _text(data: Mapping[str, Any], key: str) -> str:
    found = data.get(key)
    return found if isinstance(found, str) else ""


def _oid(data: Mapping[str, Any], key: str) -> str:
    found = _text(data, key)
    return found if len(found) == 40 and set(found) <= _HEX else ""
