"""git smart HTTP at ``/{ns}/{name}`` and ``/datasets/{ns}/{name}``, with or without ``.git``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dulwich.repo import MemoryRepo
from dulwich.repo import Repo as GitRepo
from flask import Blueprint, Response, request

from glasshub import access, gates, receive, repos
from glasshub.access import Action
from glasshub.errors import Forbidden, RepoNotFound, Unauthenticated
from glasshub.git.advertise import advertise_receive_pack, advertise_upload_pack
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import open_repo
from glasshub.git.receive_pack import CAPABILITIES, serve_receive_pack
from glasshub.git.refs import RefResult, RefUpdate
from glasshub.git.upload_pack import serve_upload_pack
from glasshub.identity import Repo, RepoType
from glasshub.web.body import git_body, push_limits
from glasshub.web.context import actor, hub, load_repo, public_url
from glasshub.web.counting import clone_counter

bp = Blueprint("smart_http", __name__)
HIDDEN = "refs/hub/"


def hidden(ref: str) -> bool:
    """Whether a ref is the hub's own and never advertised to ordinary clients."""
    return ref.startswith(HIDDEN)


def _routes(suffix: str, method: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    def register(view: Callable[..., Response]) -> Callable[..., Response]:
        for prefix, type in (("", "model"), ("/datasets", "dataset")):
            bp.add_url_rule(
                f"{prefix}/<ns>/<name>/{suffix}",
                f"{view.__name__}_{type}",
                view,
                methods=[method],
                defaults={"type": type},
            )
        return view

    return register


@_routes("info/refs", "GET")
def info_refs(type: RepoType, ns: str, name: str) -> Response:
    """The ref advertisement that starts every clone, fetch and push."""
    service = request.args.get("service", "")
    if service == "git-upload-pack":
        with _open(load_repo(type, ns, name)) as git_repo:
            body = advertise_upload_pack(git_repo, version=_version(), hidden=hidden)
    elif service == "git-receive-pack":
        body = _advertise_push(type, ns, name)
    else:
        raise Forbidden("This hub speaks only smart HTTP. Update your git client.")
    return _answer(iter([body]), f"{service}-advertisement")


@_routes("git-upload-pack", "POST")
def upload_pack(type: RepoType, ns: str, name: str) -> Response:
    """Serve a clone or fetch."""
    repo = load_repo(type, ns, name, redirect=False)  # git follows a redirect of info/refs alone
    path, cloned = hub().git_dir(repo), clone_counter(repo)
    body, version = git_body(), _version()

    def stream() -> Iterator[bytes]:
        with open_repo(path) as git_repo:
            yield from serve_upload_pack(git_repo, body, version=version, hidden=hidden, cloned=cloned)

    return _answer(stream(), "git-upload-pack-result")


@_routes("git-receive-pack", "POST")
def receive_pack(type: RepoType, ns: str, name: str) -> Response:
    """Take a push through the one door."""
    repo = repo_to_push(type, ns, name)
    require_content(repo)
    body, who, here, address = git_body(), actor(), hub(), public_url()
    path = here.git_dir(repo)

    def apply(
        incoming: Quarantine, updates: list[RefUpdate], atomic: bool, options: list[str], tell: receive.Tell
    ) -> list[RefResult]:
        return receive.apply_ref_updates(
            here, repo, updates, who, incoming=incoming, atomic=atomic, options=options, tell=tell, base_url=address
        )

    limits = push_limits(here.settings)

    def stream() -> Iterator[bytes]:
        with open_repo(path) as git_repo:
            yield from serve_receive_pack(git_repo, body, limits=limits, apply=apply, hidden=hidden)

    return _answer(stream(), "git-receive-pack-result")


def _advertise_push(type: RepoType, ns: str, name: str) -> bytes:
    try:
        repo = load_repo(type, ns, name, Action.DISCUSS)  # whoever may read may open a pull request
        require_content(repo)
    except RepoNotFound:
        require_may_create(ns, name)
        return advertise_receive_pack(MemoryRepo(), hidden=hidden, capabilities=CAPABILITIES)
    with _open(repo) as git_repo:
        return advertise_receive_pack(git_repo, hidden=hidden, capabilities=CAPABILITIES)


def repo_to_push(type: RepoType, ns: str, name: str) -> Repo:
    """The repo a push goes to, made if it does not exist and the pusher may make it.

    Raises as :func:`glasshub.web.context.load_repo`.
    """
    try:
        return load_repo(type, ns, name, Action.DISCUSS, redirect=False)
    except RepoNotFound:
        require_may_create(ns, name)
        return repos.find_or_create_for_push(hub(), actor(), type, ns, name)


def require_content(repo: Repo) -> None:
    """Return if the actor may read the files that are in the repo, which pushing needs.

    A pack may be made of pieces of what the repo has, and a commit may name files that it did not bring: either would
    tell those who may not read it what is in a gated repo. They propose files by the API and the pages.
    """
    gates.require_files(hub(), actor(), repo)


def require_may_create(ns: str, name: str) -> None:
    """Return if a push by the actor would make this repo. Raises ``Unauthenticated``, ``RepoNotFound``."""
    # Nothing is made before the push itself arrives; a stranger learns no more than that there is no such repo.
    if not actor().signed_in:
        raise Unauthenticated("Sign in to push: any user name, and a token with scope write as password.")
    if not (hub().settings.create_on_push and access.may_create_in(actor(), ns)):
        raise access.repo_not_found(f"{ns}/{name.removesuffix('.git')}")


def _open(repo: Repo) -> GitRepo:
    return open_repo(hub().git_dir(repo))


def _version() -> int:
    asked = re.search(r"(?:^|:)version=([012])(?::|$)", request.headers.get("Git-Protocol", ""))
    return int(asked[1]) if asked else 0


def _answer(body: Iterator[bytes], kind: str) -> Response:
    response = Response(body, content_type=f"application/x-{kind}", direct_passthrough=True)
    response.headers["Cache-Control"] = "no-cache, max-age=0, must-revalidate"
    return response
