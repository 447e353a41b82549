"""Making commits inside the hub (demo, web forms, API): file operations on top of a parent commit."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree

from glasshub.errors import EntryNotFound, Invalid, RevisionNotFound
from glasshub.git.ancestry import lookup
from glasshub.git.object_names import check_path_part
from glasshub.git.quarantine import Quarantine

_FILE, _EXECUTABLE, _FOLDER = 0o100644, 0o100755, 0o040000
_LONGEST_PART, _LONGEST_PATH = 255, 4096  # bytes, what file systems take
_NOT_IN_NAMES = str.maketrans("", "", "<>\n\r\0")


@dataclass(frozen=True, slots=True)
class Put:
    """Create or replace the file at ``path``."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Put a blob that is in the quarantine or the repository already at ``path``; a file there keeps its mode."""

    path: str
    blob: str


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


Operation = Put | Place | Delete


def build_commit(
    quarantine: Quarantine,
    parent: str | None,
    operations: Sequence[Operation],
    *,
    message: str,
    author: Signature,
    committer: Signature | None = None,
) -> str:
    """Write blobs, trees and one commit into ``quarantine``; returns the commit id.

    Operations are done in order, folders that become empty vanish, and a commit that changes nothing is made
    all the same. Names and e-mail addresses become public with the commit.

    Args:
        quarantine: takes the new objects.
        parent: the commit to build on (40 hex digits), ``None`` for a first commit.
        operations: what to change; paths are relative, with slashes.
        message: the commit message.
        author: who made the change.
        committer: who made the commit (the author by default).

    Raises:
        Invalid: a path is unsafe (``..``, ``.git``, empty part, absolute) or clashes (file below a file).
        EntryNotFound: a deletion names nothing ("A file with this name doesn't exist").
        RevisionNotFound: there is no such parent commit.
    """
    tree = build_tree(quarantine, parent, operations)
    return quarantine.add(make_commit(tree, [parent] if parent else [], message, author, committer or author))


def build_tree(quarantine: Quarantine, parent: str | None, operations: Sequence[Operation]) -> ObjectID:
    """The tree of ``parent`` with the operations done, put into ``quarantine``. Raises as :func:`build_commit`."""
    root = _Folder(quarantine.store, _tree_of(quarantine.store, parent))
    for operation in operations:
        if isinstance(operation, Delete):
            _delete(root, operation)
        else:
            _put(quarantine, root, operation)
    return root.write(quarantine) or empty_tree(quarantine)


def empty_tree(quarantine: Quarantine) -> ObjectID:
    """The id of the tree without entries, put into ``quarantine``."""
    tree = Tree()
    quarantine.add(tree)
    return tree.id


def make_commit(
    tree: ObjectID, parents: Sequence[str], message: str, author: Signature, committer: Signature
) -> Commit:
    """A commit object (not stored yet) of ``tree`` on top of ``parents``; NULs are taken out of the message."""
    commit = Commit()
    commit.tree = tree
    commit.parents = [ObjectID(parent.encode("ascii")) for parent in parents]
    commit.author, commit.committer = _person(author), _person(committer)
    commit.author_time, commit.commit_time = author.time, committer.time
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = message.replace("\0", "").encode("utf-8", "replace")
    return commit


def make_tag(name: str, commit: str, message: str, tagger: Signature) -> Tag:
    """An annotated tag (not stored yet) of a commit."""
    tag = Tag()
    tag.name = name.encode("utf-8")
    tag.object = (Commit, ObjectID(commit.encode("ascii")))
    tag.tagger, tag.tag_time, tag.tag_timezone = _person(tagger), tagger.time, 0
    tag.message = message.replace("\0", "").encode("utf-8", "replace")
    return tag


class _Folder:
    """A folder that may change: read from its tree at first sight, written only if something in it changed."""

    def __init__(self, store: BaseObjectStore, oid: ObjectID | None = None) -> None:
        self._store, self._oid = store, oid
        self._entries: dict[bytes, tuple[int, ObjectID]] = {}
        self._open: dict[bytes, _Folder] = {}
        self._changed = oid is None
        if oid is not None:
            tree = store[oid]
            assert isinstance(tree, Tree)
            self._entries = {entry.path: (entry.mode, entry.sha) for entry in tree.items()}

    def mode(self, name: bytes) -> int:
        """The mode of an entry, 0 when there is none."""
        if name in self._open:
            return 0 if self._open[name].is_empty() else _FOLDER
        return self._entries.get(name, (0, b""))[0]

    def is_empty(self) -> bool:
        """Whether nothing is left below."""
        return not any(self.mode(name) for name in {*self._entries, *self._open})

    def folder(self, name: bytes) -> _Folder:
        """The folder of that name, made if there is none."""
        if name not in self._open:
            mode, oid = self._entries.get(name, (0, None))
            self._open[name] = _Folder(self._store, oid if mode else None)
        return self._open[name]

    def set(self, name: bytes, mode: int, oid: ObjectID) -> None:
        """Put a file."""
        self._changed = self._changed or self._entries.get(name) != (mode, oid)
        self._open.pop(name, None)
        self._entries[name] = (mode, oid)

    def remove(self, name: bytes) -> None:
        """Take an entry out."""
        self._changed = True
        self._open.pop(name, None)
        self._entries.pop(name, None)

    def write(self, quarantine: Quarantine) -> ObjectID | None:
        """Store the folder and what changed below; its tree's id, ``None`` if nothing is left."""
        for name, below in self._open.items():
            oid = below.write(quarantine)
            before = self._entries.pop(name, None)
            if oid is not None:
                self._entries[name] = (_FOLDER, oid)
            self._changed = self._changed or self._entries.get(name) != before
        if not self._changed:
            return self._oid
        if not self._entries:
            return None
        tree = Tree()
        for name, (mode, oid) in self._entries.items():
            tree.add(name, mode, oid)
        quarantine.add(tree)
        return tree.id


def _put(quarantine: Quarantine, root: _Folder, operation: Put | Place) -> None:
    *above, name = _parts(operation.path)
    folder = _descend(root, above, operation.path)
    before = folder.mode(name)
    if stat.S_ISDIR(before):
        raise Invalid(f"{operation.path!r} is a folder; a file cannot take its place. Delete the folder first.")
    if isinstance(operation, Place):
        folder.set(name, before if stat.S_ISREG(before) else _FILE, ObjectID(operation.blob.encode("ascii")))
        return
    blob = Blob.from_string(operation.data)
    quarantine.add(blob)
    folder.set(name, _EXECUTABLE if operation.executable else _FILE, blob.id)


def _delete(root: _Folder, operation: Delete) -> None:
    *above, name = _parts(operation.path.removesuffix("/"))
    folder = root
    for part in above:
        if not stat.S_ISDIR(folder.mode(part)):
            raise EntryNotFound(f"A file with this name doesn't exist: {operation.path}")
        folder = folder.folder(part)
    if not folder.mode(name):
        raise EntryNotFound(f"A file with this name doesn't exist: {operation.path}")
    folder.remove(name)


def _descend(folder: _Folder, parts: Sequence[bytes], path: str) -> _Folder:
    for part in parts:
        mode = folder.mode(part)
        if mode and not stat.S_ISDIR(mode):
            above = part.decode("utf-8", "replace")
            raise Invalid(f"{path!r} lies below {above!r}, which is a file. Choose another path, or delete that first.")
        folder = folder.folder(part)
    return folder


def _parts(path: str) -> list[bytes]:
    try:
        raw = path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid(f"{path!r} cannot be a path in a repo: it is not Unicode text.") from error
    parts = raw.split(b"/")
    for part in parts:
        if reason := check_path_part(part):
            raise Invalid(f"{path!r} cannot be a path in a repo: {reason}.")
    if len(raw) > _LONGEST_PATH or max(map(len, parts)) > _LONGEST_PART:
        raise Invalid(f"The path {path[:80]!r}… is too long. Choose a shorter one.")
    return parts


def _tree_of(store: BaseObjectStore, parent: str | None) -> ObjectID | None:
    if parent is None:
        return None
    commit = lookup(store, ObjectID(parent.encode("ascii", "replace")))
    if not isinstance(commit, Commit):
        raise RevisionNotFound(f"There is no commit {parent} to build on.")
    return ObjectID(commit.tree)


def _person(who: Signature) -> bytes:
    name, email = (text.translate(_NOT_IN_NAMES).strip() for text in (who.name, who.email))
    return f"{name or 'unknown'} <{email}>".encode("utf-8", "replace")
