"""Discussions, and what pull requests have in common with them. Decisions for :func:`glasshub.receive.decide`."""

from __future__ import annotations

from glasshub.access import Action
from glasshub.conversation import Comment, Discussion
from glasshub.desk import Desk, Move
from glasshub.errors import Conflict, Forbidden, Invalid, NotFound
from glasshub.events import Event, EventType, check_body, check_reason, check_title, new_event


def open_discussion(desk: Desk, *, title: str, body: str) -> Move:
    """Open a discussion.

    Raises:
        Forbidden, Unauthenticated, RepoNotFound: as the permission table says.
        Invalid: a bad title or text.
    """
    desk.require(Action.DISCUSS)
    event = new_event(EventType.OPENED, desk.next_number(), desk.name, title=check_title(title), body=check_body(body))
    return Move(events=(event,))


def comment(desk: Desk, number: int, *, body: str) -> Move:
    """Add a comment.

    Raises:
        NotFound: there is no such discussion.
        Forbidden, Unauthenticated: as the permission table says, or it is locked.
        Invalid: the text is empty or too long.
    """
    found = desk.record.discussion(number)
    desk.require(Action.DISCUSS)
    _require_unlocked(desk, found)
    return _move(EventType.COMMENTED, desk, found, body=check_body(body, required=True))


def edit_comment(desk: Desk, number: int, comment_id: str, *, body: str) -> Move:
    """Change the text of one's own comment; the former text stays in the history.

    Raises:
        NotFound: there is no such comment.
        Forbidden, Unauthenticated: it is somebody else's, or the discussion is locked.
        Invalid: the text is empty or too long.
    """
    found = desk.record.discussion(number)
    written = _comment(found, comment_id)
    desk.require(Action.DISCUSS)
    if not _is(desk, written.author):
        raise Forbidden("Only who wrote a comment may change it. A writer of the repo may hide it.")
    _require_unlocked(desk, found)
    text = check_body(body, required=True)
    if text == written.body:
        raise Invalid("The text is the same as before.")
    return _move(EventType.EDITED, desk, found, comment=written.id, body=text)


def hide_comment(desk: Desk, number: int, comment_id: str, *, reason: str = "") -> Move:
    """Fold a comment away; its author and writers of the repo may, and can still read it.

    Raises:
        NotFound: there is no such comment.
        Conflict: it is hidden already.
        Forbidden, Unauthenticated: as the permission table says.
    """
    found = desk.record.discussion(number)
    written = _comment(found, comment_id)
    desk.require(Action.EDIT_OWN, author=written.author)
    if written.hidden:
        raise Conflict("This comment is hidden already.")
    return _move(EventType.COMMENT_HIDDEN, desk, found, comment=written.id, reason=check_reason(reason))


def show_comment(desk: Desk, number: int, comment_id: str) -> Move:
    """Show a hidden comment again: a writer of the repo may, or its author if they hid it themselves.

    Raises:
        NotFound: there is no such comment.
        Conflict: it is not hidden.
        Forbidden, Unauthenticated: as the permission table says.
    """
    found = desk.record.discussion(number)
    written = _comment(found, comment_id)
    desk.require(Action.EDIT_OWN, author=written.author if _is(desk, written.hidden_by) else None)
    if not written.hidden:
        raise Conflict("This comment is not hidden.")
    return _move(EventType.COMMENT_SHOWN, desk, found, comment=written.id)


def retitle(desk: Desk, number: int, *, title: str) -> Move:
    """Change the title: its author and writers of the repo may.

    Raises:
        NotFound: there is no such discussion.
        Invalid: a bad title, or the same as before.
        Forbidden, Unauthenticated: as the permission table says.
    """
    found = desk.record.discussion(number)
    desk.require(Action.EDIT_OWN, author=found.author)
    new = check_title(title)
    if new == found.title:
        raise Invalid("The title is the same as before.")
    return Move(events=(new_event(EventType.RETITLED, number, desk.name, **{"from": found.title, "to": new}),))


def set_status(desk: Desk, number: int, *, status: str, comment: str = "") -> Move:
    """Close, reopen, or make a draft ready (or a draft again), with a comment if there is one.

    What a writer of the repo has closed stays so until a writer reopens it: its author does not make it a draft either.

    Raises:
        NotFound: there is no such discussion.
        Conflict: it has that status already, or is merged.
        Invalid: an unknown status, or a draft that is no pull request.
        Forbidden, Unauthenticated: as the permission table says.
    """
    found = desk.record.discussion(number)
    desk.require(Action.EDIT_OWN, author=None if closed_by_other(found) else found.author)
    if status not in ("open", "closed", "draft") or (status == "draft" and not found.is_pull):
        raise Invalid(f"The status of a discussion is open or closed, not {status!r}; a pull request may be a draft.")
    if found.status == "merged":
        raise Conflict(f"Pull request {number} is merged, which is for good.")
    if found.status == status:
        raise Conflict(f"It is {status} already.")
    events: list[Event] = []
    if comment.strip():
        _require_unlocked(desk, found)
        events.append(new_event(EventType.COMMENTED, number, desk.name, body=check_body(comment)))
    return Move(events=(*events, new_event(EventType.STATUS, number, desk.name, status=status)))


def set_pinned(desk: Desk, number: int, *, pinned: bool) -> Move:
    """Keep a discussion at the top of the list, or no longer (writers of the repo). Raises as :func:`retitle`."""
    found = desk.record.discussion(number)
    desk.require(Action.WRITE)
    if found.pinned == pinned:
        raise Conflict("It is pinned already." if pinned else "It is not pinned.")
    return _move(EventType.PINNED if pinned else EventType.UNPINNED, desk, found)


def set_locked(desk: Desk, number: int, *, locked: bool, reason: str = "") -> Move:
    """Let only writers of the repo comment, or everybody again (writers). Raises as :func:`retitle`."""
    found = desk.record.discussion(number)
    desk.require(Action.WRITE)
    if found.locked == locked:
        raise Conflict("It is locked already." if locked else "It is not locked.")
    return _move(EventType.LOCKED if locked else EventType.UNLOCKED, desk, found, reason=check_reason(reason))


def _move(type: EventType, desk: Desk, found: Discussion, **data: object) -> Move:
    return Move(events=(new_event(type, found.number, desk.name, **data),))


def _comment(found: Discussion, comment_id: str) -> Comment:
    written = found.comments.get(comment_id.lower())
    if written is None:
        raise NotFound(f"Discussion {found.number} has no comment {comment_id}.")
    return written


def _require_unlocked(desk: Desk, found: Discussion) -> None:
    if found.locked and not desk.may(Action.WRITE):
        raise Forbidden("This discussion is locked: only those who may write to the repo comment here.")


def _is(desk: Desk, name: str) -> bool:
    return bool(name) and desk.name.lower() == name.lower()


def closed_by_other(found: Discussion) -> bool:
    """Whether it is closed, and the last one to close it was not its author."""
    if found.status != "closed":
        return False
    closings = [e for e in found.timeline if e.type is EventType.STATUS and e.data.get("status") == "closed"]
    return bool(closings) and closings[-1].actor.lower() != found.author.lower()
