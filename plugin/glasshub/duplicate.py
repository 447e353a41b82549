"""Duplicating a repo: a new one with the same branches, tags and large files, and a record of its own.

What others brought to the original (pull requests, discussions, events) stays there. Results come along as the files
that they are: the new repo is answered for by whoever made it, as if they had pushed what they cloned.
"""

from __future__ import annotations

import sys

from glasshub import gates, receive, repos, xet
from glasshub.access import Action
from glasshub.branches import BRANCHES, TAGS
from glasshub.desk import Desk, Move
from glasshub.errors import GlasshubError
from glasshub.git.fsck import check_new_objects
from glasshub.git.pack_read import Limits
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import list_refs, open_repo
from glasshub.git.ref_store import ZERO
from glasshub.git.refs import RefUpdate
from glasshub.git.whole_pack import WholePack
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo

# It all was within the limits when it came, push by push.
_LIMITS = Limits(wire=sys.maxsize, inflated=sys.maxsize, object=sys.maxsize, objects=sys.maxsize)


def duplicate(hub: Hub, actor: Actor, source: Repo, namespace: str, name: str, *, private: bool | None = None) -> Repo:
    """Make ``namespace/name`` a copy of a repo, gated as that one is, and as private unless asked for else.

    Raises:
        RepoNotFound, GatedRepo, GatedRepoSignIn: the actor may not read the source.
        Invalid, AccountNotFound, Forbidden, Conflict: as :func:`glasshub.repos.create`.
        GlasshubError: it cannot be copied. Nothing is left of the new repo then.
    """
    gates.require_files(hub, actor, source)
    hidden = source.private if private is None else private
    repo = repos.create(hub, actor, source.type, namespace, name, private=hidden, gated=source.gated)
    try:
        _fill(hub, actor, source, repo)
    except (GlasshubError, OSError):
        repos.withdraw(hub, actor, repo)
        raise
    return repo


def _fill(hub: Hub, actor: Actor, source: Repo, repo: Repo) -> None:
    with open_repo(hub.git_dir(source)) as origin, open_repo(hub.git_dir(repo)) as git, Quarantine(git) as incoming:
        refs = {ref: oid for ref, oid in list_refs(origin).items() if ref.startswith((BRANCHES, TAGS))}
        if not refs:
            return
        incoming.receive(WholePack(origin, refs.values()), _LIMITS)
        check_new_objects(incoming)
        _bring_large_files(hub, actor, source, repo, incoming)

        def same_refs(desk: Desk) -> Move:
            desk.require(Action.WRITE)
            return Move(tuple(RefUpdate(ZERO, oid, ref) for ref, oid in refs.items()))

        receive.decide(hub, repo, actor, same_refs, incoming=incoming)


def _bring_large_files(hub: Hub, actor: Actor, source: Repo, repo: Repo, incoming: Quarantine) -> None:
    pointers = incoming.checker.pointers
    brought = {file.sha256 for file in xet.copy(hub, source, repo, actor.name or "", set(pointers.values()))}
    # What was deleted from the original for good is not missed in the copy: the door must not ask for it.
    for oid in [oid for oid, pointer in pointers.items() if pointer.sha256 not in brought]:
        del pointers[oid]
