"""What the inbox tells of gated repos: who waits for a decision of the reader, and what was decided about theirs.

Requests are nobody else's business, so they are in the registry and on no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glasshub import access
from glasshub.errors import Forbidden, Unauthenticated
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo, Role
from glasshub.registry import gates as rows
from glasshub.registry import repos as repo_rows
from glasshub.registry import watching
from glasshub.registry.gates import AccessRequest


@dataclass(frozen=True, slots=True)
class Waiting:
    """A repo of the reader's, how many wait for access to it, and when the last of them asked."""

    repo: Repo
    count: int
    last: str


@dataclass(frozen=True, slots=True)
class Decided:
    """A request of the reader's that was decided, and they have not seen how."""

    repo: Repo
    request: AccessRequest


@dataclass(frozen=True, slots=True)
class AccessNotices:
    """Both, newest first."""

    waiting: Sequence[Waiting] = ()
    decided: Sequence[Decided] = ()

    @property
    def count(self) -> int:
        """How many notices there are."""
        return len(self.waiting) + len(self.decided)


def notices(hub: Hub, actor: Actor) -> AccessNotices:
    """What the actor is to know; nothing for nobody."""
    if actor.name is None:
        return AccessNotices()
    with hub.registry.read() as db:
        found = [repo for key in rows.waiting_anywhere(db) if (repo := repo_rows.by_key(db, key))]
        mine = {repo.key: repo for repo in found if _decides(actor, repo)}
        if mine:
            ignored = {key for key, state in watching.states(db, actor.name).items() if state == "ignore"}
            mine = {key: repo for key, repo in mine.items() if key not in ignored}
        counted = rows.waiting(db, mine) if mine else {}
        answers = [(repo_rows.by_key(db, request.repo), request) for request in rows.unseen(db, actor.name)]
    waiting = [Waiting(mine[key], count, last) for key, (count, last) in counted.items()]
    decided = [Decided(repo, request) for repo, request in answers if repo and access.may_read(actor, repo)]
    return AccessNotices(sorted(waiting, key=lambda item: item.last, reverse=True), decided)


def mark_seen(hub: Hub, actor: Actor, request: str = "") -> None:
    """The actor knows the answer to one of their requests (by id), or to all.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or the token may only read.
    """
    if actor.name is None:
        raise Unauthenticated("Sign in to see what concerns you.")
    if actor.scope != "write":
        raise Forbidden("This token is read-only; use one with scope write.")
    with hub.registry.read() as db:
        if not rows.unseen(db, actor.name):
            return
    with hub.registry.write() as db:
        rows.mark_seen(db, actor.name, request)


def _decides(actor: Actor, repo: Repo) -> bool:
    """Whether it is theirs to decide by their own roles: admins of the hub need not hear of everything."""
    role = actor.roles.get(repo.namespace.lower(), Role.NONE)
    own = actor.name is not None and repo.creator.lower() == actor.name.lower()
    return role >= Role.WRITE or (role == Role.CONTRIBUTOR and own)
