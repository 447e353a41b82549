"""Checks on single objects as they arrive, and what they need to be there besides them.

What is refused follows the messages of https://git-scm.com/docs/git-fsck that are errors there. Two warts of
old histories that git lets pass do so here too: the mode 100664 and the zero-padded mode 040000.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from glasshub.errors import Invalid
from glasshub.git.object_names import check_link_name, check_path_part

COMMIT, TREE, BLOB, TAG = 1, 2, 3, 4
KIND_NAMES = {COMMIT: "commit", TREE: "tree", BLOB: "blob", TAG: "tag"}

_FOLDER_MODES = frozenset({b"40000", b"040000"})
_LINK, _GITLINK = b"120000", b"160000"
_MODES = frozenset({*_FOLDER_MODES, b"100644", b"100755", b"100664", _LINK, _GITLINK})
_ENTRY = rb"([0-7]{5,6}) ([^\0]*)\0(.{20})"
_ENTRIES = re.compile(_ENTRY, re.DOTALL)
_TREE = re.compile(rb"(?:[0-7]{5,6} [^\0]*\0.{20})*+", re.DOTALL)
_PERSON = rb"[^\n\0]*<[^\n\0]*> [0-9]{1,18} [+-][0-9]{4,7}\n"
_COMMIT = re.compile(rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*+)author " + _PERSON + rb"committer " + _PERSON)
_TAG = re.compile(rb"object ([0-9a-f]{40})\ntype (commit|tree|blob|tag)\ntag [^\n\0]+\n(?:tagger " + _PERSON + rb")?")
_REMEMBERED = 200_000

Entry = tuple[bytes, bytes, bytes]
Lookup = Callable[[bytes], int | None]


def tree_entries(data: bytes) -> list[Entry] | None:
    """The entries (mode, name, 20-byte id) of a tree object's bytes, ``None`` if they are not of that form."""
    return _ENTRIES.findall(data) if _TREE.fullmatch(data) else None


def references(kind: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """What a well-formed object names: (kind, 20-byte id). Submodule links name nothing of this repository."""
    if kind == TREE:
        for mode, _, oid in tree_entries(data) or ():
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
        # kind -> 20-byte id named as that kind -> id of an object that names it
        self._named: dict[int, dict[bytes, bytes]] = {kind: {} for kind in KIND_NAMES}
        self._seen: set[Entry] = set()
        self._vouched: set[Entry] = set()

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
        if kind == TREE:
            self._check_tree(oid, data or b"")
        elif kind != BLOB:
            self._check_lines(kind, oid, data or b"")

    def vouch(self, tree: bytes) -> None:
        """Note the entries of a tree of the repository: what they name is there, and need not be looked up again."""
        self._vouched.update(_ENTRIES.findall(tree))

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
        entries = tree_entries(data)
        if entries is None:
            raise Invalid(f"tree {oid.hex()} is malformed")
        names = [name for _, name, _ in entries]
        # Folders sort as if their name ended in a slash, so "a" and "a/" may have others between them.
        keys = [name + b"/" if mode in _FOLDER_MODES else name for mode, name, _ in entries]
        if keys != sorted(keys) or len(set(names)) < len(names):
            raise Invalid(f"tree {oid.hex()}: its entries are not sorted, or one appears twice")
        # Most trees differ little from one already seen; only what is new is worth a look.
        fresh = set(entries) - self._seen - self._vouched
        for entry in fresh:
            self._check_entry(oid, *entry)
        if len(self._seen) > _REMEMBERED:
            self._seen.clear()
        self._seen |= fresh

    def _check_entry(self, owner: bytes, mode: bytes, name: bytes, oid: bytes) -> None:
        reason = check_path_part(name)
        if not reason and mode not in _MODES:
            reason = f"the entry {name.decode('utf-8', 'replace')!r} has the unknown mode {mode.decode()}"
        if not reason and mode == _LINK:
            reason = check_link_name(name)
        if reason:
            raise Invalid(f"tree {owner.hex()}: {reason}")
        if mode != _GITLINK:
            self._named[TREE if mode in _FOLDER_MODES else BLOB].setdefault(oid, owner)

    def _check_lines(self, kind: int, oid: bytes, data: bytes) -> None:
        if not (_COMMIT if kind == COMMIT else _TAG).match(data):
            lines = "tree, parent, author and committer" if kind == COMMIT else "object, type, tag and tagger"
            raise Invalid(f"{KIND_NAMES[kind]} {oid.hex()} is malformed: see its {lines} lines")
        for named_kind, named in references(kind, data):
            self._named[named_kind].setdefault(named, oid)
