"""Locks of Git LFS: list, make, remove, and what git-lfs asks before each push.

Protocol: https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, g, request

from glasshub import path_locks
from glasshub.access import Action
from glasshub.errors import Conflict, Invalid, RepoNotFound
from glasshub.identity import RepoType
from glasshub.path_locks import PathLock
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.lfs import answer, bp, json_object, lfs_routes
from glasshub.web.smart_http import require_may_create

__all__ = ["bp"]
PER_PAGE = 1000


@lfs_routes("locks", "GET")
def list_locks(type: RepoType, ns: str, name: str) -> Response:
    """The locks of a repo; ``path`` or ``id`` choose one."""
    found = path_locks.every(hub(), load_repo(type, ns, name, Action.READ))
    for field, wanted in (("path", request.args.get("path")), ("id", request.args.get("id"))):
        if wanted:
            found = [lock for lock in found if getattr(lock, field) == wanted]
    page, rest = _page(found, request.args)
    return answer({"locks": [_lock(lock) for lock in page], **rest})


@lfs_routes("locks", "POST")
def lock(type: RepoType, ns: str, name: str) -> Response:
    """Lock a path."""
    repo = load_repo(type, ns, name, Action.WRITE)
    path = json_object().get("path")
    if not isinstance(path, str):
        raise Invalid("Name the path that is to be locked.")
    found, made = path_locks.lock(hub(), actor(), repo, path)
    if not made:
        g.error_fields = {"lock": _lock(found)}
        raise Conflict(f"{found.owner} has locked {found.path} already.")
    return answer({"lock": _lock(found)}, 201)


@lfs_routes("locks/verify", "POST")
def verify_locks(type: RepoType, ns: str, name: str) -> Response:
    """Whose locks there are, before a push; a repo that the push will make has none."""
    body = json_object()
    try:
        repo = load_repo(type, ns, name, Action.DISCUSS, redirect=False)
    except RepoNotFound:
        require_may_create(ns, name)
        return answer({"ours": [], "theirs": []})
    page, rest = _page(path_locks.every(hub(), repo), body)
    mine = (actor().name or "").lower()
    ours = [_lock(found) for found in page if found.owner.lower() == mine]
    theirs = [_lock(found) for found in page if found.owner.lower() != mine]
    return answer({"ours": ours, "theirs": theirs, **rest})


@lfs_routes("locks/<id>/unlock", "POST")
def unlock(type: RepoType, ns: str, name: str, id: str) -> Response:
    """Remove a lock; admins remove those of others with ``force``."""
    repo = load_repo(type, ns, name, Action.WRITE)
    force = json_object().get("force") is True
    return answer({"lock": _lock(path_locks.unlock(hub(), actor(), repo, id, force=force))})


def _page(found: Sequence[PathLock], asked: Mapping[str, Any]) -> tuple[Sequence[PathLock], dict[str, str]]:
    start, size = _number(asked.get("cursor"), 0), _number(asked.get("limit"), PER_PAGE) or PER_PAGE
    end = start + min(size, PER_PAGE)
    return found[start:end], {"next_cursor": str(end)} if end < len(found) else {}


def _number(value: object, default: int) -> int:
    if value in (None, ""):
        return default
    text = str(value)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid("limit is a number, and cursor the next_cursor of the answer before.")
    return int(text)


def _lock(lock: PathLock) -> dict[str, Any]:
    return {"id": lock.id, "path": lock.path, "locked_at": lock.locked_at, "owner": {"name": lock.owner}}
