"""Discussions and pull requests as their events make them. Pure: events in, values out, nothing raised.

Whatever the events say, they are folded in order: an event about something that is not there changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from glasshub.events import REPO, Event, EventType

ERASED_TITLE = "(erased)"
Status = Literal["draft", "open", "closed", "merged"]


@dataclass(slots=True)
class Comment:
    """One comment. ``history`` holds its former texts, oldest first, each with the date it was written."""

    id: str
    author: str
    date: str
    body: str
    updated_at: str
    hidden_by: str = ""
    hidden_reason: str = ""
    erased: bool = False
    history: list[tuple[str, str]] = field(default_factory=list)

    @property
    def edited(self) -> bool:
        """Whether the text was changed after it was written."""
        return bool(self.history)

    @property
    def hidden(self) -> bool:
        """Whether only its author and those who moderate should see the text."""
        return bool(self.hidden_by)


@dataclass(slots=True)
class Merge:
    """How a pull request was merged: ``how`` is merge, fast-forward, squash or push; ``onto`` was main before."""

    how: str
    commit: str
    onto: str
    by: str
    date: str
    results: tuple[str, ...] = ()


@dataclass(slots=True)
class Discussion:
    """A discussion, or a pull request (``is_pull``) with its ``head`` (``""`` once its ref is deleted).

    ``timeline`` holds all its events in order; comments are found in ``comments`` by the event's id.
    """

    number: int
    is_pull: bool
    title: str
    author: str
    created_at: str
    updated_at: str
    status: Status
    base: str = ""
    head: str = ""
    head_deleted: bool = False
    pinned: bool = False
    locked: bool = False
    merge: Merge | None = None
    comments: dict[str, Comment] = field(default_factory=dict)
    timeline: list[Event] = field(default_factory=list)

    @property
    def counts_results(self) -> bool:
        """Whether the results that it proposes are shown and ranked."""
        return self.is_pull and self.status == "open" and not self.head_deleted

    @property
    def participants(self) -> list[str]:
        """Who took part, in order of appearance."""
        return list(dict.fromkeys(event.actor for event in self.timeline if event.actor))


@dataclass(frozen=True, slots=True)
class HiddenResult:
    """A result that a writer of the repo has hidden: by whom, when, why, and what was known of it then."""

    id: str
    by: str
    date: str
    reason: str
    about: Mapping[str, Any]


def discussions(events: Iterable[Event]) -> dict[int, Discussion]:
    """All discussions and pull requests of a repo by number."""
    found: dict[int, Discussion] = {}
    for event in events:
        if event.type is EventType.OPENED and event.number != REPO and event.number not in found:
            found[event.number] = _opened(event)
        elif event.number in found:
            _apply(found[event.number], event)
    return found


def hidden_results(events: Iterable[Event]) -> dict[str, HiddenResult]:
    """The results hidden now, by result id."""
    hidden: dict[str, HiddenResult] = {}
    for event in events:
        if event.type not in (EventType.RESULT_HIDDEN, EventType.RESULT_SHOWN):
            continue
        result = str(event.data.get("result", ""))
        if event.type is EventType.RESULT_HIDDEN:
            about = event.data.get("about")
            known = about if isinstance(about, dict) else {}
            reason = str(event.data.get("reason", ""))
            hidden[result] = HiddenResult(result, event.actor, event.date, reason, known)
        else:
            hidden.pop(result, None)
    return hidden


def _opened(event: Event) -> Discussion:
    data = event.data
    found = Discussion(
        number=event.number,
        is_pull=bool(data.get("pull")),
        title=str(data.get("title", "")) or ERASED_TITLE,
        author=event.actor,
        created_at=event.date,
        updated_at=event.date,
        status="draft" if data.get("draft") else "open",
        base=str(data.get("base", "")),
        head=str(data.get("head", "")),
    )
    body = str(data.get("body", ""))
    found.comments[event.id] = Comment(event.id, event.actor, event.date, body, event.date, erased=_erased(event))
    found.timeline.append(event)
    return found


def _apply(on: Discussion, event: Event) -> None:
    on.timeline.append(event)
    on.updated_at = max(on.updated_at, event.date)
    data = event.data
    match event.type:
        case EventType.COMMENTED:
            body = str(data.get("body", ""))
            on.comments[event.id] = Comment(event.id, event.actor, event.date, body, event.date, erased=_erased(event))
        case EventType.EDITED | EventType.COMMENT_HIDDEN | EventType.COMMENT_SHOWN:
            _change_comment(on, event)
        case EventType.RETITLED:
            on.title = ERASED_TITLE if _erased(event) else str(data.get("to", on.title))
        case EventType.STATUS:
            _change_status(on, str(data.get("status", "")))
        case EventType.PUSHED:
            on.head, on.head_deleted = str(data.get("new", on.head)), False
        case EventType.MERGED:
            _merge(on, event)
        case EventType.HEAD_DELETED:
            on.head_deleted = True
        case EventType.PINNED | EventType.UNPINNED:
            on.pinned = event.type is EventType.PINNED
        case EventType.LOCKED | EventType.UNLOCKED:
            on.locked = event.type is EventType.LOCKED
        case _:
            pass


def _change_comment(on: Discussion, event: Event) -> None:
    comment = on.comments.get(str(event.data.get("comment", "")))
    if comment is None:
        return
    if event.type is EventType.EDITED:
        comment.history.append((comment.updated_at, comment.body))
        comment.body, comment.updated_at = str(event.data.get("body", "")), event.date
        comment.erased = _erased(event)
    else:
        hides = event.type is EventType.COMMENT_HIDDEN
        comment.hidden_by = event.actor or "-" if hides else ""
        comment.hidden_reason = str(event.data.get("reason", "")) if hides else ""


def _change_status(on: Discussion, status: str) -> None:
    if on.status != "merged" and status in ("open", "closed", "draft"):
        on.status = status  # type: ignore[assignment]


def _merge(on: Discussion, event: Event) -> None:
    data = event.data
    said = data.get("results")
    results = tuple(str(r.get("id", "")) for r in (said if isinstance(said, list) else ()) if isinstance(r, dict))
    commit, onto = str(data.get("commit", "")), str(data.get("onto", ""))
    on.merge = Merge(str(data.get("how", "")), commit, onto, event.actor, event.date, results)
    on.status = "merged"


def _erased(event: Event) -> bool:
    return bool(event.data.get("erased"))
