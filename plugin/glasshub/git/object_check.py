"""Checks on single objects as they arrive, and what they need to be there besides them.

What is refused follows the messages of https://git-scm.com/docs/git-fsck that are errors there. Two warts of
old histories that git lets pass do so here too: the mode 100664 and the zero-padded mode 040000.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import compress
from typing import NamedTuple

from glasshub.blobs.pointer import Pointer, parse_pointer
from glasshub.errors import Invalid
from glasshub.git.object_names import check_link_name, check_path_part

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
KIND_NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}

_FOLDER_MODES = frozenset({b"40000", b"040000"})
_LINK, _GITLINK = b"120000", b"160000"
_MODES = frozenset({*_FOLDER_MODES, b"100644", b"100755", b"100664", _LINK, _GITLINK})
_TREE_ID = re.compile(rb"\0(.{20})", re.DOTALL)
_PERSON = rb"[^\n\0]*<[^\n\0]*> [0-9]{1,18} [+-][0-9]{4,7}\n"
_COMMIT = re.compile(rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*+)author " + _PERSON + rb"committer " + _PERSON)
_TAG = re.compile(rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\ntag [^\n\0]+\n(?:tagger " + _PERSON + rb")?")
_REMEMBERED = 16 * 1024**2  # bytes of names

Lookup = Callable[[bytes], int | None]


def split_tree(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """The entries of a tree object's bytes: what stands before each id (``mode name``), and the 20-byte ids.

    A malformed tree shows in its last item, which is then no ``mode name`` or has no id.
    """
    parts = _TREE_ID.split(data)
    heads = parts[0::2]
    if not heads[-1]:
        del heads[-1]
    return heads, parts[1::2]


def is_folder(head: bytes) -> bool:
    """Whether an entry of :func:`split_tree` names a tree."""
    return head.startswith((b"40000 ", b"040000 "))


def is_gitlink(head: bytes) -> bool:
    """Whether an entry of :func:`split_tree` is a submodule, which names nothing of this repository."""
    return head.startswith(b"160000 ")


def references(kind: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """What a well-formed object names: (kind, 20-byte id). Submodule links name nothing of this repository.

    Every well-formed commit and tag names something; a malformed one yields nothing.
    """
    if kind == TREE:
        for head, oid in zip(*split_tree(data), strict=False):
            mode = head.partition(b" ")[0]
            if mode != _GITLINK:
                yield (TREE if mode in _FOLDER_MODES else BLOB), oid
    elif kind == COMMIT and (match := _COMMIT.match(data)):
        yield TREE, bytes.fromhex(match[1].decode())
        for line in match[2].split(b"\n")[:-1]:
            yield COMMIT, bytes.fromhex(line[7:].decode())
    elif kind == TAG and (match := _TAG.match(data)):
        target = next(k for k, name in KIND_NAMES.items() if name == match[2].decode())
        yield target, bytes.fromhex(match[1].decode())


class ObjectChecker:
    """Looks at each new object once and collects what it names; :meth:`check_connected` then settles that."""

    def __init__(self) -> None:
        #: 20-byte id -> kind of every object seen
        self.kinds: dict[bytes, int] = {}
        #: 20-byte id -> what it points to, of every new blob that is a Git LFS pointer
        self.pointers: dict[bytes, Pointer] = {}
        # kind -> 20-byte id named as that kind -> id of an object that names it
        self._named: dict[int, dict[bytes, bytes]] = {kind: {} for kind in KIND_NAMES}
        self._vouched: dict[int, set[bytes]] = {kind: set() for kind in KIND_NAMES}
        self._shapes: dict[bytes, _Shape] = {}
        self._remembered = 0

    def check(self, kind: int, oid: bytes, data: bytes | None) -> None:
        """Check one new object.

        Args:
            kind: ``COMMIT``, ``TREE``, ``BLOB`` or ``TAG``.
            oid: its 20-byte id, already known to fit the bytes.
            data: its bytes; ``None`` is enough for a blob.

        Raises:
            Invalid: the object is malformed or dangerous; the message names it and the reason.
        """
        self.kinds[oid] = kind
        if kind == BLOB and data is not None and (pointer := parse_pointer(data)):
            self.pointers[oid] = pointer
        if kind == TREE:
            self._check_tree(oid, data or b"")
        elif kind != BLOB:
            self._check_lines(kind, oid, data or b"")

    def vouch(self, tree: bytes) -> None:
        """Note the entries of a tree of the repository: what they name is there, and need not be looked up again."""
        for kind, oid in references(TREE, tree):
            self._vouched[kind].add(oid)

    def check_connected(self, stored: Lookup) -> None:
        """See that everything named is new or stored, and is what it is taken for.

        Args:
            stored: the kind of an object of the repository proper by 20-byte id, ``None`` if it has none such.
                Objects that wait in another quarantine must not count: they may vanish.

        Raises:
            Invalid: something is missing, or of another kind.
        """
        for kind, oid, owner in self.missing(stored):
            whose = f"{KIND_NAMES[self.kinds[owner]]} {owner.hex()}"
            raise Invalid(
                f"{whose} needs {KIND_NAMES[kind]} {oid.hex()}, which is neither in the push nor in the repo "
                "(or is no such object). If your clone is shallow, run git fetch --unshallow and push again."
            )

    def missing(self, stored: Lookup) -> Iterator[tuple[int, bytes, bytes]]:
        """What is named and not there: (kind, 20-byte id, id of an object that names it)."""
        kinds = self.kinds
        for kind, named in self._named.items():
            for oid, owner in named.items():
                found = kinds.get(oid)
                if found != kind and (found is not None or stored(oid) != kind):
                    yield kind, oid, owner

    def _check_tree(self, oid: bytes, data: bytes) -> None:
        heads, ids = split_tree(data)
        if len(heads) != len(ids):
            raise Invalid(f"tree {oid.hex()} is malformed")
        # In a history most trees have the names and modes of one already seen, and a few new ids.
        key = b"\0".join(heads)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self._check_heads(oid, heads)
            self._remember(key, shape)
        if shape.only:
            self._name(shape.only, ids, oid)
        else:
            self._name(TREE, compress(ids, shape.folders), oid)
            self._name(BLOB, compress(ids, shape.files), oid)

    def _name(self, kind: int, ids: Iterable[bytes], owner: bytes) -> None:
        named = self._named[kind]
        for new in set(ids).difference(named):
            if new not in self._vouched[kind]:
                named[new] = owner

    def _remember(self, key: bytes, shape: _Shape) -> None:
        self._remembered += len(key) + 2 * len(shape.files)
        if self._remembered > _REMEMBERED:
            self._shapes.clear()
            self._remembered = 0
        self._shapes[key] = shape

    def _check_heads(self, oid: bytes, heads: list[bytes]) -> _Shape:
        """Check modes, names and their order."""
        pairs = [head.partition(b" ")[::2] for head in heads]
        for mode, name in pairs:
            if reason := _refuse_entry(mode, name):
                raise Invalid(f"tree {oid.hex()}: {reason}")
        folders = [mode in _FOLDER_MODES for mode, _ in pairs]
        # Folders sort as if their name ended in a slash, so "a" and "a/" may have others between them.
        keys = [name + b"/" if folder else name for (_, name), folder in zip(pairs, folders, strict=True)]
        if keys != sorted(keys) or len({name for _, name in pairs}) < len(pairs):
            raise Invalid(f"tree {oid.hex()}: its entries are not sorted, or one appears twice")
        files = [not folder and mode != _GITLINK for (mode, _), folder in zip(pairs, folders, strict=True)]
        only = TREE if folders and all(folders) else BLOB if files and all(files) else 0
        return _Shape(bytes(folders), bytes(files), only)

    def _check_lines(self, kind: int, oid: bytes, data: bytes) -> None:
        named = list(references(kind, data))
        if not named:
            lines = "tree, parent, author and committer" if kind == COMMIT else "object, type, tag and tagger"
            raise Invalid(f"{KIND_NAMES[kind]} {oid.hex()} is malformed: see its {lines} lines")
        for named_kind, target in named:
            self._named[named_kind].setdefault(target, oid)


class _Shape(NamedTuple):
    """For each entry of a tree: 1 if it names a tree, 1 if it names a blob (a submodule names neither).

    ``only`` is the kind that every entry names, 0 if they differ.
    """

    folders: bytes
    files: bytes
    only: int


def _refuse_entry(mode: bytes, name: bytes) -> str:
    if mode not in _MODES:
        return f"the entry {name.decode('utf-8', 'replace')!r} has the unknown mode {mode.decode('ascii', 'replace')}"
    return check_path_part(name) or (check_link_name(name) if mode == _LINK else "")
