"""The community tab: the list of discussions and pull requests, opening one, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import access, discussions, pulls, receive
from glasshub.access import Action
from glasshub.desk import Desk, Move
from glasshub.errors import Forbidden, Invalid
from glasshub.identity import RepoType
from glasshub.index import queries
from glasshub.index.queries.discussions import DiscussionFilter, Kind, Status
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.errors import status_of
from glasshub.web.pages.discussions_page import ONE, conversation, discussion_of
from glasshub.web.pages.notices.inbox import seen
from glasshub.web.pages.repo_view import RepoView, repo_routes, view_repo
from glasshub.web.repeats import request_id

bp = Blueprint("discussions", __name__)
PER_PAGE = 25
MOST_SKIPPED = 1_000_000
TYPES = [("all", "Everything"), ("discussion", "Discussions"), ("pull_request", "Pull requests")]
STATUSES = ("open", "closed", "all")


@repo_routes(bp, "/discussions")
def listing(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """One page of discussions, pinned ones first, as the address asks (``type``, ``status``, ``author``, ``q``)."""
    view = view_repo(type, ns, name)
    asked = {
        "type": _choice("type", [key for key, _ in TYPES], "all"),
        "status": _choice("status", STATUSES, "open"),
        "author": request.args.get("author", "").strip()[:100],
        "q": request.args.get("q", "").strip()[:200],
    }
    start = min(max(0, request.args.get("start", 0, type=int)), MOST_SKIPPED)
    db = hub().index.read()
    which = DiscussionFilter(cast(Kind, asked["type"]), cast(Status, asked["status"]), asked["author"], asked["q"])
    page = queries.discussions(db, view.repo.key, which, start=start, limit=PER_PAGE, pinned=True)
    counts = queries.discussion_counts(db, view.repo.key)
    numbers = {"open": counts["open"], "closed": counts["closed"], "all": counts["open"] + counts["closed"]}
    return render_template(
        "discussions/list.html",
        view=view,
        asked=asked,
        filtered=asked["type"] != "all" or asked["author"] or asked["q"],
        rows=page.items,
        total=page.total,
        start=start,
        next_start=start + PER_PAGE if start + PER_PAGE < page.total else 0,
        types=TYPES,
        statuses=[(key, key.capitalize(), numbers[key]) for key in STATUSES],
        counts=counts,
    )


@repo_routes(bp, "/discussions/new")
def new(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """The form for a discussion or, with ``pull=1``, a pull request."""
    load_repo(type, ns, name, Action.DISCUSS)
    return _form(view_repo(type, ns, name), pull="pull" in request.args)


@repo_routes(bp, "/discussions/new", methods=("POST",))
def create(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Open a discussion, or a pull request that begins at ``main``."""
    repo = load_repo(type, ns, name, Action.READ)
    asked = request.form
    pull = "pull" in asked
    title, body = asked.get("title", ""), asked.get("body", "")
    if pull:
        decision = partial(_open_pull, title=title, body=body, draft="draft" in asked)
    else:
        decision = partial(discussions.open_discussion, title=title, body=body)
    try:
        number = receive.decide(hub(), repo, actor(), decision, request=request_id()).number
    except (Invalid, Forbidden) as error:
        access.require(actor(), Action.DISCUSS, repo)
        return _form(view_repo(type, ns, name), pull=pull, error=error.message), status_of(error)
    return redirect(f"{repo.path}/discussions/{number}", code=303)


@repo_routes(bp, ONE)
def page(type: RepoType, ns: str, name: str, number: int) -> ResponseReturnValue:
    """A discussion or a pull request: what was said and what happened."""
    view = view_repo(type, ns, name)
    found = discussion_of(view, number)
    seen(view.repo, number)
    return conversation(view, found)


def _open_pull(desk: Desk, *, title: str, body: str, draft: bool) -> Move:
    return pulls.open_pull(desk, title=title, body=body, head=desk.main, draft=draft)


def _form(view: RepoView, *, pull: bool, error: str = "") -> str:
    template = "discussions/new_pull.html" if pull else "discussions/new.html"
    return render_template(template, view=view, form=request.form, error=error)


def _choice(name: str, choices: Sequence[str], default: str) -> str:
    found = request.args.get(name) or default
    if found not in choices:
        raise Invalid(f"{name} is one of {', '.join(choices)}, not {found!r}.")
    return found
