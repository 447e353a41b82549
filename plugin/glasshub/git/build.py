"""Making commits inside the hub (demo, web forms, API): file operations on top of a parent commit."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tree

from glasshub.errors import EntryNotFound, Invalid
from glasshub.git.object_names import check_path_part
from glasshub.git.quarantine import Quarantine

_FILE, _EXECUTABLE, _FOLDER = 0o100644, 0o100755, 0o040000


@dataclass(frozen=True, slots=True)
class Put:
    """Create or replace the file at ``path``."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the file, or the whole folder, at ``path``."""

    path: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who, and when (seconds since the epoch, UTC)."""

    name: str
    email: str
    time: int


def build_commit(
    quarantine: Quarantine,
    parent: str | None,
    operations: Sequence[Put | Delete],
    *,
    message: str,
    author: Signature,
    committer: Signature | None = None,
) -> str:
    """Write blobs, trees and one commit into ``quarantine``; returns the commit id.

    Raises:
        Invalid: a path is unsafe (``..``, ``.git``, empty part, absolute) or clashes (file below a file).
        EntryNotFound: a deletion names nothing ("A file with this name doesn't exist").
    """
    store = quarantine.store
    root = Tree()
    if parent is not None:
        before = store[ObjectID(parent.encode("ascii"))]
        assert isinstance(before, Commit)
        root = _tree(store, before.tree)
    for operation in operations:
        root = _apply(quarantine, store, root, _parts(operation.path), operation) or Tree()
    quarantine.add(root)
    commit = Commit()
    commit.tree = root.id
    commit.parents = [ObjectID(parent.encode("ascii"))] if parent else []
    _sign(commit, author, committer or author)
    commit.encoding = b"UTF-8"
    commit.message = message.encode("utf-8")
    return quarantine.add(commit)


def _sign(commit: Commit, author: Signature, committer: Signature) -> None:
    commit.author, commit.committer = _person(author), _person(committer)
    commit.author_time, commit.commit_time = author.time, committer.time
    commit.author_timezone = commit.commit_timezone = 0


def _person(who: Signature) -> bytes:
    clean = [text.translate({ord(c): None for c in "<>\n\r\0"}).strip() for text in (who.name, who.email)]
    return f"{clean[0] or 'unknown'} <{clean[1]}>".encode()


def _parts(path: str) -> list[bytes]:
    parts = path.rstrip("/").encode("utf-8").split(b"/")
    for part in parts:
        if reason := check_path_part(part):
            raise Invalid(f"{path!r} cannot be a path in a repo: {reason}.")
    return parts


def _tree(store: BaseObjectStore, oid: ObjectID) -> Tree:
    found = store[oid]
    assert isinstance(found, Tree)
    return found.copy()  # type: ignore[return-value]


def _apply(
    quarantine: Quarantine, store: BaseObjectStore, tree: Tree, parts: list[bytes], operation: Put | Delete
) -> Tree | None:
    """``tree`` with the operation done, stored; ``None`` when nothing is left in it."""
    name, rest = parts[0], parts[1:]
    mode, oid = tree[name] if name in tree else (0, ObjectID(b""))
    if rest:
        _change_folder(quarantine, store, tree, parts, operation, mode, oid)
    elif isinstance(operation, Put):
        if stat.S_ISDIR(mode):
            raise Invalid(f"{operation.path!r} is a folder; a file cannot take its place. Delete the folder first.")
        blob = Blob.from_string(operation.data)
        quarantine.add(blob)
        tree[name] = (_EXECUTABLE if operation.executable else _FILE, blob.id)
    else:
        if not mode:
            raise EntryNotFound(f"A file with this name doesn't exist: {operation.path}")
        del tree[name]
    if not len(tree):
        return None
    quarantine.add(tree)
    return tree


def _change_folder(
    quarantine: Quarantine,
    store: BaseObjectStore,
    tree: Tree,
    parts: list[bytes],
    operation: Put | Delete,
    mode: int,
    oid: ObjectID,
) -> None:
    if mode and not stat.S_ISDIR(mode):
        raise Invalid(f"{operation.path!r} lies below a file. Choose another path, or delete that file first.")
    if not mode and isinstance(operation, Delete):
        raise EntryNotFound(f"A file with this name doesn't exist: {operation.path}")
    # A folder made by an earlier operation of this commit lies in quarantine, which the store may not show yet.
    below = _tree(quarantine.store, oid) if mode else Tree()
    changed = _apply(quarantine, store, below, parts[1:], operation)
    if changed is None:
        if mode:
            del tree[parts[0]]
    else:
        tree[parts[0]] = (_FOLDER, changed.id)
