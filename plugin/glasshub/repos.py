"""Repos: find by name (old names too), create, change, move, delete. Rules and use cases."""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from pathlib import Path

from sqlalchemy import Connection

from glasshub import access, accounts, clock, indexing, large_files
from glasshub.access import Action
from glasshub.errors import Busy, Conflict, Forbidden, GlasshubError, Invalid, RepoNotFound
from glasshub.git.lock import repo_lock
from glasshub.git.read import create_repo
from glasshub.hub import Hub
from glasshub.identity import REPO_TYPES, Actor, Gate, Repo, RepoType
from glasshub.names import check_repo_name
from glasshub.plugins import RepoAction
from glasshub.registry import gates as gate_rows
from glasshub.registry import repos as rows

ORPHAN_GRACE = 3600  # seconds: a folder without a row may belong to a creation still under way
TRASH = ".trash"
_log = logging.getLogger(__name__)


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


def find_readable(hub: Hub, actor: Actor, type: RepoType, namespace: str, name: str) -> Repo:
    """As :func:`find`, for somebody who asks.

    Raises:
        RepoNotFound: there is none for this actor. The error has the name that was asked for: the one that a
            private repo has now, or how it is spelled, would betray it.
    """
    found = find(hub, type, namespace, name)
    if not access.may_read(actor, found):
        raise access.repo_not_found(f"{namespace}/{name.removesuffix('.git')}")
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


def create(
    hub: Hub, actor: Actor, type: RepoType, namespace: str, name: str, *, private: bool = False, gated: Gate = ""
) -> Repo:
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
    repo = Repo(
        secrets.token_hex(12), type, owner.name, name, private, clock.now(), actor.name or owner.name, gated=gated
    )  # fmt: skip
    with hub.registry.read() as db:
        _require_free(rows.find(db, type, repo.repo_id), repo.type, repo.repo_id)
    path = hub.git_dir(repo)
    path.parent.mkdir(exist_ok=True)
    create_repo(path)
    try:
        with hub.registry.write() as db:
            _require_free(rows.find(db, type, repo.repo_id), repo.type, repo.repo_id)
            rows.add(db, repo)
            if gated:
                gate_rows.set_mode(db, repo.key, gated, clock.now())
    except GlasshubError:
        shutil.rmtree(path, ignore_errors=True)
        raise
    indexing.sync_repo(hub, repo.key)
    _tell(hub, repo, "create", actor)
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
    hub: Hub,
    actor: Actor,
    repo: Repo,
    *,
    private: bool | None = None,
    allow_force_push: bool | None = None,
    pulls_enabled: bool | None = None,
    gated: Gate | None = None,
) -> Repo:
    """Change settings (needs ADMINISTER); the index follows at once.

    Whoever was let in to a gated repo stays so, however it is gated later.

    Raises:
        Busy: the registry or the index could not be had in time. In the second case the setting is changed, and
            what is listed follows at the next push or start: send it again to be sure.
    """
    asked = {"private": private, "allow_force_push": allow_force_push, "pulls_enabled": pulls_enabled}
    with hub.registry.write() as db:
        _require_admin(db, actor, repo)
        rows.update(db, repo.key, **{name: value for name, value in asked.items() if value is not None})
        if gated is not None:
            gate_rows.set_mode(db, repo.key, gated, clock.now())
    indexing.sync_repo(hub, repo.key)
    changed = by_key(hub, repo.key)
    _tell(hub, changed, "update", actor)
    return changed


def move(hub: Hub, actor: Actor, repo: Repo, namespace: str, name: str) -> Repo:
    """Rename or transfer (needs ADMINISTER here and may_create there); the old name redirects until it is reused.

    Raises:
        Conflict: the new name is taken ("A model repository called ns/name already exists").
    """
    owner = accounts.find(hub, namespace)
    with hub.registry.write() as db:
        current = _require_admin(db, actor, repo)
        _require_may_create(actor, owner.name)
        check_repo_name(name)
        taken = rows.find(db, repo.type, f"{owner.name}/{name}")
        if taken is not None and taken.key != repo.key:
            _require_free(taken, repo.type, f"{owner.name}/{name}")
        rows.rename(db, current, owner.name, name)
    indexing.sync_repo(hub, repo.key)
    moved = by_key(hub, repo.key)
    _tell(hub, moved, "move", actor)
    return moved


def delete(hub: Hub, actor: Actor, repo: Repo) -> None:
    """Delete for good (needs ADMINISTER): registry row first, then index, then the folder.

    Large files stay for their grace, which begins now (:mod:`glasshub.pruning`).
    """
    access.require(actor, Action.ADMINISTER, repo)
    large_files.touch_all(hub, repo)
    with hub.registry.write() as db:
        _require_admin(db, actor, repo)
    withdraw(hub, actor, repo)


def withdraw(hub: Hub, actor: Actor, repo: Repo) -> None:
    """Take a repo away, whoever asks: for those who just made it and could not finish."""
    with hub.registry.write() as db:
        rows.delete(db, repo.key)
    try:
        indexing.sync_repo(hub, repo.key)
    finally:
        _discard(hub, repo.key)
    _tell(hub, repo, "delete", actor)


def approve_benchmark(hub: Hub, repo: Repo, *, approved: bool = True) -> None:
    """Let a dataset gather leaderboards where the setting ``benchmarks`` is ``shortlist``, or stop it."""
    if repo.type != "dataset":
        raise Invalid(f"{repo.repo_id} is a model; only datasets can be benchmarks.")
    with hub.registry.write() as db:
        rows.update(db, repo.key, approved=approved)
    indexing.sync_repo(hub, repo.key)


def sweep(hub: Hub) -> int:
    """Finish what a crash left of creations and deletions; returns how many folders went.

    A folder that the registry does not know goes only if the registry says that it was deleted, or if it is old and
    holds no ref: a registry put in place by mistake must not cost anybody's work. ``glasshub check`` names the rest.
    """
    with hub.registry.read() as db:
        deleted = rows.deleted(db)
    gone = sum(_discard(hub, key) for key in deleted)
    for path in (hub.settings.repos_dir / TRASH).glob("*"):
        shutil.rmtree(path, ignore_errors=True)
    known = {repo.key for repo in every(hub)}
    for path in hub.settings.repos_dir.glob("[0-9a-f][0-9a-f]/*.git*"):
        if path.name.split(".", 1)[0] not in known and _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
            gone += 1
    return gone


def _is_abandoned(path: Path) -> bool:
    try:
        old = time.time() - path.stat().st_mtime > ORPHAN_GRACE
    except FileNotFoundError:
        return False  # whoever made it has finished or taken it back
    return old and not ((path / "packed-refs").exists() or any(ref.is_file() for ref in (path / "refs").rglob("*")))


def _discard(hub: Hub, key: str) -> bool:
    """Remove the folder of a deleted repo once no write to it is under way; whether it is gone."""
    trash = hub.settings.repos_dir / TRASH
    trash.mkdir(exist_ok=True)
    for path in hub.settings.repos_dir.glob(f"{key[:2]}/{key}.git"):
        try:
            with repo_lock(path, timeout=hub.settings.lock_timeout):
                target = path.rename(trash / path.name)
        except (Busy, RepoNotFound, OSError):
            _log.exception("the folder of deleted repo %s stays until the next start", key)
            return False
        shutil.rmtree(target, ignore_errors=True)
    with hub.registry.write() as db:
        rows.forget_deletion(db, key)
    return True


def _tell(hub: Hub, repo: Repo, action: RepoAction, actor: Actor) -> None:
    """Let plugins hear of a change. It is made: nothing here may fail it."""
    try:
        hub.plugins.hook.repo_changed(repo=repo, action=action, actor=actor, hub=hub)
    except GlasshubError:
        _log.exception("a plugin failed after the change of %s", repo.repo_id)


def _require_admin(db: Connection, actor: Actor, repo: Repo) -> Repo:
    """The repo as it is now, if the actor may administer it: it may have moved or gone since it was loaded."""
    current = rows.by_key(db, repo.key)
    if current is None:
        raise access.repo_not_found(repo.repo_id)
    access.require(actor, Action.ADMINISTER, current)
    return current


def _require_may_create(actor: Actor, namespace: str) -> None:
    if not access.may_create_in(actor, namespace):
        raise Forbidden(f"You may not create repos in {namespace}. Ask one of its admins for the role contributor.")


def _require_free(taken: Repo | None, type: str, repo_id: str) -> None:
    # An old name that only redirects may be taken again.
    if taken is not None and taken.repo_id.lower() == repo_id.lower():
        raise Conflict(f"A {type} repository called {taken.repo_id} already exists. Choose another name.")
