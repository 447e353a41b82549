"""Shallow fetches: which commits form the new boundary, and which old ones stop being one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dulwich.objects import ObjectID

from glasshub.git.commits import CommitReader

INFINITE = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Boundary:
    """``shallow``: included commits whose parents are not; ``unshallow``: former ones whose parents now are."""

    shallow: frozenset[ObjectID] = frozenset()
    unshallow: frozenset[ObjectID] = frozenset()


def by_depth(commits: CommitReader, wants: Iterable[ObjectID], depth: int, known: frozenset[ObjectID]) -> Boundary:
    """The boundary ``depth`` commits below ``wants`` (1: only they); ``known`` is the client's present one."""
    level, seen = set(wants), set(wants)
    shallow: set[ObjectID] = set()
    for distance in range(1, depth + 1):
        if not level:
            break
        if distance == depth:
            shallow = {oid for oid in level if commits.parents(oid)}
            break
        level = {parent for oid in level for parent in commits.parents(oid)} - seen
        seen |= level
    return Boundary(frozenset(shallow - known), frozenset((known & seen) - shallow))


def by_rule(
    commits: CommitReader, wants: Iterable[ObjectID], include: Callable[[ObjectID], bool], known: frozenset[ObjectID]
) -> Boundary:
    """The boundary of the commits that ``include`` takes (by date, or not reachable from some ref)."""
    todo = [oid for oid in wants if include(oid)]
    seen, shallow = set(todo), set()
    while todo:
        oid = todo.pop()
        for parent in commits.parents(oid):
            if not include(parent):
                shallow.add(oid)
            elif parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return Boundary(frozenset(shallow - known), frozenset((known & seen) - shallow))


def depth_of(commits: CommitReader, wants: Iterable[ObjectID], known: frozenset[ObjectID]) -> int:
    """How deep the client's present boundary lies below ``wants`` (0 when it is not met)."""
    level, seen, depth, deepest = set(wants), set(wants), 0, 0
    while level:
        depth += 1
        if level & known:
            deepest = depth
        level = {parent for oid in level - known for parent in commits.parents(oid)} - seen
        seen |= level
    return deepest
