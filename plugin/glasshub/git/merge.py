"""Merging two commits without a work tree: three-way by file, then by line.

What one side alone changed is taken; what both changed alike is taken once; lines that both changed differently are
a conflict, and so is a file that one side changed and the other removed. (dulwich can merge too, but needs a library
under the GPL and takes text that looks like a conflict marker for a conflict.)
"""

from __future__ import annotations

import difflib
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tree

from glasshub.errors import RevisionNotFound
from glasshub.git.ancestry import lookup
from glasshub.git.attributes import NAME as ATTRIBUTES
from glasshub.git.build import Signature, empty_tree, make_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.squashed import merge_base

MAX_MERGED_BYTES = 2 * 1024**2  # larger files that both sides changed are conflicts
_MAX_LINES = 20_000
_MAX_PAIRS = 4_000_000  # pairs of equal lines: comparing texts of one repeated line takes the square of its count
_ABSENT = (0, ObjectID(b""))
Entry = tuple[int, ObjectID]  # mode and id; _ABSENT where there is none


@dataclass(slots=True)
class MergedTree:
    """The tree that a merge makes (``""`` when there are conflicts) and the paths in conflict, in order."""

    tree: str = ""
    conflicts: list[str] = field(default_factory=list)


def merge_trees(quarantine: Quarantine, ours: str, theirs: str) -> MergedTree:
    """Merge the trees of two commits over their merge base (none: as if both had begun empty).

    Args:
        quarantine: its store is read, and takes the new trees and blobs; drop it to have only looked.
        ours: a commit id, as a rule ``main``'s.
        theirs: the other one.

    Raises:
        RevisionNotFound: there is no such commit.
    """
    store = quarantine.store
    base = merge_base(quarantine.view, ours, theirs)
    merger = _Merger(quarantine)
    entries = [(stat.S_IFDIR, tree_of(store, commit)) if commit else _ABSENT for commit in (base, ours, theirs)]
    mode, oid = merger.merge("", entries[0], entries[1], entries[2])
    if merger.conflicts:
        return MergedTree("", sorted(merger.conflicts))
    return MergedTree((oid if mode else empty_tree(quarantine)).decode("ascii"))


def merge_commit(
    quarantine: Quarantine, parents: Sequence[str], tree: str, *, message: str, author: Signature, committer: Signature
) -> str:
    """Put a commit of ``tree`` on top of ``parents`` (two for a merge, one for a squash); returns its id."""
    oid = ObjectID(tree.encode("ascii"))
    return quarantine.add(make_commit(oid, parents, message, author, committer))


def tree_of(store: BaseObjectStore, commit_id: str) -> ObjectID:
    """The tree of a commit. Raises ``RevisionNotFound``."""
    commit = lookup(store, ObjectID(commit_id.encode("ascii")))
    if not isinstance(commit, Commit):
        raise RevisionNotFound(f"Revision Not Found: there is no commit {commit_id[:40]!r} here.")
    return ObjectID(commit.tree)


class _Merger:
    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self.conflicts: list[str] = []

    def merge(self, path: str, base: Entry, ours: Entry, theirs: Entry) -> Entry:
        """The entry at ``path`` after the merge; what cannot be merged is noted, and ours is kept."""
        if ours == theirs or theirs == base:
            return ours
        if ours == base:
            return theirs
        if path.rpartition("/")[2] == ATTRIBUTES and all(stat.S_ISREG(mode) for mode, _ in (ours, theirs)):
            return self._merge_files(path, base, ours, theirs)
        folders = [stat.S_ISDIR(mode) for mode, _ in (base, ours, theirs)]
        if folders[1] and folders[2]:
            return self._merge_folders(path, base if folders[0] else _ABSENT, ours, theirs)
        if _ABSENT not in (base, ours, theirs) and all(stat.S_ISREG(mode) for mode, _ in (base, ours, theirs)):
            return self._merge_files(path, base, ours, theirs)
        if folders[0] and _ABSENT in (ours, theirs):
            return self._merge_folders(path, base, ours, theirs)  # names the files that stand in the way
        self.conflicts.append(path)
        return ours

    def _merge_folders(self, path: str, base: Entry, ours: Entry, theirs: Entry) -> Entry:
        sides = [self._entries(side) for side in (base, ours, theirs)]
        tree = Tree()
        for name in sorted({name for side in sides for name in side}):
            shown = name.decode("utf-8", "surrogateescape")
            mode, oid = self.merge(f"{path}/{shown}" if path else shown, *(side.get(name, _ABSENT) for side in sides))
            if mode:
                tree.add(name, mode, oid)
        if self.conflicts or not len(tree):
            return ours if self.conflicts else _ABSENT
        self._quarantine.add(tree)
        return stat.S_IFDIR, tree.id

    def _entries(self, side: Entry) -> dict[bytes, Entry]:
        if side == _ABSENT or not stat.S_ISDIR(side[0]):
            return {}
        tree = self._quarantine.store[side[1]]
        assert isinstance(tree, Tree)
        return {entry.path: (entry.mode, entry.sha) for entry in tree.items()}

    def _merge_files(self, path: str, base: Entry, ours: Entry, theirs: Entry) -> Entry:
        mode = theirs[0] if ours[0] == base[0] else ours[0]
        if ours[1] == theirs[1] or theirs[1] == base[1]:
            return mode, ours[1]
        if ours[1] == base[1]:
            return mode, theirs[1]
        versions = (self._data(oid) for _, oid in (base, ours, theirs))
        # Whoever brings a large file may add a line to it: lines that both sides added do not contradict.
        merged = merge_lines(*versions, union=path.rpartition("/")[2] == ATTRIBUTES)
        if merged is None:
            self.conflicts.append(path)
            return ours
        blob = Blob.from_string(merged)
        self._quarantine.add(blob)
        return mode, blob.id

    def _data(self, oid: ObjectID) -> bytes:
        return self._quarantine.store.get_raw(oid)[1] if oid else b""


def merge_lines(base: bytes, ours: bytes, theirs: bytes, *, union: bool = False) -> bytes | None:
    """Merge three versions of a text by lines; ``None`` when both sides changed the same place differently.

    With ``union`` lines that both sides added at the same place are taken one after the other.

    Files that are binary or too large to compare are not merged.
    """
    versions = (base, ours, theirs)
    if any(len(data) > MAX_MERGED_BYTES or b"\0" in data[:8000] for data in versions):
        return None
    lines = [data.splitlines(keepends=True) for data in versions]
    if sum(map(len, lines)) > 3 * _MAX_LINES or max(_pairs(lines[0], side) for side in lines[1:]) > _MAX_PAIRS:
        return None
    merged: list[bytes] = []
    for old, mine, other in _pieces(*lines):
        if mine != old and other not in (old, mine):
            if old or not union:
                return None
            both = [line if line.endswith(b"\n") else line + b"\n" for line in (*mine, *other)]
            merged += dict.fromkeys(both)
            continue
        merged += mine if mine != old else other
    return b"".join(merged)


Lines = Sequence[bytes]


def _pieces(base: Lines, ours: Lines, theirs: Lines) -> Iterator[tuple[Lines, Lines, Lines]]:
    """The three versions cut at the lines that all of them have: pieces of (base, ours, theirs)."""
    here = (0, 0, 0)
    for common in [*_common(base, ours, theirs), (len(base), len(ours), len(theirs), 0)]:
        *begin, length = common
        if tuple(begin) != here:
            yield tuple(side[a:b] for side, a, b in zip((base, ours, theirs), here, begin, strict=True))  # type: ignore[misc]
        if length:
            same = base[begin[0] : begin[0] + length]
            yield same, same, same
        here = (begin[0] + length, begin[1] + length, begin[2] + length)


def _common(base: Lines, ours: Lines, theirs: Lines) -> Iterator[tuple[int, int, int, int]]:
    """Runs of lines that are in all three: where each begins, and its length."""
    mine, other = _matches(base, ours), _matches(base, theirs)
    at = 0
    while at < len(base):
        start = at
        while at < len(base) and _goes_on(mine, other, start, at):
            at += 1
        if at > start:
            yield start, mine[start], other[start], at - start
        else:
            at += 1


def _goes_on(mine: dict[int, int], other: dict[int, int], start: int, at: int) -> bool:
    both = at in mine and at in other
    return both and mine[at] - mine[start] == at - start and other[at] - other[start] == at - start


def _pairs(base: Lines, side: Lines) -> int:
    times = Counter(side)
    return sum(count * times[line] for line, count in Counter(base).items())


def _matches(base: Lines, side: Lines) -> dict[int, int]:
    """Line number in ``base`` -> line number in ``side``, for lines that are the same."""
    matcher = difflib.SequenceMatcher(None, base, side, autojunk=False)
    return {a + n: b + n for a, b, length in matcher.get_matching_blocks() for n in range(length)}
