"""Shallow fetches: which commits form the new boundary, and which old ones stop being one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dulwich.objects import ObjectID

from glasshub.errors import Invalid
from glasshub.git.commits import CommitReader

INFINITE = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Boundary:
    """``shallow``: included commits whose parents are not; ``unshallow``: former ones whose parents now are."""

    shallow: frozenset[ObjectID] = frozenset()
    unshallow: frozenset[ObjectID] = frozenset()


def by_depth(commits: CommitReader, wants: Iterable[ObjectID], depth: int, known: frozenset[ObjectID]) -> Boundary:
    """The boundary ``depth`` commits below ``wants`` (1: only they); ``known`` is the client's present one.

    To deepen a boundary, let it be ``wants``, and ``depth`` one more.
    """
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
    """The boundary of the commits that ``include`` takes (by date, or not reachable from some ref).

    Raises ``Invalid`` when it takes none of ``wants``.
    """
    todo = [oid for oid in wants if include(oid)]
    if not todo:
        raise Invalid("There are no commits so new. Choose an earlier date, or another ref to leave out.")
    seen, shallow = set(todo), set()
    while todo:
        oid = todo.pop()
        parents = commits.parents(oid)
        if not all(map(include, parents)):
            shallow.add(oid)  # the client gets none of its parents then, so what only they lead to is out too
            continue
        new = set(parents) - seen
        seen |= new
        todo += new
    return Boundary(frozenset(shallow - known), frozenset((known & seen) - shallow))
