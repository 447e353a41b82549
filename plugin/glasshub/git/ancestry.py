"""How commits descend from each other."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID, ShaFile

Former = Callable[[ObjectID], Sequence[ObjectID]]


def _nothing(_: ObjectID) -> Sequence[ObjectID]:
    return ()


def lookup(store: BaseObjectStore, oid: ObjectID) -> ShaFile | None:
    """The object of that id, or ``None``."""
    try:
        return store[oid]
    except KeyError:
        return None


def is_ancestor(store: BaseObjectStore, old: str, new: str) -> bool:
    """Whether ``old`` is reachable from ``new`` (a commit is its own ancestor): the test for a fast-forward.

    Walks breadth-first from ``new``; a missing parent ends its line (shallow histories never reach a hub).
    """
    wanted = ObjectID(old.encode("ascii"))
    queue = deque([ObjectID(new.encode("ascii"))])
    seen = set(queue)
    while queue:
        oid = queue.popleft()
        if oid == wanted:
            return True
        commit = lookup(store, oid)
        for parent in commit.parents if isinstance(commit, Commit) else ():
            if parent not in seen:
                seen.add(parent)
                queue.append(parent)
    return False


_ONE, _OTHER, _STALE = 1, 2, 4


def merge_base(store: BaseObjectStore, one: str, other: str, *, former: Former = _nothing) -> str | None:
    """The newest best common ancestor of two commits (40 hex digits), ``None`` when their histories do not meet.

    Both histories are painted from their tips, newest commits first, until only ancestors of what was found are
    left (as git does it: https://git-scm.com/docs/git-merge-base). ``former`` gives commits without parents some.
    """
    painting = _Painting(store, former)
    painting.paint(ObjectID(one.encode("ascii")), _ONE)
    painting.paint(ObjectID(other.encode("ascii")), _OTHER)
    found: list[tuple[int, ObjectID]] = []
    while painting.live:
        when, oid, colour, parents = painting.take()
        if colour == _ONE | _OTHER:
            found.append((when, oid))
            colour |= _STALE
        for parent in parents:
            painting.paint(parent, colour)
    best = [(when, oid) for when, oid in found if not painting.colours[oid] & _STALE]
    return min(best)[1].decode("ascii") if best else None


def commits_only_in(
    store: BaseObjectStore, tip: str, other: str, *, limit: int, former: Former = _nothing
) -> list[str]:
    """The commits of ``tip`` that ``other`` (``""``: nothing) does not have, newest first, at most ``limit``."""
    painting = _Painting(store, former)
    painting.paint(ObjectID(tip.encode("ascii")), _ONE)
    if other:
        painting.paint(ObjectID(other.encode("ascii")), _STALE)
    found: list[ObjectID] = []
    while painting.live and len(found) < limit:
        _, oid, colour, parents = painting.take()
        if not colour & _STALE:
            found.append(oid)
        for parent in parents:
            painting.paint(parent, colour)
    return [oid.decode("ascii") for oid in dict.fromkeys(found) if not painting.colours[oid] & _STALE]


class _Painting:
    """Commits with their colours; ``live`` are those still to be taken that nothing found descends from."""

    def __init__(self, store: BaseObjectStore, former: Former) -> None:
        self._store, self._former = store, former
        self._heap: list[tuple[int, ObjectID]] = []
        self.colours: dict[ObjectID, int] = {}
        self.live: set[ObjectID] = set()

    def paint(self, oid: ObjectID, colour: int) -> None:
        """Add a colour; a commit that gets a new one is to be taken (again)."""
        before = self.colours.get(oid, 0)
        commit = lookup(self._store, oid) if before | colour != before else None
        if not isinstance(commit, Commit):
            return
        self.colours[oid] = before | colour
        heapq.heappush(self._heap, (-commit.commit_time, oid))
        if (before | colour) & _STALE:
            self.live.discard(oid)
        else:
            self.live.add(oid)

    def take(self) -> tuple[int, ObjectID, int, Sequence[ObjectID]]:
        """The newest commit: its negative time, id, colours and parents."""
        when, oid = heapq.heappop(self._heap)
        self.live.discard(oid)
        commit = self._store[oid]
        assert isinstance(commit, Commit)
        return when, oid, self.colours[oid], commit.parents or self._former(oid)
