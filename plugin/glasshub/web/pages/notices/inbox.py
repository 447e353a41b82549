"""The inbox: what concerns the reader, and what of it they have not seen; the repos they watch."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub.access import Action
from glasshub.errors import Busy, GlasshubError
from glasshub.identity import Repo, RepoType
from glasshub.notices import access_notices, inbox
from glasshub.notices.inbox import MOST_COUNTED, Watching
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.links import thread_url, with_query
from glasshub.web.pages.settings import user

bp = Blueprint("inbox", __name__)
PER_PAGE = 50
# What somebody did, as "NAME ..."; docs/events.md has the types.
_DID = {
    "opened": "opened it",
    "commented": "commented",
    "edited": "changed a comment",
    "comment-hidden": "hid a comment",
    "comment-shown": "showed a comment again",
    "retitled": "changed the title",
    "status": "changed the status",
    "pushed": "pushed commits",
    "merged": "merged it",
    "head-deleted": "deleted its commits",
    "pinned": "pinned it",
    "unpinned": "unpinned it",
    "locked": "locked it",
    "unlocked": "unlocked it",
    "result-hidden": "hid a result",
    "result-shown": "showed a result again",
}
_REASONS = {
    "mentioned": "you are mentioned",
    "result": "you brought the result",
    "opened": "you opened it",
    "took part": "you took part",
    "watching": "you watch the repo",
}


@bp.get("/notifications")
def page() -> ResponseReturnValue:
    """Unread threads, or with ``show=all`` all of them."""
    user()
    everything = request.args.get("show") == "all"
    threads, gate = inbox.threads(hub(), actor()), access_notices.notices(hub(), actor())
    shown = [thread for thread in threads if everything or thread.unread]
    start = max(0, request.args.get("start", 0, type=int))
    next_start = start + PER_PAGE if start + PER_PAGE < len(shown) else 0
    return render_template(
        "notices/inbox.html",
        threads=shown[start : start + PER_PAGE],
        gate=gate,
        unread=sum(thread.unread for thread in threads) + gate.count,
        total=len(shown),
        everything=everything,
        start=start,
        next=with_query("/notifications", show="all" if everything else "", start=next_start) if next_start else "",
        did=_DID,
        reasons=_REASONS,
        thread_url=thread_url,
    )


@bp.post("/notifications/read")
def read() -> ResponseReturnValue:
    """Take one thread (``repo``, ``number``), one answer to a request for access, or all of them as read."""
    user()
    key, number = request.form.get("repo", ""), request.form.get("number", 0, type=int)
    answer = request.form.get("request", "")
    if key or not answer:
        inbox.mark_read(hub(), actor(), [(key, number)] if key else None)
    if not key:
        access_notices.mark_seen(hub(), actor(), answer)
    if not key and not answer:
        flash("Everything is marked as read.", "good")
    return redirect(with_query("/notifications", show="all" if request.form.get("show") == "all" else ""), code=303)


@bp.post("/<ns>/<name>/watch", defaults={"type": "model"})
@bp.post("/datasets/<ns>/<name>/watch", defaults={"type": "dataset"})
def watch(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Watch a repo, ignore it, or neither."""
    user()
    repo = load_repo(type, ns, name, Action.READ)
    inbox.set_watching(hub(), actor(), repo, request.form.get("choice", ""))
    flash(_said(repo, inbox.watching(hub(), actor(), repo)), "good")
    return redirect("/settings/watching" if request.form.get("from") == "settings" else repo.path, code=303)


@bp.get("/settings/watching")
def watching() -> ResponseReturnValue:
    """The repos that the reader chose to watch or ignore."""
    user()
    return render_template("notices/watching.html", repos=inbox.watched(hub(), actor()))


@bp.app_template_global("unread_count")
def unread_count() -> str:
    """The number in the head of every page: ``""`` for none, ``99+`` for many."""
    try:
        count = inbox.unread(hub(), actor()) + access_notices.notices(hub(), actor()).count
    except GlasshubError:  # the page (perhaps one about just that error) is worth more than the number
        return ""
    return "" if not count else str(count) if count <= MOST_COUNTED else f"{MOST_COUNTED}+"


@bp.app_template_global("watching_of")
def watching_of(repo: Repo) -> Watching:
    """How the reader stands to a repo."""
    return inbox.watching(hub(), actor(), repo)


def seen(repo: Repo, number: int) -> None:
    """The reader looks at a discussion of a repo (0: at what was decided about its results)."""
    if request.method == "GET":
        with suppress(Busy):  # then it stays unread
            inbox.see(hub(), actor(), repo, number)


def _said(repo: Repo, now: Watching) -> str:
    if now.choice == "ignore":
        return f"You hear nothing of {repo.repo_id} any more."
    if now.watches:
        return f"You hear of everything that is discussed in {repo.repo_id}."
    return f"You hear of {repo.repo_id} only where you take part or are mentioned."
