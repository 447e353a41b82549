"""The chain of events in ``refs/hub/events``: one commit each, oldest at the root, with an empty tree."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo as GitRepo

from glasshub.errors import GlasshubError
from glasshub.git.ancestry import lookup
from glasshub.git.build import Signature, empty_tree, make_commit
from glasshub.git.durable import sync_folder
from glasshub.git.quarantine import Quarantine

EVENTS = "refs/hub/events"


@dataclass(frozen=True, slots=True)
class Logged:
    """One commit of the chain: its id and its message."""

    commit: str
    message: str


def read_chain(repo: GitRepo, tip: str, *, known: Callable[[str], bool] = lambda _: False) -> list[Logged]:
    """The commits that lead to ``tip`` (40 hex), oldest first, without those up to the first ``known`` one.

    Raises:
        GlasshubError: the chain is damaged.
    """
    found: list[Logged] = []
    here: str | None = tip
    while here is not None and not known(here):
        commit = lookup(repo.object_store, ObjectID(here.encode("ascii")))
        if not isinstance(commit, Commit):
            raise GlasshubError(f"The record of this repo is damaged: commit {here} of {EVENTS} is missing.")
        found.append(Logged(here, commit.message.decode("utf-8", "replace")))
        here = commit.parents[0].decode("ascii") if commit.parents else None
    return found[::-1]


def forget(repo: GitRepo, commits: Collection[str]) -> list[str]:
    """Remove commits that were taken out of the chain from the disk; returns those that lie in packs and stay."""
    objects = Path(repo.controldir()) / "objects"
    kept = []
    for commit in commits:
        path = objects / commit[:2] / commit[2:]
        if path.exists():
            path.unlink()
            sync_folder(path.parent)
        if repo.object_store.contains_packed(ObjectID(commit.encode("ascii"))):
            kept.append(commit)
    return kept


def append(quarantine: Quarantine, tip: str | None, messages: list[tuple[str, Signature]]) -> str:
    """Add commits with these messages on top of ``tip``, in order; returns the new tip.

    Only the caller's ref update makes them part of the record.
    """
    tree = empty_tree(quarantine)
    for message, who in messages:
        tip = quarantine.add(make_commit(tree, [tip] if tip else [], message, who, who))
    assert tip is not None
    return tip
