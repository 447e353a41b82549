"""Which objects a fetch needs: commits by a walk from what is wanted to what is had, then trees by difference."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID, parse_tree

from glasshub.git.commits import CommitReader

_DIRECTORY, _GITLINK = 0o040000, 0o160000
Parents = Callable[[ObjectID], tuple[ObjectID, ...]]


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
    """Collects the trees and blobs of commits, leaving out what the client has from their parents."""

    def __init__(
        self, store: BaseObjectStore, commits: CommitReader, keep: Filter, size_of: Callable[[ObjectID], int]
    ) -> None:
        self._store, self._commits, self._keep, self._size_of = store, commits, keep, size_of
        self._trees: dict[ObjectID, list[tuple[bytes, int, ObjectID]]] = {}
        self._seen: set[ObjectID] = set()
        self.found: list[ObjectID] = []

    def add_commits(self, oldest_first: Iterable[ObjectID], sent: Collection[ObjectID], parents: Parents) -> None:
        """Add what each commit brings over its parents; parents in ``sent`` have been added before."""
        if not self._keep.trees:
            return
        for oid in oldest_first:
            had = [self._commits.tree(parent) for parent in parents(oid) if parent not in sent]
            self.add_tree(self._commits.tree(oid), had)

    def add_tree(self, oid: ObjectID, had: list[ObjectID]) -> None:
        """Add a tree and everything below it that is not in the trees ``had`` at the same place."""
        todo = [(oid, had)]
        while todo:
            tree, before = todo.pop()
            if tree not in self._seen and tree not in before:
                self._seen.add(tree)
                self.found.append(tree)
                todo += self._add_entries(tree, [self._entries(other) for other in before])

    def _add_entries(
        self, tree: ObjectID, before: list[list[tuple[bytes, int, ObjectID]]]
    ) -> list[tuple[ObjectID, list[ObjectID]]]:
        """Add the blobs of one tree; returns the folders still to do, each with its former selves."""
        known = {child for entries in before for _, _, child in entries}
        below = {name: child for entries in before for name, mode, child in entries if mode == _DIRECTORY}
        folders = []
        for name, mode, child in self._entries(tree):
            if child in known or child in self._seen or mode == _GITLINK:
                continue
            if mode == _DIRECTORY:
                folders.append((child, [below[name]] if name in below else []))
            elif self._wanted(child):
                self._seen.add(child)
                self.found.append(child)
        return folders

    def _wanted(self, blob: ObjectID) -> bool:
        if not self._keep.blobs:
            return False
        return self._keep.blob_limit is None or self._size_of(blob) < self._keep.blob_limit

    def _entries(self, oid: ObjectID) -> list[tuple[bytes, int, ObjectID]]:
        entries = self._trees.get(oid)
        if entries is None:
            data = self._store.get_raw(oid)[1]
            entries = [(name, mode, ObjectID(child)) for name, mode, child in parse_tree(data, 20)]
            if len(self._trees) > 20_000:
                self._trees.clear()
            self._trees[oid] = entries
        return entries
