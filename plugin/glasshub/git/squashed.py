"""Histories that were squashed: what a commit without parents stands for.

``refs/hub/squashed/<commit>`` points to what the commit took the place of. The hub walks on there wherever the record
is meant (dates of results, merge bases); clients see a commit without parents.
"""

from __future__ import annotations

from functools import partial

from dulwich.objects import ObjectID
from dulwich.repo import Repo as GitRepo

from glasshub.git import ancestry
from glasshub.git.ref_store import ZERO, read_ref
from glasshub.git.refs import RefUpdate

SQUASHED = "refs/hub/squashed/"


def keeps(squash: str, former: str) -> RefUpdate:
    """The update that notes what the commit ``squash`` takes the place of."""
    return RefUpdate(ZERO, former, f"{SQUASHED}{squash}")


def former(repo: GitRepo, squash: ObjectID) -> list[ObjectID]:
    """What a commit without parents took the place of: one commit, or none."""
    found = read_ref(repo, f"{SQUASHED}{squash.decode('ascii')}")
    return [] if found == ZERO else [ObjectID(found.encode("ascii"))]


def merge_base(repo: GitRepo, one: str, other: str) -> str | None:
    """As :func:`glasshub.git.ancestry.merge_base`, through squashed histories too."""
    return ancestry.merge_base(repo.object_store, one, other, former=partial(former, repo))


def commits_only_in(repo: GitRepo, tip: str, other: str, *, limit: int) -> list[str]:
    """As :func:`glasshub.git.ancestry.commits_only_in`; what was squashed into ``other`` is in it."""
    return ancestry.commits_only_in(repo.object_store, tip, other, limit=limit, former=partial(former, repo))
