"""What people do in a discussion or pull request, by forms. The rules are in the decisions, under the repo's lock."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from glasshub import access, discussions, pulls, receive
from glasshub.access import Action
from glasshub.desk import Desk, Move
from glasshub.errors import Conflict, Forbidden, GlasshubError, Invalid, PreconditionFailed
from glasshub.events import EventType
from glasshub.identity import Repo, RepoType
from glasshub.pulls import How
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.errors import status_of
from glasshub.web.pages.discussions_files import with_attachment
from glasshub.web.pages.discussions_page import ONE, conversation, discussion_of
from glasshub.web.pages.repo_view import repo_routes, view_repo
from glasshub.web.repeats import request_id

bp = Blueprint("discussion_changes", __name__)
# What a form can do something about; the page comes back with it, and with the text that was typed.
_TOLD_ON_THE_PAGE = (Invalid, Conflict, PreconditionFailed, Forbidden)
Decision = Callable[[Desk], Move]
COMMENT = f"{ONE}/comment/<comment_id>"


@repo_routes(bp, f"{ONE}/comment", methods=("POST",))
def comment(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """Add a comment, with a file if one was chosen."""
    repo = _repo(type, ns, name)
    return _with_comment(repo, number, lambda text: partial(discussions.comment, number=number, body=text))


@repo_routes(bp, f"{ONE}/status", methods=("POST",))
def status(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """Close, reopen, make ready or a draft, with a comment if there is one."""
    repo, wanted = _repo(type, ns, name), request.form.get("status", "")
    return _with_comment(
        repo, number, lambda text: partial(discussions.set_status, number=number, status=wanted, comment=text)
    )


@repo_routes(bp, f"{ONE}/merge", methods=("POST",))
def merge(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """Merge a pull request whose head is still the one that was looked at."""
    repo, form = _repo(type, ns, name), request.form
    how, text = cast(How, form.get("how", "")), form.get("comment", "")
    decision = partial(pulls.merge, number=number, how=how, comment=text, head=form.get("head", ""))
    return _decide(repo, number, decision, text=text)


@repo_routes(bp, f"{ONE}/title", methods=("POST",))
def title(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """Change the title."""
    wanted = request.form.get("title", "")
    return _decide(_repo(type, ns, name), number, partial(discussions.retitle, number=number, title=wanted))


@repo_routes(bp, f"{ONE}/pin", methods=("POST",))
def pin(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """Keep it at the top of the list, or no longer."""
    pinned = request.form.get("pinned") == "1"
    return _decide(_repo(type, ns, name), number, partial(discussions.set_pinned, number=number, pinned=pinned))


@repo_routes(bp, f"{ONE}/lock", methods=("POST",))
def lock(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """Let only those comment who may write to the repo, or everybody again."""
    locked, reason = request.form.get("locked") == "1", request.form.get("reason", "")
    decision = partial(discussions.set_locked, number=number, locked=locked, reason=reason)
    return _decide(_repo(type, ns, name), number, decision)


@repo_routes(bp, f"{ONE}/delete-head", methods=("POST",))
def delete_head(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """Delete the commits' ref of a pull request that is over."""
    expected = request.form.get("head", "")
    return _decide(_repo(type, ns, name), number, partial(pulls.delete_head, number=number, expected=expected))


@repo_routes(bp, f"{COMMENT}/edit", methods=("POST",))
def edit(type: RepoType, ns: str, name: str, number: int, comment_id: str) -> ResponseReturnValue:
    """Change one's own comment; the former text stays to be seen."""
    body = request.form.get("body", "")
    decision = partial(discussions.edit_comment, number=number, comment_id=comment_id, body=body)
    return _decide(_repo(type, ns, name), number, decision, about=comment_id, text=body)


@repo_routes(bp, f"{COMMENT}/hide", methods=("POST",))
def hide(type: RepoType, ns: str, name: str, number: int, comment_id: str) -> ResponseReturnValue:
    """Fold a comment away."""
    reason = request.form.get("reason", "")
    decision = partial(discussions.hide_comment, number=number, comment_id=comment_id, reason=reason)
    return _decide(_repo(type, ns, name), number, decision, about=comment_id)


@repo_routes(bp, f"{COMMENT}/show", methods=("POST",))
def show(type: RepoType, ns: str, name: str, number: int, comment_id: str) -> ResponseReturnValue:
    """Show a hidden comment again."""
    decision = partial(discussions.show_comment, number=number, comment_id=comment_id)
    return _decide(_repo(type, ns, name), number, decision, about=comment_id)


def _repo(type: RepoType, ns: str, name: str) -> Repo:
    return load_repo(type, ns, name, Action.READ)


def _with_comment(repo: Repo, number: int, decision: Callable[[str], Decision]) -> ResponseReturnValue:
    """Make a decision that takes a comment along, and with it the file that was chosen."""
    text = request.form.get("comment", "")
    access.require(actor(), Action.DISCUSS, repo)
    try:
        text = with_attachment(text)
    except GlasshubError as error:
        return _again(repo, number, error, text)
    return _decide(repo, number, decision(text), text=text)


def _decide(repo: Repo, number: int, decision: Decision, *, about: str = "", text: str = "") -> ResponseReturnValue:
    """Decide, and go back to the page: to the comment that it is ``about`` or that was made."""
    try:
        move = receive.decide(hub(), repo, actor(), decision, request=request_id())
    except _TOLD_ON_THE_PAGE as error:
        return _again(repo, number, error, "" if about else text)
    return redirect(f"{repo.path}/discussions/{number}{_anchor(move, about)}", code=303)


def _again(repo: Repo, number: int, error: GlasshubError, text: str) -> ResponseReturnValue:
    view = view_repo(repo.type, repo.namespace, repo.name)
    page = conversation(view, discussion_of(view, number), error=error.message, comment=text)
    return page, status_of(error)


def _anchor(move: Move, about: str) -> str:
    events = (*move.events, *([move.again] if move.again else []))
    made = [event.id for event in events if event.type is EventType.COMMENTED]
    place = f"comment-{about.lower()}" if about else f"comment-{made[0]}" if made else ""
    return f"#{place}" if place.replace("-", "").isalnum() else ""
