"""Tokens for the store of Xet clients: of one repo, one person and one purpose, and what they stand for later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from flask import Blueprint, Response, jsonify, request

from glasshub import access, accounts, gates, repos
from glasshub.access import Action
from glasshub.errors import AccountNotFound, Forbidden, Unauthenticated
from glasshub.identity import ANONYMOUS, Actor, Repo
from glasshub.web.api.arguments import KIND, repo_type
from glasshub.web.context import actor, hub, load_repo, public_url
from glasshub.web.counting import count_file
from glasshub.web.signed import seal, unseal

bp = Blueprint("api_xet", __name__)
TOKEN_SECONDS = 3600
Scope = Literal["read", "write"]
_ANY_REPO = "*"


@bp.get(f"/api/{KIND}/<ns>/<name>/xet-read-token/<path:_revision>")
def read_token(kind: str, ns: str, name: str, _revision: str) -> Response:
    """Where the content of this repo is read, and a token for it."""
    repo = load_repo(repo_type(kind), ns, name)
    count_file(repo)  # clients that know a file's chunks ask for nothing else of it
    return _token(repo, "read")


@bp.get(f"/api/{KIND}/<ns>/<name>/xet-write-token/<path:_revision>")
def write_token(kind: str, ns: str, name: str, _revision: str) -> Response:
    """Where content for this repo is brought, and a token for it: for whoever may open a pull request."""
    return _token(load_repo(repo_type(kind), ns, name, Action.DISCUSS), "write")


def caller(scope: Scope) -> tuple[Repo, Actor]:
    """The repo and the person that the token of the request stands for, with the rights that they have now.

    Raises:
        Unauthenticated: there is none, or it is not ours, or has expired, or its person is gone.
        Forbidden: it is for reading only.
        RepoNotFound, GatedRepo, GatedRepoSignIn: the person may not read the files of the repo any more.
    """
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise Unauthenticated("Send the token of this repo.")
    said = unseal(authorization.token)
    if "scope" not in said or (scope == "write" and said["scope"] != "write"):
        raise Forbidden("This token is for reading.")
    repo, by = repos.by_key(hub(), said["repo"]), _person(said)
    if scope == "write":
        access.require(by, Action.DISCUSS, repo)  # whoever may bring content need not be one who may read it
    else:
        gates.require_files(hub(), by, repo)
    return repo, by


def _token(repo: Repo, scope: Scope) -> Response:
    only = actor().only_repos
    claims = {
        "repo": repo.key,
        "by": actor().name or "",
        "only": _ANY_REPO if only is None else " ".join(sorted(only)),
        "scope": scope,
    }
    token, expires = seal(claims, seconds=TOKEN_SECONDS)
    url = f"{public_url()}/cas"
    response = jsonify({"accessToken": token, "exp": expires, "casUrl": url})
    response.headers.update({"X-Xet-Cas-Url": url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(expires)})
    return response


def _person(said: Mapping[str, str]) -> Actor:
    if not said["by"]:
        return ANONYMOUS
    try:
        known = accounts.actor_for(hub(), said["by"], scope="write" if said["scope"] == "write" else "read")
        disabled = accounts.find(hub(), said["by"]).disabled
    except AccountNotFound as error:
        raise Unauthenticated("The account of this token is gone.") from error
    if disabled:
        raise Unauthenticated("The account of this token is disabled.")
    return replace(known, only_repos=None if said["only"] == _ANY_REPO else frozenset(said["only"].split()))
