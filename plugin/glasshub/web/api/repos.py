"""Creating, changing, moving and deleting repos."""

from __future__ import annotations

from typing import NoReturn

from flask import Blueprint, Response, g, jsonify

from glasshub import access, repos
from glasshub.access import Action
from glasshub.duplicate import duplicate
from glasshub.errors import Conflict, Forbidden, Invalid, RepoNotFound, Unauthenticated
from glasshub.identity import GATES, Gate, Repo, RepoType
from glasshub.initial_commit import create_repo
from glasshub.web.api.arguments import KIND, api_repo
from glasshub.web.api.json_body import JsonBody, json_body
from glasshub.web.context import actor, hub, public_url

bp = Blueprint("api_repos", __name__)
# Old clients send ``private``, and maybe ``xetEnabled``, which says nothing here: every repo takes Xet and Git LFS.
SETTINGS = ("visibility", "private", "gated", "pullRequests", "allowForcePush", "xetEnabled")


@bp.post("/api/repos/create")
def create() -> Response:
    """Make a repo with a first commit: ``name``, ``organization`` (the caller by default), ``type``, ``visibility``."""
    body = json_body()
    type, name = _type(body), body.text("name")
    namespace = body.text("organization", "") or actor().name or ""
    if not actor().signed_in:
        raise Unauthenticated("Sign in to create a repo: send a token with scope write.")
    try:
        repo = create_repo(hub(), actor(), type, namespace, name, private=_private(body) or False)
    except (Conflict, Forbidden) as error:
        _refuse(error, type, namespace, name)
    return jsonify({"url": _url(repo), "name": repo.repo_id, "id": repo.key})


@bp.delete("/api/repos/delete")
def delete() -> Response:
    """Delete a repo for good."""
    body = json_body()
    repos.delete(hub(), actor(), _named(_type(body), body.text("organization", "") or actor().name or "", body))
    return jsonify({})


@bp.post("/api/repos/move")
def move() -> Response:
    """Rename or transfer a repo; its old name redirects."""
    body = json_body()
    namespace, _, name = body.text("toRepo").partition("/")
    from_namespace, _, from_name = body.text("fromRepo").partition("/")
    repo = _named(_type(body), from_namespace, JsonBody({"name": from_name}))
    moved = repos.move(hub(), actor(), repo, namespace, name)
    return jsonify({"url": _url(moved), "name": moved.repo_id})


@bp.post(f"/api/{KIND}/<ns>/<name>/duplicate")
def duplicate_repo(kind: str, ns: str, name: str) -> Response:
    """Copy a repo to ``repository``, as private as it is unless ``visibility`` says else; 409 with ``url`` as above."""
    source, body = api_repo(kind, ns, name, Action.READ_FILES), json_body()
    namespace, _, new_name = body.text("repository").rpartition("/")
    namespace = namespace or actor().name or ""
    if not actor().signed_in:
        raise Unauthenticated("Sign in to duplicate a repo: send a token with scope write.")
    try:
        repo = duplicate(hub(), actor(), source, namespace, new_name, private=_private(body))
    except (Conflict, Forbidden) as error:
        _refuse(error, source.type, namespace, new_name)
    return jsonify({"url": _url(repo), "name": repo.repo_id, "id": repo.key, "filesCopyPending": False})


@bp.put(f"/api/{KIND}/<ns>/<name>/settings")
def settings(kind: str, ns: str, name: str) -> Response:
    """Change ``visibility`` (or ``private``) and ``gated``; ours are ``allowForcePush`` and ``pullRequests``."""
    repo, body = api_repo(kind, ns, name), json_body()
    body.require_known(*SETTINGS)
    changed = repos.configure(
        hub(),
        actor(),
        repo,
        private=_private(body),
        allow_force_push=body.maybe_flag("allowForcePush"),
        pulls_enabled=body.maybe_flag("pullRequests"),
        gated=_gated(body),
    )
    return jsonify(
        {
            "private": changed.private,
            "gated": changed.gated or False,
            "allowForcePush": changed.allow_force_push,
            "pullRequests": changed.pulls_enabled,
        }
    )


def _named(type: RepoType, namespace: str, body: JsonBody) -> Repo:
    """The repo that has this name now: what is meant for one repo must not reach the one it was renamed to."""
    repo = repos.find(hub(), type, namespace, body.text("name"))
    access.require(actor(), Action.READ, repo)
    if repo.repo_id.lower() != f"{namespace}/{body.text('name')}".lower():
        raise Conflict(f"{namespace}/{body.text('name')} is now called {repo.repo_id}. Use that name.")
    return repo


def _refuse(error: Conflict | Forbidden, type: RepoType, namespace: str, name: str) -> NoReturn:
    """Tell the address of the repo if it is there: clients with ``exist_ok`` go on with it, whoever may make repos."""
    try:
        taken = repos.find(hub(), type, namespace, name)
    except RepoNotFound:
        raise error from None
    if taken.repo_id.lower() != f"{namespace}/{name}".lower() or not access.may_read(actor(), taken):
        raise error
    g.error_fields = {"url": _url(taken)}
    raise Conflict(f"A {type} repository called {taken.repo_id} already exists.") from error


def _url(repo: Repo) -> str:
    return f"{public_url()}{repo.path}"


def _type(body: JsonBody) -> RepoType:
    asked = body.text("type", "model")
    if asked not in ("model", "dataset"):
        raise Invalid(f"This hub keeps models and datasets, not a {asked[:40]!r}.")
    return "dataset" if asked == "dataset" else "model"


def _gated(body: JsonBody) -> Gate | None:
    asked = body.fields.get("gated")
    if asked is None or asked is False:
        return "" if asked is False else None
    found = next((mode for mode in GATES if mode and mode == asked), None)
    if found is None:
        raise Invalid("gated is auto, manual or false.")
    return found


def _private(body: JsonBody) -> bool | None:
    visibility = body.text("visibility", "")
    if visibility not in ("", "public", "private"):
        raise Invalid(f"visibility is public or private, not {visibility[:40]!r}.")
    return visibility == "private" if visibility else body.maybe_flag("private")
