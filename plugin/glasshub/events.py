"""Events: the public decisions about one repo, each a commit of ``refs/hub/events``. Pure.

docs/events.md describes the format. An event is never changed; what changes a mind is another event. (Erasing
abusive or personal text is the one exception, and leaves a tombstone.)
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from glasshub import clock
from glasshub.errors import Invalid

MAX_TITLE = 200
MAX_BODY = 65_536
MAX_REASON = 500
MOST_RESULTS = 1000  # that one event describes
REPO = 0  # the number under which events stand that are about no discussion
_VERSION = 1
# What is left of an event's data when its words are erased.
_STRUCTURE = frozenset({
    "pull", "draft", "base", "head", "comment", "status", "how", "commit", "onto", "old", "new", "forced", "result",
    "more", "steps", "apart", "added", "removed",
})  # fmt: skip
_RESULTS = frozenset({"results", "withdrawn"})
_ID = re.compile(r"[0-9a-f]{24}")


class EventType(StrEnum):
    """What happened. Values stand in git for ever: add some, change none."""

    OPENED = "opened"
    COMMENTED = "commented"
    EDITED = "edited"
    COMMENT_HIDDEN = "comment-hidden"
    COMMENT_SHOWN = "comment-shown"
    RETITLED = "retitled"
    STATUS = "status"
    PUSHED = "pushed"
    MERGED = "merged"
    HEAD_DELETED = "head-deleted"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    COMMITTED = "committed"
    RESULT_HIDDEN = "result-hidden"
    RESULT_SHOWN = "result-shown"
    SQUASHED = "squashed"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        id: 24 lower-case hex digits, unique in the repo; the opening event's is the id of the opening comment.
        type: what happened.
        number: the discussion it belongs to, :data:`REPO` for none.
        actor: the name of who did it (``""`` after erasure).
        date: when, as in :mod:`glasshub.clock`.
        data: what else there is to say; docs/events.md lists the keys of each type.
    """

    id: str
    type: EventType
    number: int
    actor: str
    date: str
    data: Mapping[str, Any] = field(default_factory=dict)


def new_event(type: EventType, number: int, actor: str, **data: Any) -> Event:
    """An event that happens now. ``data`` must be JSON; empty values are left out."""
    return Event(secrets.token_hex(12), type, number, actor, clock.now(), {k: v for k, v in data.items() if v})


def to_message(event: Event) -> str:
    """The commit message: one line for people (without free text), an empty line, and the event as JSON."""
    about = f"#{event.number}" if event.number else "repo"
    fields = {
        "version": _VERSION, "id": event.id, "type": event.type, "number": event.number, "actor": event.actor,
        "date": event.date, "data": dict(event.data),
    }  # fmt: skip
    return f"{event.type} {about}\n\n{json.dumps(fields, ensure_ascii=False, sort_keys=True)}\n"


def from_message(message: str) -> Event | None:
    """The event in a commit message; ``None`` for what this version does not understand."""
    try:
        found = json.loads(message.partition("\n\n")[2])
        event = Event(
            found["id"], EventType(found["type"]), found["number"], found["actor"], found["date"], found["data"]
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    texts = isinstance(event.actor, str) and isinstance(event.date, str) and isinstance(event.data, dict)
    sane = texts and isinstance(event.id, str) and _ID.fullmatch(event.id) and type(event.number) is int
    return event if sane else None


def check_title(text: str) -> str:
    """A title as it is kept: one line. Raises ``Invalid`` when it is empty or too long."""
    title = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not title:
        raise Invalid("Give it a title.")
    if len(title) > MAX_TITLE:
        raise Invalid(f"The title has {len(title):,} characters; at most {MAX_TITLE} are kept. Shorten it.")
    return title


def check_body(text: str, *, required: bool = False) -> str:
    """A comment as it is kept: text with ``\\n`` line ends. Raises ``Invalid`` when it is empty or too long."""
    body = "".join(c for c in text.replace("\r\n", "\n") if c in "\n\t" or c.isprintable() or c.isspace()).strip()
    if required and not body:
        raise Invalid("The comment is empty. Write something.")
    if len(body) > MAX_BODY:
        raise Invalid(f"The text has {len(body):,} characters; at most {MAX_BODY:,} are kept. Shorten it.")
    return body


def check_reason(text: str) -> str:
    """A reason as it is kept: one line, maybe empty. Raises ``Invalid`` when it is too long."""
    reason = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(reason) > MAX_REASON:
        raise Invalid(f"The reason has {len(reason):,} characters; at most {MAX_REASON} are kept. Shorten it.")
    return reason


def redacted(event: Event, *, texts: bool = True, author: bool = False) -> Event:
    """The tombstone of an event: the same place in the record, without the words (or without the name) in it.

    Args:
        event: the event to erase from.
        texts: take out everything that people wrote: title, text, reason, subjects of commits, what results say.
        author: take out who it was.
    """
    data = dict(event.data)
    if texts:
        results = {key: _ids(data[key]) for key in sorted(_RESULTS & data.keys())}
        data = {**{key: value for key, value in data.items() if key in _STRUCTURE}, **results, "erased": True}
    return Event(event.id, event.type, event.number, "" if author else event.actor, event.date, data)


def _ids(results: Any) -> list[dict[str, str]]:
    known = [result for result in results if isinstance(result, dict)] if isinstance(results, list) else []
    return [{"id": str(result.get("id", ""))} for result in known]


def latest_by_number(events: Sequence[Event]) -> int:
    """The largest discussion number in use (0 when there is none)."""
    return max((event.number for event in events), default=0)
