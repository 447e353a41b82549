"""Who may use which chunks of which xorbs. Knowing the hash of a chunk gives nothing.

A xorb may hold chunks of several files, and only some of them may have come to a repo that the asker may read. So
rights are for runs of chunks: all of a xorb for the readers of a repo that it was uploaded for, and the chunks of
its files for the readers of a repo that uses chunks which others brought. Who sent all of a xorb has its bytes, and may
use them whatever became of the repo that they were for: clients refer for weeks to what they sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from glasshub import gates, repos
from glasshub.errors import RepoNotFound
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.registry import xorbs as rows

_ALL = 2**32


@dataclass(frozen=True, slots=True)
class Allowed:
    """Chunks of a xorb that somebody may use, as runs (first, end) in order that do not touch."""

    runs: tuple[tuple[int, int], ...]

    def covers(self, first: int, end: int) -> bool:
        """Whether all chunks from ``first`` to ``end`` (exclusive) are among them."""
        return any(start <= first and end <= stop for start, stop in self.runs)


def allowed(hub: Hub, repo: Repo, actor: Actor, xorb: str) -> Allowed:
    """What the actor may use of a xorb when files are brought to ``repo``: nothing when it is not known.

    Who may bring files to a gated repo need not be one who may read them: they use what they brought themselves, lest
    the answer betray what the repo has.
    """
    readable = {repo.key: gates.may_read_files(hub, actor, repo)}
    place = "" if actor.only_repos is None else repo.key  # a token for some repos shares nothing between them
    with hub.registry.read() as db:
        if actor.name and rows.sent(db, xorb, actor.name, repo=place):
            return Allowed(((0, _ALL),))
        uses = rows.uses(db, xorb)
    runs = []
    for use in uses:
        if use.repo not in readable:
            readable[use.repo] = may_read_files_of(hub, actor, use.repo)
        if readable[use.repo]:
            runs.append((use.first, _ALL if use.last is None else use.last))
            if use.last is None:
                break
    return Allowed(tuple(joined(runs)))


def joined(runs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same chunks as runs in order that neither overlap nor touch."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(runs):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found


def may_read_files_of(hub: Hub, actor: Actor, key: str) -> bool:
    """Whether the actor may read the files of the repo with this key."""
    try:
        return gates.may_read_files(hub, actor, repos.by_key(hub, key))
    except RepoNotFound:
        return False
