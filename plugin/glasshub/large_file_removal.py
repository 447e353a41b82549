"""The large files that a repo has as its writers see them, and deleting some of them for good.

Deleting takes the content from this repo alone. The bytes stay where they are: other repos may have them, and
what no repo has any more is for ``glasshub maintain`` to prune. Commits are never rewritten.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace

from glasshub import access, clock, pulls, receive
from glasshub.access import Action
from glasshub.desk import MAIN, PULLS, Desk, Move
from glasshub.edits import BRANCHES
from glasshub.git.build import Delete, build_tree, make_commit
from glasshub.git.find_pointers import find_pointers, paths_at
from glasshub.git.read import list_refs, open_repo
from glasshub.git.refs import RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.index.queries import cursor as cursors
from glasshub.registry import large_files as rows
from glasshub.registry.large_files import LargeFile

_TAGS = "refs/tags/"
_MESSAGE = b"Remove large files that were deleted for good\n"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """A large file with a path it has or had (``""``: none is known) and a ref that has it now (``""``: none)."""

    file: LargeFile
    path: str
    ref: str


def list_files(
    hub: Hub, actor: Actor, repo: Repo, *, cursor: str | None, limit: int
) -> tuple[list[Listed], str | None]:
    """One page of the large files of a repo, the newest first, and the cursor of the next page.

    Raises:
        Forbidden, Unauthenticated, RepoNotFound: the actor may not write to the repo; among the files may be some
            that no commit names yet.
        Invalid: the cursor was not made here.
    """
    access.require(actor, Action.WRITE, repo)
    after = cursors.decode(cursor, "lfs", str, str) if cursor is not None else None
    with hub.registry.read() as db:
        found = rows.page(db, repo.key, after=after, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    with open_repo(hub.git_dir(repo)) as git:
        tips = {MAIN: "", **list_refs(git, BRANCHES), **list_refs(git, _TAGS), **list_refs(git, PULLS)}
        named = find_pointers(git, {ref: tip for ref, tip in tips.items() if tip}, {file.sha256 for file in shown})
    files = [
        Listed(file, name.path, name.ref) if (name := named.get(file.sha256)) else Listed(file, "", "")
        for file in shown
    ]
    return files, cursors.encode("lfs", shown[-1].added_at, shown[-1].sha256) if more else None


def delete_files(hub: Hub, actor: Actor, repo: Repo, hashes: Collection[str], *, from_refs: bool) -> None:
    """Take the content of files (by SHA-256) from a repo for good; those that it does not have are passed over.

    Args:
        from_refs: also remove the files from branches and open pull requests, by one commit each. Former commits, tags
            and closed pull requests name them for ever.

    Raises:
        Forbidden, Unauthenticated, RepoNotFound: the actor is no admin of the repo.
        Busy: the repo's lock could not be had in time.
    """
    access.require(actor, Action.ADMINISTER, repo)
    wanted = frozenset(hashes)
    if from_refs:
        receive.decide(hub, repo, actor, lambda desk: _remove(desk, wanted))
    with hub.registry.write() as db:
        gone = rows.delete(db, repo.key, wanted, by=actor.name or "", at=clock.now())
    _log.info("%s deleted %d large files of %s", actor.name, gone, repo.repo_id)


def _remove(desk: Desk, wanted: Collection[str]) -> Move:
    """A commit without the files on top of every branch and open pull request that has one."""
    desk.require(Action.ADMINISTER)
    whole = Move()
    for ref, tip in {**list_refs(desk.git, BRANCHES), **list_refs(desk.git, PULLS)}.items():
        pull = desk.record.discussions.get(int(ref.removeprefix(PULLS))) if ref.startswith(PULLS) else None
        if ref.startswith(PULLS) and (pull is None or pull.status in ("closed", "merged")):
            continue
        paths = paths_at(desk.git, tip, wanted)
        if not paths:
            continue
        update = RefUpdate(tip, _commit(desk, tip, paths), ref)
        move = pulls.push_head(desk, pull.number, update) if pull else Move((update,))
        whole = replace(whole, updates=whole.updates + move.updates, events=whole.events + move.events)
    return whole


def _commit(desk: Desk, tip: str, paths: list[str]) -> str:
    tree = build_tree(desk.incoming, tip, [Delete(path) for path in paths])
    who = desk.signature()
    return desk.incoming.add(make_commit(tree, [tip], _MESSAGE.decode(), who, who))
