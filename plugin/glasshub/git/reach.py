"""Which commits a repository's branches and tags lead to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dulwich.objects import Commit, ObjectID, Tag
from dulwich.repo import Repo as GitRepo

from glasshub.git.ancestry import lookup


def tips(repo: GitRepo, targets: Iterable[str]) -> set[str]:
    """The commits that ref targets (40 hex) stand for: tags are followed, anything but commits left out."""
    found = set()
    for target in targets:
        obj = lookup(repo.object_store, ObjectID(target.encode("ascii")))
        while isinstance(obj, Tag):
            obj = lookup(repo.object_store, obj.object[1])
        if isinstance(obj, Commit):
            found.add(obj.id.decode("ascii"))
    return found


def reachable(
    repo: GitRepo, starts: Collection[str], *, known_starts: Collection[str] = (), known: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Ids of all commits reachable from ``starts``.

    Args:
        repo: the repository.
        starts: commit ids.
        known_starts: commits asked for before, ``known`` being the answer: the walk then stops at known
            commits. Only if it meets all the former starts is every known one still reachable; else it
            begins anew.
        known: that answer.
    """
    new, met = _walk(repo, starts, known)
    if known and not met.issuperset(known_starts):
        return _walk(repo, starts, frozenset())[0]
    return new | known


def _walk(repo: GitRepo, starts: Collection[str], known: frozenset[str]) -> tuple[frozenset[str], set[str]]:
    """The commits outside ``known``, and the known ones at which the walk stopped."""
    found: set[str] = set()
    met: set[str] = set()
    queue = list(starts)
    while queue:
        oid = queue.pop()
        if oid in known:
            met.add(oid)
        elif oid not in found:
            commit = lookup(repo.object_store, ObjectID(oid.encode("ascii")))
            if isinstance(commit, Commit):
                found.add(oid)
                queue += [parent.decode("ascii") for parent in commit.parents]
    return frozenset(found), met
