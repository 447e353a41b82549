"""Which objects a fetch needs: commits by a walk from what is wanted to what is had, then trees by difference."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID, RawObjectID

from glasshub.errors import EntryNotFound
from glasshub.git.commits import CommitReader
from glasshub.git.object_check import is_folder, is_gitlink, split_tree

_CACHE_BYTES = 4 * 1024**2  # of tree objects; taken apart they are about ten times larger
Parents = Callable[[ObjectID], tuple[ObjectID, ...]]
# What stands before each id in a tree (mode and name), and the ids.
Entries = tuple[list[bytes], list[bytes]]


@dataclass(frozen=True, slots=True)
class Filter:
    """A partial clone's filter: leave out all blobs, blobs above a size, or everything but commits."""

    blobs: bool = True
    blob_limit: int | None = None
    trees: bool = True


def missing_commits(commits: CommitReader, wants: Iterable[ObjectID], haves: Iterable[ObjectID]) -> list[ObjectID]:
    """Commits reachable from ``wants`` but not from ``haves``, newest first (as ``rev-list wants ^haves``).

    Where clocks disagree some commits that the client has may be listed too, which is harmless.
    """
    had = set(haves)
    found: list[ObjectID] = []
    heap: list[tuple[int, ObjectID]] = []
    pending: set[ObjectID] = set()
    seen: set[ObjectID] = set()

    def push(oid: ObjectID) -> None:
        seen.add(oid)
        pending.add(oid)
        heapq.heappush(heap, (-commits.time(oid), oid))

    for oid in had.union(wants):
        push(oid)
    open_wants = len(pending - had)
    while open_wants:
        oid = heapq.heappop(heap)[1]
        pending.discard(oid)
        if oid not in had:
            open_wants -= 1
            found.append(oid)
        for parent in commits.parents(oid):
            if oid in had and not commits.is_commit(parent):
                continue  # the client may well have what was removed here
            if oid in had and parent not in had:
                had.add(parent)
                open_wants -= parent in pending
                seen.discard(parent)  # met before as wanted: go through it again, to pass this on
            if parent not in seen:
                open_wants += parent not in had
                push(parent)
    return [oid for oid in found if oid not in had]


def closure(parents: Parents, starts: Iterable[ObjectID]) -> set[ObjectID]:
    """All commits reachable from ``starts`` by ``parents``."""
    todo = list(starts)
    seen = set(todo)
    while todo:
        for parent in parents(todo.pop()):
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return seen


class TreeWalk:
    """Collects trees and blobs, leaving out what the client has. Ids are the 20 bytes of an object's name.

    Args:
        store: where they are.
        keep: the filter of a partial clone.
        size_of: the size of a blob.
    """

    def __init__(self, store: BaseObjectStore, keep: Filter, size_of: Callable[[bytes], int]) -> None:
        self._store, self._keep, self._size_of = store, keep, size_of
        self._seen: set[bytes] = set()
        self._cache: OrderedDict[bytes, Entries] = OrderedDict()
        self._cached = 0
        #: what is to be sent, in the order in which it was met, each once
        self.found: list[bytes] = []

    def add_tree(self, root: bytes, had: Sequence[bytes] = ()) -> None:
        """Add a tree and everything below it that is not in the trees ``had`` at the same place.

        Args:
            root: the tree.
            had: trees that the client has, or that are added too.
        """
        if not self._keep.trees:
            return
        todo: list[tuple[bytes, Sequence[bytes]]] = [(root, had)]
        while todo:
            tree, before = todo.pop()
            if tree not in self._seen and tree not in before:
                self._add(tree)
                todo += self._below(tree, [self._remembered(other) for other in before])

    def add_blob(self, oid: bytes) -> None:
        """Add a single blob (or tag) that was asked for by its id."""
        if oid not in self._seen:
            self._add(oid)

    def _add(self, oid: bytes) -> None:
        self._seen.add(oid)
        self.found.append(oid)

    def _below(self, tree: bytes, before: list[Entries]) -> list[tuple[bytes, Sequence[bytes]]]:
        """Add the blobs of one tree; returns the folders still to do, each with its former selves."""
        heads, ids = self._read(tree)
        fresh = set(ids).difference(self._seen, *(known for _, known in before))
        folders: dict[bytes, bytes] = {}
        for head, oid in zip(heads, ids, strict=True) if fresh else ():
            if oid not in fresh or is_gitlink(head):
                continue
            if is_folder(head):
                folders[head] = oid
            elif oid not in self._seen and self._wanted(oid):
                self._add(oid)
        former = [dict(zip(*entries, strict=True)) for entries in before] if folders else []
        return [(oid, [names[head] for names in former if head in names]) for head, oid in folders.items()]

    def _wanted(self, blob: bytes) -> bool:
        if not self._keep.blobs:
            return False
        return self._keep.blob_limit is None or self._size_of(blob) < self._keep.blob_limit

    def _remembered(self, tree: bytes) -> Entries:
        """The entries of a tree that others are compared with, which often happens again and again."""
        found = self._cache.get(tree)
        if found is not None:
            self._cache.move_to_end(tree)
            return found
        found = self._cache[tree] = self._read(tree)
        self._cached += _weight(found)
        while self._cached > _CACHE_BYTES and len(self._cache) > 1:
            self._cached -= _weight(self._cache.popitem(last=False)[1])
        return found

    def _read(self, tree: bytes) -> Entries:
        try:
            return split_tree(self._store.get_raw(RawObjectID(tree))[1])
        except KeyError:
            raise EntryNotFound(f"The repo lacks tree {tree.hex()}. Ask an admin to run glasshub check.") from None


def _weight(entries: Entries) -> int:
    return 40 * len(entries[0])
