"""What happened to a repo between two states of it, as notices. Pure.

Notices follow from states, as the index does, and not from calls: whatever was interrupted is told by comparing once
more. What changed several times in between is told as one change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from glasshub import conversation
from glasshub.conversation import Discussion
from glasshub.events import REPO, Event, EventType
from glasshub.identity import Repo
from glasshub.notices.payload import ZERO, Notice, Subject, updated_ref

MAIN = "refs/heads/main"
_DISCUSSION = frozenset({
    EventType.RETITLED, EventType.STATUS, EventType.MERGED, EventType.PINNED, EventType.UNPINNED, EventType.LOCKED,
    EventType.UNLOCKED,
})  # fmt: skip
_COMMENT = frozenset({EventType.EDITED, EventType.COMMENT_HIDDEN, EventType.COMMENT_SHOWN})
_RESULT = frozenset({EventType.RESULT_HIDDEN, EventType.RESULT_SHOWN})


@dataclass(frozen=True, slots=True)
class State:
    """A repo at one moment: its row, its branches and tags, and the last event of its record (``""``: none)."""

    repo: Repo
    refs: Mapping[str, str] = field(default_factory=dict)
    event: str = ""

    def to_json(self) -> str:
        """As text."""
        return json.dumps({"repo": asdict(self.repo), "refs": dict(self.refs), "event": self.event}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> State:
        """From such a text."""
        found = json.loads(text)
        known = {field.name for field in fields(Repo)}
        repo = Repo(**{name: value for name, value in found["repo"].items() if name in known})
        return cls(repo, found["refs"], found["event"])


def notices(before: State | None, now: State | None, events: Sequence[Event], base_url: str) -> Iterator[Notice]:
    """What is to be told, in order.

    Args:
        before: what was told last (``None``: that there is no such repo).
        now: what is (``None``: it is deleted).
        events: the whole record of the repo.
        base_url: the hub's address, for links.
    """
    if now is None:
        if before is not None:
            yield _subject(before, base_url).notice("delete", "repo")
        return
    subject = _subject(now, base_url)
    if before is None:
        yield subject.notice("create", "repo")
    else:
        yield from _settings(before.repo, subject)
    yield from _content(subject, before.refs if before else {}, now.refs)
    yield from _record(subject, fresh(events, before.event if before else ""), events)


def fresh(events: Sequence[Event], last: str) -> Sequence[Event]:
    """The events after the one with the id ``last``; all when it is ``""``, none when it is not among them."""
    if not last:
        return events
    place = next((place for place, event in enumerate(events) if event.id == last), len(events))
    return events[place + 1 :]


def erased_numbers(before: State | None, events: Sequence[Event]) -> frozenset[int]:
    """The discussions from which something was erased since ``before``."""
    new = fresh(events, before.event if before else "")
    gone = {id for event in new if event.type is EventType.ERASED for id in event.data.get("events", ())}
    return frozenset(event.number for event in events if event.id in gone) - {REPO}


def _subject(state: State, base_url: str) -> Subject:
    return Subject(state.repo, state.refs.get(MAIN, ""), base_url)


def _settings(before: Repo, subject: Subject) -> Iterator[Notice]:
    now = subject.repo
    if before.repo_id != now.repo_id:
        moved = {"name": now.repo_id, "owner": {"id": now.namespace}}
        yield Subject(before, subject.head, subject.base_url).notice("move", "repo", movedTo=moved)
    names = {"private": "private", "pulls_enabled": "pullsEnabled", "allow_force_push": "allowForcePush"}
    changed = {wire: getattr(now, name) for name, wire in names.items() if getattr(before, name) != getattr(now, name)}
    if before.gated != now.gated:
        changed["gated"] = now.gated or False  # as settings and listings write it
    if changed:
        yield subject.notice("update", "repo.config", updatedConfig=changed)


def _content(subject: Subject, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Notice]:
    moved = [ref for ref in sorted({*before, *now}) if before.get(ref) != now.get(ref)]
    if moved:
        yield _update(subject, [updated_ref(ref, before.get(ref, ""), now.get(ref, "")) for ref in moved])


def _update(subject: Subject, refs: Sequence[Mapping[str, str | None]]) -> Notice:
    return subject.notice("update", "repo.content", updatedRefs=list(refs))


def _record(subject: Subject, new: Sequence[Event], events: Sequence[Event]) -> Iterator[Notice]:
    """What the new events say. Each is told as things stood right after it."""
    for event in new:
        if event.type is EventType.ERASED:
            yield from _erased(subject, event, events)
        elif event.type in _RESULT:
            result = {"id": event.data.get("result", ""), "hidden": event.type is EventType.RESULT_HIDDEN}
            yield subject.notice("update", "repo.results", updatedResults=[result])
        elif found := _discussion_after(event, events):
            yield from _about(subject, event, found)


def _about(subject: Subject, event: Event, found: Discussion) -> Iterator[Notice]:
    told, number = subject.discussion(found), found.number
    if event.type is EventType.OPENED:
        comment = subject.comment(found, found.comments[event.id])
        yield subject.notice("create", "discussion", number=number, discussion=told, comment=comment)
    elif event.type in _DISCUSSION:
        yield subject.notice("update", "discussion", number=number, discussion=told)
    elif event.type is EventType.COMMENTED or event.type in _COMMENT:
        action = "create" if event.type is EventType.COMMENTED else "update"
        written = found.comments.get(event.id if action == "create" else str(event.data.get("comment", "")))
        if written is not None:
            comment = subject.comment(found, written)
            yield subject.notice(action, "discussion.comment", number=number, discussion=told, comment=comment)
    if moved := _head(event):
        yield _update(subject, [updated_ref(f"refs/pr/{number}", *moved)])


def _head(event: Event) -> tuple[str, str] | None:
    """How the head of a pull request moved by this event."""
    data: Mapping[str, Any] = event.data
    if event.type is EventType.OPENED and data.get("pull"):
        return ZERO, str(data.get("head", ""))
    if event.type is EventType.PUSHED:
        return str(data.get("old", "")), str(data.get("new", ""))
    if event.type is EventType.HEAD_DELETED:
        return str(data.get("head", "")), ZERO
    return None


def _erased(subject: Subject, tombstone: Event, events: Sequence[Event]) -> Iterator[Notice]:
    """Whoever keeps a copy of what was erased is told to delete it."""
    gone = set(tombstone.data.get("events", ()))
    for event in events:
        if event.id not in gone or not event.data.get("erased"):
            continue
        found = _discussion_after(tombstone, events, event.number)
        written = found.comments.get(event.id) if found else None
        if found is None or written is None:
            continue
        told, comment = subject.discussion(found), subject.comment(found, written)
        scope = "discussion" if event.type is EventType.OPENED else "discussion.comment"
        yield subject.notice("delete", scope, number=found.number, discussion=told, comment=comment)


def _discussion_after(last: Event, events: Sequence[Event], number: int = 0) -> Discussion | None:
    """A discussion (that of ``last``, or ``number``) as it stood right after the event ``last``."""
    number = number or last.number
    history: list[Event] = []
    for event in events:
        if event.number == number:
            history.append(event)
        if event.id == last.id:
            break
    return conversation.discussions(history).get(number)
