"""Atom feeds: what is public, and what a token (HTTP Basic, any user name) may read; cookies are not looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from glasshub import accounts
from glasshub.access import Action
from glasshub.index.queries import About
from glasshub.index.rows import FeedDiscussion, FeedResult
from glasshub.notices import atom, feeds
from glasshub.notices.atom import Entry, Feed
from glasshub.notices.feeds import Addresses
from glasshub.web.context import hub, load_repo, public_url
from glasshub.web.links import blob_url, leaderboard_url, quote
from glasshub.web.pages.leaderboard import benchmark_and_task
from glasshub.web.pages.repo_view import see, view_repo

bp = Blueprint("feeds", __name__, url_prefix="/feeds")


@bp.get("/<ns>")
def account(ns: str) -> ResponseReturnValue:
    """Results and discussions in the repos of a user or organisation, and the discussions that they opened."""
    found = accounts.find(hub(), ns)
    about = About(namespace=found.name, author=found.name)
    entries = feeds.activity(hub().index.read(), see(), about, _addresses())
    shown = found.full_name or found.name
    return _answer(f"account/{found.name.lower()}", shown, f"/{found.name}", found.name, found.created_at, entries)


@bp.get("/<ns>/<name>", defaults={"type": "model"})
@bp.get("/datasets/<ns>/<name>", defaults={"type": "dataset"})
def repo(type: str, ns: str, name: str) -> ResponseReturnValue:
    """Results and discussions of a model, discussions of a dataset."""
    found = load_repo("dataset" if type == "dataset" else "model", ns, name, Action.READ)
    entries = feeds.activity(hub().index.read(), see(), About(found.key), _addresses())
    return _answer(f"repo/{found.key}", found.repo_id, found.path, found.namespace, found.created_at, entries)


@bp.get("/datasets/<ns>/<name>/leaderboard")
def leaderboard(ns: str, name: str) -> ResponseReturnValue:
    """New results on one leaderboard (``task``, the first by default)."""
    view = view_repo("dataset", ns, name)
    benchmark, task = benchmark_and_task(view)
    entries = feeds.leaderboard(hub().index.read(), see(), view.repo.key, task.task_id, _addresses())
    page = leaderboard_url(benchmark.dataset_id, task.task_id)
    title, repo = f"{benchmark.name}: {task.task_id}", view.repo
    return _answer(f"board/{repo.key}/{task.task_id}", title, page, repo.namespace, repo.created_at, entries)


def _answer(id: str, title: str, page: str, author: str, since: str, entries: Sequence[Entry]) -> Response:
    base = public_url()
    address = f"{base}{request.full_path.rstrip('?')}"
    feed = Feed(id, f"{title} · {hub().settings.name}", address, f"{base}{quote(page, '/?=&')}", author, since, entries)
    body = atom.to_xml(feed)
    response = Response(body, content_type=f"{atom.TYPE}; charset=utf-8")
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response


def _addresses() -> Addresses:
    base = public_url()

    def result(found: FeedResult) -> str:
        row = found.result
        return f"{base}{blob_url(f'/{row.model_id}', row.commit, row.path)}#L{row.line}"

    def discussion(found: FeedDiscussion) -> str:
        path = f"/{found.repo_id}" if found.repo_type == "model" else f"/datasets/{found.repo_id}"
        return f"{base}{quote(path)}/discussions/{found.discussion.number}"

    return Addresses(result, discussion)
