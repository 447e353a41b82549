"""Checks on objects before any ref may point to them, and on whole repositories.

What is refused follows git's own fsck (https://git-scm.com/docs/git-fsck, "fsck messages"): names that
would write outside a work tree or into its ``.git``, malformed trees and commits, and missing objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, NotTreeError, ObjectFormatException
from dulwich.object_store import BaseObjectStore, PackBasedObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree, parse_tree
from dulwich.repo import Repo as GitRepo

from glasshub.errors import Invalid
from glasshub.git.ancestry import lookup
from glasshub.git.pack_read import BLOB, COMMIT, TAG, TREE
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefUpdate

_DIRECTORY, _GITLINK = 0o040000, 0o160000
_MODES = frozenset({_DIRECTORY, 0o100644, 0o100755, 0o100664, 0o120000, _GITLINK})
# Code points that HFS+ leaves out when it compares names, so that ".g\u200cit" is ".git" there.
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_NTFS_DOT_GIT = re.compile(rb"(?:\.git|git~1)[ .]*(?::.*)?", re.IGNORECASE | re.DOTALL)
_PERSON = re.compile(rb"[^<>\n]*<[^<>\n]*> \d+ [+-]\d{4,}")
_NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}


def check_path_part(name: bytes) -> str:
    """Why a tree entry may not have this name (``""`` when it may)."""
    if not name or name in (b".", b".."):
        return f"the name {name.decode() or '(empty)'!r} is not allowed"
    if b"/" in name or b"\0" in name:
        return f"the name {name.decode('utf-8', 'replace')!r} contains a slash or NUL"
    folded = _IGNORED_BY_HFS.sub("", name.decode("utf-8", "surrogateescape")).lower()
    parts = [name, *re.split(rb"[\\/]", name)]  # a backslash is a separator on some clients
    if folded == ".git" or any(_NTFS_DOT_GIT.fullmatch(part) for part in parts) or b".." in parts:
        return f"the name {name.decode('utf-8', 'replace')!r} would reach into .git or out of the folder"
    return ""


class ObjectChecker:
    """Checks objects as they come and collects what they refer to; then :meth:`check_connected`."""

    def __init__(self) -> None:
        self._types: dict[bytes, int] = {}
        self._needed: dict[bytes, tuple[int, bytes]] = {}

    def __call__(self, kind: int, oid: bytes, data: bytes | None) -> None:
        """Check one object. Raises ``Invalid`` naming object and reason."""
        if oid in self._types:
            return
        self._types[oid] = kind
        if kind == TREE:
            self._check_tree(oid, data or b"")
        elif kind == COMMIT:
            self._check_commit(oid, data or b"")
        elif kind == TAG:
            self._check_tag(oid, data or b"")

    def check_connected(self, store: BaseObjectStore) -> None:
        """See that everything referred to is new or in the repository proper, and of the right type.

        Args:
            store: the repository's own objects (no quarantine: another push's may vanish).

        Raises:
            Invalid: something is missing.
        """
        for oid, (kind, owner) in self._needed.items():
            known = self._types.get(oid)
            if known is None:
                known = kind if ObjectID(oid.hex().encode()) in store else 0
            if known == 0:
                raise Invalid(f"object {owner.hex()} refers to {_NAMES[kind]} {oid.hex()}, which is missing")
            if known != kind:
                raise Invalid(f"object {owner.hex()} takes {oid.hex()} for a {_NAMES[kind]}, but it is none")

    def _check_tree(self, oid: bytes, data: bytes) -> None:
        try:
            entries = parse_tree(data, 20, strict=False)
        except (ObjectFormatException, ValueError) as error:
            raise Invalid(f"tree {oid.hex()} is malformed: {error}") from error
        before = b""
        seen = set()
        for name, mode, hexsha in entries:
            reason = check_path_part(name)
            if mode not in _MODES:
                reason = reason or f"the entry {name.decode('utf-8', 'replace')!r} has the unknown mode {mode:o}"
            key = name + b"/" if mode == _DIRECTORY else name
            if name in seen or key <= before:
                reason = reason or "its entries are not sorted, or one appears twice"
            if reason:
                raise Invalid(f"tree {oid.hex()}: {reason}")
            before = key
            seen.add(name)
            if mode != _GITLINK:
                self._needed[bytes.fromhex(hexsha.decode())] = (TREE if mode == _DIRECTORY else BLOB, oid)

    def _check_commit(self, oid: bytes, data: bytes) -> None:
        lines = iter(data.split(b"\n\n", 1)[0].split(b"\n"))
        self._needed[_id_line(oid, next(lines), b"tree ")] = (TREE, oid)
        line = next(lines, b"")
        while line.startswith(b"parent "):
            self._needed[_id_line(oid, line, b"parent ")] = (COMMIT, oid)
            line = next(lines, b"")
        for word, text in ((b"author ", line), (b"committer ", next(lines, b""))):
            if not text.startswith(word) or not _PERSON.fullmatch(text[len(word) :]):
                raise Invalid(f"commit {oid.hex()} has no proper {word.decode()}line")

    def _check_tag(self, oid: bytes, data: bytes) -> None:
        lines = data.split(b"\n\n", 1)[0].split(b"\n")
        target = _id_line(oid, lines[0], b"object ")
        kinds = {b"type " + name.encode(): kind for kind, name in _NAMES.items()}
        if len(lines) < 3 or lines[1] not in kinds or not lines[2].startswith(b"tag "):
            raise Invalid(f"tag {oid.hex()} is malformed")
        self._needed[target] = (kinds[lines[1]], oid)


def _id_line(oid: bytes, line: bytes, word: bytes) -> bytes:
    value = line[len(word) :]
    if not line.startswith(word) or not re.fullmatch(rb"[0-9a-f]{40}", value):
        raise Invalid(f"object {oid.hex()} has no proper {word.decode()}line")
    return bytes.fromhex(value.decode())


def check_made(quarantine: Quarantine) -> None:
    """The same checks for objects the hub made itself (commits of web forms and the API).

    Raises ``Invalid``.
    """
    checker = ObjectChecker()
    for oid in quarantine.new_objects():
        obj = quarantine.store[oid]
        checker(obj.type_num, bytes.fromhex(oid.decode()), obj.as_raw_string())
    checker.check_connected(quarantine.repo.object_store)


def check_tip(quarantine: Quarantine, update: RefUpdate) -> str:
    """Why the new value of a ref cannot be its tip (``""`` when it can): it must exist and be of the right type.

    Branches point to commits; tags to anything that leads to a commit. An object that is neither new nor
    in the repository proper does not exist.
    """
    if update.deletes:
        return ""
    oid = ObjectID(update.new.encode("ascii"))
    found = lookup(quarantine.store, oid)
    if found is None:
        return f"object {update.new} was not sent and is not in the repo"
    if update.ref.startswith("refs/tags/"):
        found = _peel(quarantine.store, found)
    if not isinstance(found, Commit):
        return f"object {update.new} is not a commit, and this ref must point to one"
    return ""


def _peel(store: BaseObjectStore, found: ShaFile | None) -> ShaFile | None:
    for _ in range(16):
        if not isinstance(found, Tag):
            return found
        found = lookup(store, found.object[1])
    return None


def verify_repository(repo: GitRepo) -> list[str]:
    """What is wrong with a repository: broken packs, refs to nowhere, missing or damaged objects.

    Reads every object reachable from a ref once and hashes it again.
    """
    faults = list(_damaged_packs(repo))
    todo: list[tuple[ObjectID, str]] = []
    for ref, value in sorted(repo.refs.as_dict(b"refs").items()):  # type: ignore[arg-type]
        todo.append((value, f"refs/{ref.decode('utf-8', 'replace')}"))
    seen: set[ObjectID] = set()
    while todo:
        oid, owner = todo.pop()
        if oid in seen:
            continue
        seen.add(oid)
        try:
            obj = repo.object_store[oid]
            obj.check()
            if type(obj).from_raw_string(obj.type_num, obj.as_raw_string()).id != oid:
                faults.append(f"object {oid.decode()} (of {owner}) does not hash to its name")
        except KeyError:
            faults.append(f"object {oid.decode()} is missing; {owner} needs it")
        except (ObjectFormatException, ChecksumMismatch, ApplyDeltaError, NotTreeError) as error:
            faults.append(f"object {oid.decode()} (of {owner}) is damaged: {error}")
        else:
            todo += ((child, f"object {oid.decode()}") for child in _children(obj))
    return faults


def _damaged_packs(repo: GitRepo) -> Iterator[str]:
    store = repo.object_store
    if not isinstance(store, PackBasedObjectStore):
        return
    for pack in store.packs:
        try:
            pack.check_length_and_checksum()
        except (AssertionError, ChecksumMismatch) as error:
            yield f"pack {pack.name().decode('ascii', 'replace')} is damaged: {error}"


def _children(obj: ShaFile) -> Iterable[ObjectID]:
    if isinstance(obj, Commit):
        return [obj.tree, *obj.parents]
    if isinstance(obj, Tree):
        return [entry.sha for entry in obj.items() if entry.mode != _GITLINK]
    if isinstance(obj, Tag):
        return [obj.object[1]]
    assert isinstance(obj, Blob)
    return []
