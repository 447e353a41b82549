"""What a merge would come to, found without changing anything, and remembered: commits never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from dulwich.repo import Repo as GitRepo

from glasshub.git.ancestry import is_ancestor
from glasshub.git.merge import merge_trees
from glasshub.git.quarantine import Quarantine

MOST_REMEMBERED = 1000
MOST_NAMED = 1000


@dataclass(frozen=True, slots=True)
class Outlook:
    """How ``head`` would come to ``main``.

    Attributes:
        merged: ``main`` has all of it already.
        fast_forward: ``main`` need only move forward to it.
        conflicts: the paths that both sides changed differently, in order (none: it merges).
    """

    merged: bool = False
    fast_forward: bool = False
    conflicts: tuple[str, ...] = ()


_guard = threading.Lock()
_remembered: OrderedDict[tuple[str, str], Outlook] = OrderedDict()


def outlook(repo: GitRepo, main: str, head: str) -> Outlook:
    """The outlook for merging two commits of a repository (40 hex digits each).

    Raises:
        RevisionNotFound: there is no such commit.
    """
    with _guard:
        found = _remembered.get((main, head))
    if found is None:
        found = _look(repo, main, head)
    with _guard:
        _remembered[main, head] = found
        _remembered.move_to_end((main, head))
        while len(_remembered) > MOST_REMEMBERED:
            _remembered.popitem(last=False)
    return found


def _look(repo: GitRepo, main: str, head: str) -> Outlook:
    if is_ancestor(repo.object_store, head, main):
        return Outlook(merged=True)
    if is_ancestor(repo.object_store, main, head):
        return Outlook(fast_forward=True)
    with Quarantine(repo) as thrown_away:
        return Outlook(conflicts=tuple(merge_trees(thrown_away, main, head).conflicts[:MOST_NAMED]))
