"""Repos: find by name (old names too), create, change, move, delete. Rules and use cases."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

from glasshub import access, accounts, clock, indexing
from glasshub.access import Action
from glasshub.errors import Conflict, Forbidden, Invalid, RepoNotFound
from glasshub.git.lock import repo_lock
from glasshub.git.read import create_repo
from glasshub.hub import Hub
from glasshub.identity import REPO_TYPES, Actor, Repo, RepoType
from glasshub.names import check_repo_name
from glasshub.registry import repos as rows

ORPHAN_GRACE = 3600  # seconds: a folder without a row may belong to a creation still under way


def find(hub: Hub, type: RepoType, namespace: str, name: str) -> Repo:
    """The repo of that name, without regard to case, following redirects of moved repos. No access check.

    The caller sees from the answer's name whether it was redirected. A trailing ``.git`` is not part of a name.

    Raises:
        RepoNotFound: there is none.
    """
    repo_id = f"{namespace}/{name.removesuffix('.git')}"
    with hub.registry.read() as db:
        found = rows.find(db, type, repo_id)
    if found is None:
        raise access.repo_not_found(repo_id)
    return found


def by_key(hub: Hub, key: str) -> Repo:
    """The repo with this key. Raises ``RepoNotFound``."""
    with hub.registry.read() as db:
        found = rows.by_key(db, key)
    if found is None:
        raise RepoNotFound("This repo has been deleted.")
    return found


def every(hub: Hub) -> list[Repo]:
    """All repos, by key."""
    with hub.registry.read() as db:
        return rows.every(db)


def create(hub: Hub, actor: Actor, type: RepoType, namespace: str, name: str, *, private: bool = False) -> Repo:
    """Create an empty repo (git folder first, then the registry row, then the index).

    Raises:
        Invalid: the name is not allowed.
        AccountNotFound: no such namespace.
        Forbidden: the actor may not create there.
        Conflict: the name is taken ("A model repository called ns/name already exists").
    """
    if type not in REPO_TYPES:
        raise Invalid(f"A repo is a {' or a '.join(REPO_TYPES)}, not a {type!r}.")
    owner = accounts.find(hub, namespace)
    _require_may_create(actor, owner.name)
    check_repo_name(name)
    repo = Repo(secrets.token_hex(12), type, owner.name, name, private, clock.now(), actor.name or owner.name)
    with hub.registry.read() as db:
        _require_free(rows.find(db, type, repo.repo_id), repo.type, repo.repo_id)
    path = hub.git_dir(repo)
    path.parent.mkdir(exist_ok=True)
    create_repo(path)
    try:
        with hub.registry.write() as db:
            _require_free(rows.find(db, type, repo.repo_id), repo.type, repo.repo_id)
            rows.add(db, repo)
    except Conflict:
        shutil.rmtree(path)
        raise
    indexing.sync_repo(hub, repo.key)
    return repo


def find_or_create_for_push(hub: Hub, actor: Actor, type: RepoType, namespace: str, name: str) -> Repo:
    """The repo a push is meant for, made now if it is missing, the setting allows it and the actor may.

    Raises:
        RepoNotFound: it is missing and is not to be made.
    """
    try:
        return find(hub, type, namespace, name)
    except RepoNotFound:
        if not (hub.settings.create_on_push and access.may_create_in(actor, namespace)):
            raise
    try:
        return create(hub, actor, type, namespace, name.removesuffix(".git"))
    except Conflict:
        return find(hub, type, namespace, name)  # another push made it a moment ago


def configure(
    hub: Hub, actor: Actor, repo: Repo, *, private: bool | None = None, allow_force_push: bool | None = None
) -> Repo:
    """Change settings (needs ADMINISTER); the index follows at once."""
    access.require(actor, Action.ADMINISTER, repo)
    asked = {"private": private, "allow_force_push": allow_force_push}
    values = {name: value for name, value in asked.items() if value is not None}
    if values:
        with hub.registry.write() as db:
            rows.update(db, repo.key, **values)
        indexing.sync_repo(hub, repo.key)
    return by_key(hub, repo.key)


def move(hub: Hub, actor: Actor, repo: Repo, namespace: str, name: str) -> Repo:
    """Rename or transfer (needs ADMINISTER here and may_create there); the old name redirects until it is reused.

    Raises:
        Conflict: the new name is taken ("A model repository called ns/name already exists").
    """
    access.require(actor, Action.ADMINISTER, repo)
    owner = accounts.find(hub, namespace)
    _require_may_create(actor, owner.name)
    check_repo_name(name)
    with hub.registry.write() as db:
        taken = rows.find(db, repo.type, f"{owner.name}/{name}")
        if taken is not None and taken.key != repo.key:
            _require_free(taken, repo.type, f"{owner.name}/{name}")
        rows.rename(db, rows.by_key(db, repo.key) or repo, owner.name, name)
    indexing.sync_repo(hub, repo.key)
    return by_key(hub, repo.key)


def delete(hub: Hub, actor: Actor, repo: Repo) -> None:
    """Delete for good (needs ADMINISTER): registry row first, then index, then the folder."""
    access.require(actor, Action.ADMINISTER, repo)
    with hub.registry.write() as db:
        rows.delete(db, repo.key)
    indexing.sync_repo(hub, repo.key)
    _discard(hub, hub.git_dir(repo))


def approve_benchmark(hub: Hub, repo: Repo, *, approved: bool = True) -> None:
    """Let a dataset gather leaderboards where the setting ``benchmarks`` is ``shortlist``, or stop it."""
    if repo.type != "dataset":
        raise Invalid(f"{repo.repo_id} is a model; only datasets can be benchmarks.")
    with hub.registry.write() as db:
        rows.update(db, repo.key, approved=approved)
    indexing.sync_repo(hub, repo.key)


def sweep(hub: Hub) -> int:
    """Remove folders that no repo owns (left by a crash in a creation or deletion); returns how many."""
    known = {repo.key for repo in every(hub)}
    gone = 0
    for path in hub.settings.repos_dir.glob("*/*.git*"):
        orphan = path.name.split(".", 1)[0] not in known and time.time() - path.stat().st_mtime > ORPHAN_GRACE
        if orphan or path.parent.name == ".trash":
            shutil.rmtree(path, ignore_errors=True)
            gone += 1
    return gone


def _discard(hub: Hub, path: Path) -> None:
    trash = hub.settings.repos_dir / ".trash"
    trash.mkdir(exist_ok=True)
    if path.exists():
        with repo_lock(path, timeout=hub.settings.lock_timeout):  # a push under way ends first
            target = path.rename(trash / path.name)
        shutil.rmtree(target, ignore_errors=True)


def _require_may_create(actor: Actor, namespace: str) -> None:
    if not access.may_create_in(actor, namespace):
        raise Forbidden(f"You may not create repos in {namespace}. Ask one of its admins for the role contributor.")


def _require_free(taken: Repo | None, type: str, repo_id: str) -> None:
    # An old name that only redirects may be taken again.
    if taken is not None and taken.repo_id.lower() == repo_id.lower():
        raise Conflict(f"A {type} repository called {taken.repo_id} already exists. Choose another name.")
