"""Discussions and pull requests as JSON, in the shapes that stock clients parse. Pure: values in, values out.

Whatever is not known (a name that was erased) is left out, since clients stumble over null.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glasshub.conversation import Comment, Discussion
from glasshub.events import Event, EventType
from glasshub.identity import Repo
from glasshub.index.rows import DiscussionRow

_CHANGES = frozenset({EventType.EDITED, EventType.COMMENT_HIDDEN, EventType.COMMENT_SHOWN})


@dataclass(frozen=True, slots=True)
class View:
    """How one reader sees comments.

    Attributes:
        render: Markdown to safe HTML.
        reads: whether this reader may see the words of a hidden comment.
    """

    render: Callable[[str], str]
    reads: Callable[[Comment], bool]


def row_json(row: DiscussionRow, repo: Repo) -> dict[str, Any]:
    """An item of a list."""
    return {
        **_base(repo, row.number, row.title, row.status, row.created_at, row.author, is_pull=row.is_pull),
        "numComments": row.comments,
        "updatedAt": row.updated_at,
        "pinned": row.pinned,
        "locked": row.locked,
    }


def details_json(found: Discussion, repo: Repo, view: View) -> dict[str, Any]:
    """One discussion or pull request with its events; what git says of it (conflicts, diff) is added by the caller."""
    item = {
        **_base(repo, found.number, found.title, found.status, found.created_at, found.author, is_pull=found.is_pull),
        "updatedAt": found.updated_at,
        "pinned": found.pinned,
        "locked": found.locked,
        "events": events_json(found, view),
    }
    if found.is_pull:
        item["changes"] = {"base": found.base or "refs/heads/main", "head": found.head}
        item["headDeleted"] = found.head_deleted
        if found.merge is not None:
            item["changes"]["mergeCommitId"] = found.merge.commit
    return item


def events_json(found: Discussion, view: View) -> list[dict[str, Any]]:
    """All that happened, in order. Edits and hiding show in the comment they are about."""
    return [item for event in found.timeline for item in _event(event, found, view)]


def comment_json(comment: Comment, view: View) -> dict[str, Any]:
    """A comment as an event. The words of a hidden one are there only for those who may read them."""
    shown = not comment.hidden or view.reads(comment)
    data: dict[str, Any] = {
        "edited": comment.edited,
        "hidden": comment.hidden,
        "latest": _text(comment, comment.body, comment.updated_at, view, shown=shown),
        "numEdits": len(comment.history),
        "history": [_text(comment, body, date, view, shown=shown) for date, body in comment.history],
    }
    if comment.hidden:
        data["hiddenBy"] = comment.hidden_by
        data["hiddenReason"] = comment.hidden_reason
    if comment.erased:
        data["erased"] = True
    return _item(comment.id, "comment", comment.date, comment.author, data)


def change_json(event: Event) -> dict[str, Any]:
    """An event that is no comment: the last of the items that stand for it."""
    return list(_changes(event))[-1]


def status_json(found: Discussion) -> dict[str, Any]:
    """The status it has, as the event that gave it that status."""
    statuses = (EventType.OPENED, EventType.STATUS, EventType.MERGED)
    event = [event for event in found.timeline if event.type in statuses][-1]
    return _same(event, "status-change", {"status": found.status})


def _base(
    repo: Repo, number: int, title: str, status: str, created_at: str, author: str, *, is_pull: bool
) -> dict[str, Any]:
    return {
        "num": number,
        "title": title,
        "status": status,
        "createdAt": created_at,
        "isPullRequest": is_pull,
        "repo": {"name": repo.repo_id, "type": repo.type},
        **_author(author),
    }


def _event(event: Event, found: Discussion, view: View) -> Iterator[dict[str, Any]]:
    if event.type in (EventType.OPENED, EventType.COMMENTED):
        yield comment_json(found.comments[event.id], view)
    if event.type not in _CHANGES:
        yield from _changes(event)


def _changes(event: Event) -> Iterator[dict[str, Any]]:
    data = event.data
    match event.type:
        case EventType.OPENED:
            yield from _commits(event)
        case EventType.COMMENTED:
            return
        case EventType.PUSHED:
            if data.get("forced") or not data.get("commits"):
                said = {"oldOid": data.get("old"), "newOid": data.get("new"), "forced": bool(data.get("forced"))}
                yield _same(event, "reference-update", said)
            yield from _commits(event)
        case EventType.HEAD_DELETED:
            yield _same(event, "reference-update", {"oldOid": data.get("head"), "newOid": None})
        case EventType.RETITLED:
            yield _same(event, "title-change", {"from": str(data.get("from", "")), "to": str(data.get("to", ""))})
        case EventType.STATUS:
            yield _same(event, "status-change", {"status": str(data.get("status", ""))})
        case EventType.MERGED:
            said = {"status": "merged", "mergeCommitId": data.get("commit"), "how": data.get("how")}
            yield _same(event, "status-change", said)
        case EventType.PINNED | EventType.UNPINNED:
            yield _same(event, "pinning-change", {"pinned": event.type is EventType.PINNED})
        case EventType.LOCKED | EventType.UNLOCKED:
            said = {"locked": event.type is EventType.LOCKED, "reason": str(data.get("reason", ""))}
            yield _same(event, "locking-change", said)
        case _:
            yield _same(event, str(event.type), dict(data))


def _commits(event: Event) -> Iterator[dict[str, Any]]:
    commits = event.data.get("commits", ())
    for commit in commits if isinstance(commits, list) else ():
        if not isinstance(commit, Mapping):
            continue
        oid, subject = str(commit.get("oid", "")), str(commit.get("subject", ""))
        # One push is one event in the record and several here, each with an id that stays.
        name = hashlib.sha256(f"{event.id} {oid}".encode()).hexdigest()[: len(event.id)]
        yield _item(name, "commit", event.date, event.actor, {"subject": subject, "oid": oid})


def _same(event: Event, type: str, data: dict[str, Any]) -> dict[str, Any]:
    return _item(event.id, type, event.date, event.actor, data)


def _item(id: str, type: str, date: str, author: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "type": type, "createdAt": date, **_author(author), "data": data}


def _text(comment: Comment, body: str, date: str, view: View, *, shown: bool) -> dict[str, Any]:
    raw = body if shown else ""
    return {"raw": raw, "html": view.render(raw) if raw else "", "updatedAt": date, **_author(comment.author)}


def _author(name: str) -> dict[str, Any]:
    return {"author": {"name": name}} if name else {}
