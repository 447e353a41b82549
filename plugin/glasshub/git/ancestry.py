"""How commits descend from each other."""

from __future__ import annotations

from collections import deque

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID, ShaFile


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
