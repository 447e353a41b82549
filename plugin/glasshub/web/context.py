"""What every view needs of the request: the hub, who asks, the repo in the address, the hub's own address."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, request

from glasshub import access, gates, repos
from glasshub.access import Action
from glasshub.hub import Hub
from glasshub.identity import ANONYMOUS, Actor, Repo, RepoType

EXTENSION = "glasshub"


class Moved(Exception):
    """The address names a repo by an old name; the answer is a redirect to ``location`` (path and query)."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


def hub() -> Hub:
    """The hub this application serves."""
    return cast(Hub, current_app.extensions[EXTENSION])


def actor() -> Actor:
    """Who asks, as :mod:`glasshub.web.auth` found out."""
    return cast(Actor, g.get("actor", ANONYMOUS))


def public_url() -> str:
    """The address clients see, without a trailing slash (the setting, or the request's own)."""
    return hub().settings.public_url or request.host_url.rstrip("/")


def load_repo(
    type: RepoType, namespace: str, name: str, action: Action = Action.READ_FILES, *, redirect: bool = True
) -> Repo:
    """The repo that the address names, once the actor is allowed ``action`` on it.

    Content is the default: who forgets to say that they give out less gives nobody too much.

    With ``redirect`` off, an old name serves as well as the new one: for clients that would not follow.

    Raises:
        RepoNotFound: missing, or private and not for this actor.
        GatedRepo, GatedRepoSignIn: as :func:`glasshub.gates.require_files`.
        Unauthenticated, Forbidden: as :func:`glasshub.access.require`.
        Moved: the repo has another name now (told only to those who may read it).
    """
    repo = repos.find_readable(hub(), actor(), type, namespace, name)
    wanted = f"{namespace}/{name.removesuffix('.git')}"
    if redirect and repo.repo_id.lower() != wanted.lower():
        raise Moved(_renamed(f"{namespace}/{name}", repo.repo_id))
    if action is Action.READ_FILES:
        gates.require_files(hub(), actor(), repo)
    else:
        access.require(actor(), action, repo)
    return repo


def _renamed(old: str, new: str) -> str:
    path = request.environ.get("RAW_URI") or request.full_path
    return cast(str, path).rstrip("?").replace(f"/{old}", f"/{new}", 1)
