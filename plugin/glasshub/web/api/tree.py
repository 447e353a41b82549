"""Files of a repo: listings by folder and by path."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, Response, jsonify, request

from glasshub import gates, large_files
from glasshub.blobs.pointer import Pointer
from glasshub.errors import EntryNotFound, Invalid
from glasshub.git.pointers import pointers_among
from glasshub.git.read import (
    TreeEntry,
    entry,
    last_changes,
    list_tree,
    open_repo,
    resolve_revision,
    split_revision_path,
)
from glasshub.identity import Repo
from glasshub.web.api.arguments import KIND, api_repo, flag, limit, paged, skipped, truth
from glasshub.web.api.repo_json import lfs_json
from glasshub.web.context import actor, hub

bp = Blueprint("api_tree", __name__)
_PAGE, _PAGE_EXPANDED = 1000, 50


@bp.get(f"/api/{KIND}/<ns>/<name>/tree/<path:rest>")
def tree(kind: str, ns: str, name: str, rest: str) -> Response:
    """The entries below a folder; ``expand`` adds the commit that last changed each."""
    start = skipped()
    repo = api_repo(kind, ns, name)
    with open_repo(hub().git_dir(repo)) as git_repo:
        revision, path = split_revision_path(git_repo, rest)
        entries = list_tree(git_repo, revision.commit, path, recursive=flag("recursive"))
        size = limit(_PAGE_EXPANDED if flag("expand") else _PAGE, _PAGE)
        page = entries[start : start + size]
        items = _items(repo, git_repo, revision.commit, page, expand=flag("expand"))
    return paged(items, str(start + size) if start + size < len(entries) else None)


@bp.post(f"/api/{KIND}/<ns>/<name>/paths-info/<path:revision>")
def paths_info(kind: str, ns: str, name: str, revision: str) -> Response:
    """The entries at the paths of the form (or JSON body); paths that do not exist are left out."""
    body = request.get_json(silent=True) if request.is_json else None
    paths = body.get("paths", []) if isinstance(body, dict) else request.form.getlist("paths")
    expand = bool(body.get("expand")) if isinstance(body, dict) else truth(request.form.get("expand", ""))
    if not isinstance(paths, list) or len(paths) > 1000 or not all(isinstance(path, str) for path in paths):
        raise Invalid("paths must be a list of at most 1,000 paths.")
    repo = api_repo(kind, ns, name)
    with open_repo(hub().git_dir(repo)) as git_repo:
        commit = resolve_revision(git_repo, revision).commit
        found = [item for item in (_maybe(git_repo, commit, path) for path in paths) if item is not None]
        return jsonify(_items(repo, git_repo, commit, found, expand=expand))


def _maybe(git_repo: GitRepo, commit: str, path: str) -> TreeEntry | None:
    try:
        return entry(git_repo, commit, path)
    except EntryNotFound:
        return None


def _items(
    repo: Repo, git_repo: GitRepo, commit: str, entries: list[TreeEntry], *, expand: bool
) -> list[dict[str, Any]]:
    changes = last_changes(git_repo, commit, [item.path for item in entries]) if expand else {}
    pointers = pointers_among(git_repo, entries)
    chunked = _xet_hashes(repo, pointers.values())
    items = []
    for item in entries:
        # A submodule has no bytes here; as a file, clients would try to fetch it.
        kind = "directory" if item.kind in ("directory", "submodule") else "file"
        found: dict[str, Any] = {"type": kind, "oid": item.oid, "size": item.size, "path": item.path}
        if (pointer := pointers.get(item.oid)) is not None and item.kind == "file":
            found.update({"size": pointer.size, "lfs": lfs_json(item, pointer), **chunked.get(pointer.sha256, {})})
        change = changes.get(item.path)
        if change is not None:
            found["lastCommit"] = {"id": change.id, "title": change.title, "date": change.date}
        items.append(found)
    return items


def _xet_hashes(repo: Repo, pointers: Collection[Pointer]) -> dict[str, dict[str, str]]:
    """What leads Xet clients straight to the chunks of large files, by SHA-256, if the asker may have them."""
    if not pointers or not gates.may_read_files(hub(), actor(), repo):
        return {}
    found = large_files.find(hub(), repo, pointers)
    return {sha256: {"xetHash": file.xet_hash} for sha256, file in found.items() if file.xet_hash}
