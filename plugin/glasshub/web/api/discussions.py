"""Discussions and pull requests: list, read, open, and everything people decide in them."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Literal, cast

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, Response, jsonify, request

from glasshub import access, discussions, gates, pulls, receive
from glasshub.access import Action
from glasshub.conversation import Discussion
from glasshub.desk import MAIN, Desk, Move
from glasshub.errors import Invalid, NotFound, RevisionNotFound
from glasshub.events import Event
from glasshub.git.diff import diff_commits
from glasshub.git.merge_outlook import outlook
from glasshub.git.patch import patch_text
from glasshub.git.read import open_repo, resolve_revision
from glasshub.git.squashed import merge_base
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.index.queries.discussions import DiscussionFilter
from glasshub.markdown import render_markdown
from glasshub.web.api.arguments import KIND, api_repo, flag
from glasshub.web.api.discussion_json import View, change_json, comment_json, details_json, row_json, status_json
from glasshub.web.api.json_body import json_body
from glasshub.web.context import actor, hub, public_url
from glasshub.web.repeats import request_id

bp = Blueprint("api_discussions", __name__)
PAGE = 50
MOST_RENDERED = 200_000  # characters of one discussion; the slowest take some ten seconds, once
_ALL = f"/api/{KIND}/<ns>/<name>/discussions"
_ONE = f"{_ALL}/<int(max=999999999):number>"
_KINDS = ("all", "discussion", "pull_request")
_STATUSES = ("all", "open", "closed")


@bp.get(_ALL)
def listed(kind: str, ns: str, name: str) -> Response:
    """A page of discussions, newest first: ``p`` counts pages from 0, ``count`` is how many there are in all."""
    repo = api_repo(kind, ns, name)
    page = request.args.get("p", "0")
    if not (page.isascii() and page.isdigit() and len(page) < 8):
        raise Invalid("p is the number of a page, from 0.")
    which = DiscussionFilter(
        cast(Literal["all", "discussion", "pull_request"], _choice("type", _KINDS)),
        cast(Literal["all", "open", "closed"], _choice("status", _STATUSES)),
        request.args.get("author", ""),
        request.args.get("search", ""),
    )
    start = int(page) * PAGE
    found = queries.discussions(hub().index.read(), repo.key, which, start=start, limit=PAGE)
    items = [row_json(row, repo) for row in found.items]
    return jsonify({"discussions": items, "count": found.total, "start": start})


@bp.post(_ALL)
def create(kind: str, ns: str, name: str) -> Response:
    """Open a discussion or, with ``pullRequest``, a pull request that has no commits yet."""
    repo, body = api_repo(kind, ns, name), json_body()
    title, text = body.text("title"), body.text("description", "")
    draft = body.flag("draft")

    def pull(desk: Desk) -> Move:
        return pulls.open_pull(desk, title=title, body=text, head=desk.main, draft=draft)

    decision = pull if body.flag("pullRequest") else partial(discussions.open_discussion, title=title, body=text)
    number = receive.decide(hub(), repo, actor(), decision, request=request_id()).number
    return jsonify(
        {
            "num": number,
            "pullRequest": body.flag("pullRequest"),
            "url": f"{public_url()}{repo.path}/discussions/{number}",
        }
    )


@bp.get(_ONE)
def details(kind: str, ns: str, name: str, number: int) -> Response:
    """One discussion with its events; for a pull request also conflicts and, with ``diff=1``, what it changes."""
    repo = api_repo(kind, ns, name)
    found = _discussion(repo, number)
    item = details_json(found, repo, _view(repo))
    if found.is_pull:
        with open_repo(hub().git_dir(repo)) as git:
            item["filesWithConflicts"] = _conflicts(git, found)
            if flag("diff") and gates.may_read_files(hub(), actor(), repo):
                item["diff"] = _diff(git, found)
    return jsonify(item)


@bp.post(f"{_ONE}/comment")
def comment(kind: str, ns: str, name: str, number: int) -> Response:
    """Add a comment."""
    repo, body = api_repo(kind, ns, name), json_body()
    event = _decide(repo, discussions.comment, number=number, body=body.text("comment"))
    return jsonify({"newMessage": _comment(repo, number, event.id)})


@bp.post(f"{_ONE}/comment/<comment_id>/edit")
def edit_comment(kind: str, ns: str, name: str, number: int, comment_id: str) -> Response:
    """Change one's own comment."""
    repo, body = api_repo(kind, ns, name), json_body()
    _decide(repo, discussions.edit_comment, number=number, comment_id=comment_id, body=body.text("content"))
    return jsonify({"updatedComment": _comment(repo, number, comment_id)})


@bp.post(f"{_ONE}/comment/<comment_id>/hide")
def hide_comment(kind: str, ns: str, name: str, number: int, comment_id: str) -> Response:
    """Hide a comment, with a ``reason`` if there is one."""
    repo, reason = api_repo(kind, ns, name), json_body().text("reason", "")
    _decide(repo, discussions.hide_comment, number=number, comment_id=comment_id, reason=reason)
    return jsonify({"updatedComment": _comment(repo, number, comment_id)})


@bp.post(f"{_ONE}/comment/<comment_id>/show")
def show_comment(kind: str, ns: str, name: str, number: int, comment_id: str) -> Response:
    """Show a hidden comment again; ours."""
    repo = api_repo(kind, ns, name)
    _decide(repo, discussions.show_comment, number=number, comment_id=comment_id)
    return jsonify({"updatedComment": _comment(repo, number, comment_id)})


@bp.post(f"{_ONE}/title")
def title(kind: str, ns: str, name: str, number: int) -> Response:
    """Change the title."""
    repo, body = api_repo(kind, ns, name), json_body()
    event = _decide(repo, discussions.retitle, number=number, title=body.text("title"))
    return jsonify({"newTitle": change_json(event)})


@bp.post(f"{_ONE}/status")
def status(kind: str, ns: str, name: str, number: int) -> Response:
    """Close, reopen, or make a draft ready (or a draft again), with a comment if there is one.

    Asking for the status that it has is no mistake: clients make every pull request ready before they merge it.
    """
    repo, body = api_repo(kind, ns, name), json_body()
    asked, said = body.text("status"), body.text("comment", "")

    def decision(desk: Desk) -> Move:
        found = desk.record.discussion(number)
        if found.status != asked or asked == "merged" or said.strip():
            return discussions.set_status(desk, number, status=asked, comment=said)
        desk.require(Action.EDIT_OWN, author=found.author)
        return Move()

    event = receive.decide(hub(), repo, actor(), decision, request=request_id()).event
    return jsonify({"newStatus": change_json(event) if event else status_json(_discussion(repo, number))})


@bp.post(f"{_ONE}/merge")
def merge(kind: str, ns: str, name: str, number: int) -> Response:
    """Merge a pull request: ``comment``; ours are ``how`` (merge, squash, fast-forward) and ``head`` (as looked at)."""
    repo, body = api_repo(kind, ns, name), json_body()
    how = cast(pulls.How, body.text("how", "merge"))
    said, head = body.text("comment", ""), body.text("head", "")
    event = _decide(repo, pulls.merge, number=number, how=how, comment=said, head=head)
    return jsonify({"newStatus": change_json(event), "mergeCommitId": event.data.get("commit")})


@bp.post(f"{_ONE}/pin")
def pin(kind: str, ns: str, name: str, number: int) -> Response:
    """Keep it at the top of the list, or with ``{"pinned": false}`` no longer; ours."""
    repo, body = api_repo(kind, ns, name), json_body()
    event = _decide(repo, discussions.set_pinned, number=number, pinned=body.flag("pinned", default=True))
    return jsonify({"newPinning": change_json(event)})


@bp.post(f"{_ONE}/lock")
def lock(kind: str, ns: str, name: str, number: int) -> Response:
    """Let only writers comment, or with ``{"locked": false}`` everybody again; ours."""
    repo, body = api_repo(kind, ns, name), json_body()
    locked, reason = body.flag("locked", default=True), body.text("reason", "")
    event = _decide(repo, discussions.set_locked, number=number, locked=locked, reason=reason)
    return jsonify({"newLocking": change_json(event)})


@bp.post(f"{_ONE}/delete-head")
def delete_head(kind: str, ns: str, name: str, number: int) -> Response:
    """Delete the ref of a closed or merged pull request; ours."""
    repo = api_repo(kind, ns, name)
    return jsonify({"newReference": change_json(_decide(repo, pulls.delete_head, number=number))})


def _decide(repo: Repo, decision: Callable[..., Move], **arguments: Any) -> Event:
    """Carry a decision out; the event that says what was decided (the last one)."""
    event = receive.decide(hub(), repo, actor(), partial(decision, **arguments), request=request_id()).event
    assert event is not None
    return event


def _discussion(repo: Repo, number: int) -> Discussion:
    found = queries.discussion(hub().index.read(), repo.key, number)
    if found is None:
        raise NotFound(f"{repo.repo_id} has no discussion or pull request {number}.")
    return found


def _comment(repo: Repo, number: int, comment_id: str) -> dict[str, Any]:
    written = _discussion(repo, number).comments.get(comment_id.lower())
    if written is None:
        raise NotFound(f"Discussion {number} has no comment {comment_id}.")
    return comment_json(written, _view(repo))


def _view(repo: Repo) -> View:
    who = actor()
    return View(
        render=_Html(repo.path),
        reads=lambda comment: access.may(who, Action.EDIT_OWN, repo, author=comment.author),
    )


class _Html:
    """Markdown to HTML, of as much text as can be read as Markdown within one answer; the rest is told as it is."""

    def __init__(self, path: str) -> None:
        self._path, self._left = path, MOST_RENDERED

    def __call__(self, text: str) -> str:
        self._left -= len(text)
        return _rendered(self._path, text) if self._left >= 0 else f"<pre>{html.escape(text)}</pre>"


@lru_cache(maxsize=500)
def _rendered(path: str, text: str) -> str:
    def below(verb: str) -> Callable[[str], str]:
        return lambda target: f"{path}/{verb}/main/{target}"

    return render_markdown(text, link=below("blob"), image=below("resolve"))


def _conflicts(git: GitRepo, found: Discussion) -> list[str]:
    if found.status in ("closed", "merged") or found.head_deleted:
        return []
    main = _commit(git, MAIN)
    head = _commit(git, f"refs/pr/{found.number}")
    return list(outlook(git, main, head).conflicts) if main and head else []


def _diff(git: GitRepo, found: Discussion) -> str:
    """What it changes against the merge base; once merged, against what ``main`` was then."""
    head = _commit(git, found.head)
    main = found.merge.onto if found.merge else _commit(git, MAIN)
    if not head or not main:
        return ""
    base = merge_base(git, main, head)
    return patch_text(diff_commits(git, base, head)) if base else ""


def _commit(git: GitRepo, revision: str) -> str:
    try:
        return resolve_revision(git, revision).commit if revision else ""
    except RevisionNotFound:
        return ""


def _choice(name: str, known: tuple[str, ...]) -> str:
    asked = request.args.get(name, "all")
    if asked not in known:
        raise Invalid(f"{name} must be one of: {', '.join(known)}.")
    return asked
