"""The inbox: what concerns somebody, how much of it they have not seen, and which repos they watch.

What concerns them comes from the index, that is from the record; what they have seen and watch is theirs alone, so it
is in the registry. Everything is as they may read it now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from glasshub import access
from glasshub.access import Action
from glasshub.errors import Forbidden, Invalid, Unauthenticated
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo, Role
from glasshub.index import queries
from glasshub.index.queries import Interests
from glasshub.index.rows import ThreadRow
from glasshub.registry import repos as repo_rows
from glasshub.registry import watching as rows

Choice = Literal["watch", "ignore", ""]
CHOICES: tuple[Choice, ...] = ("watch", "ignore", "")
MOST_COUNTED = 99  # more than that is shown as 99+
_IN_HEADER = 200  # the newest threads, among which the unread ones are counted for every page


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of the inbox, and whether something in it is unread."""

    row: ThreadRow
    unread: bool


@dataclass(frozen=True, slots=True)
class Watching:
    """How somebody stands to a repo: what they chose (``""``: nothing), and whether they hear of all by default."""

    choice: Choice
    by_default: bool

    @property
    def watches(self) -> bool:
        """Whether they hear of everything in it."""
        return self.choice == "watch" or (self.choice == "" and self.by_default)


@dataclass(frozen=True, slots=True)
class WatchedRepo:
    """A repo in somebody's list of what they watch or ignore."""

    repo: Repo
    watching: Watching


def threads(hub: Hub, actor: Actor, *, unread_only: bool = False) -> list[Thread]:
    """What concerns the actor, newest first. Raises ``Unauthenticated``."""
    account = _account(actor)
    with hub.registry.read() as db:
        marks = rows.marks(db, account)
    found = queries.inbox(hub.index.read(), access.visibility(actor), interests(hub, actor))
    listed = [Thread(row, _is_unread(marks, row.key, row.number, row.place)) for row in found]
    return [thread for thread in listed if thread.unread or not unread_only]


def unread(hub: Hub, actor: Actor) -> int:
    """How many of the newest threads are unread (0 for nobody). For the head of every page."""
    if actor.name is None:
        return 0
    with hub.registry.read() as db:
        marks = rows.marks(db, actor.name)
    places = queries.latest(hub.index.read(), access.visibility(actor), interests(hub, actor), most=_IN_HEADER)
    return sum(_is_unread(marks, key, number, place) for (key, number), place in places.items())


def mark_read(hub: Hub, actor: Actor, only: Iterable[tuple[str, int]] | None = None) -> int:
    """Take threads as seen as they are now, all by default; returns how many were unread.

    Args:
        hub: the hub.
        actor: who has seen them.
        only: (repo key, number) of those that were seen.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the token may only read.
    """
    account = _changing(actor)
    wanted = None if only is None else frozenset(only)
    found = queries.latest(hub.index.read(), access.visibility(actor), interests(hub, actor))
    with hub.registry.read() as db:
        marks = rows.marks(db, account)
    new = {
        (key, number): place
        for (key, number), place in found.items()
        if _is_unread(marks, key, number, place) and (wanted is None or (key, number) in wanted)
    }
    if new:
        with hub.registry.write() as db:
            # Places count in the whole repo: who has seen everything has seen it up to the last of them.
            for (key, number), place in new.items():
                if repo_rows.by_key(db, key) is not None:
                    rows.mark(db, account, key, rows.EVERYTHING if wanted is None else number, place)
    return len(new)


def see(hub: Hub, actor: Actor, repo: Repo, number: int) -> None:
    """The actor looks at a thread: if it concerns them, it is read. Raises ``Busy``."""
    if actor.name is None or actor.scope != "write":
        return
    db, account, stands = hub.index.read(), actor.name.lower(), watching(hub, actor, repo)
    if stands.choice == "ignore" or not (stands.watches or queries.concerns(db, account, repo.key, number)):
        return
    place = queries.last_place(db, repo.key, number)
    with hub.registry.read() as registry:
        marks = rows.marks(registry, account)
    if _is_unread(marks, repo.key, number, place):
        with hub.registry.write() as registry:
            if repo_rows.by_key(registry, repo.key) is not None:
                rows.mark(registry, account, repo.key, number, place)


def watching(hub: Hub, actor: Actor, repo: Repo) -> Watching:
    """How the actor stands to a repo."""
    if actor.name is None:
        return Watching("", False)
    with hub.registry.read() as db:
        choice = _choice(rows.states(db, actor.name).get(repo.key, ""))
    return Watching(choice, _writes(actor, repo))


def set_watching(hub: Hub, actor: Actor, repo: Repo, choice: str) -> None:
    """Watch a repo, ignore it, or (``""``) neither: then those who may write to it hear of it.

    Raises:
        Unauthenticated, Forbidden, RepoNotFound: nobody is signed in, the token may only read, or no such repo.
        Invalid: there is no such choice.
    """
    account = _changing(actor)
    access.require(actor, Action.READ, repo)
    if choice not in CHOICES:
        raise Invalid("Choose watch, ignore, or nothing for the default.")
    with hub.registry.write() as db:
        if repo_rows.by_key(db, repo.key) is None:
            raise access.repo_not_found(repo.repo_id)
        rows.set_state(db, account, repo.key, choice)


def watched(hub: Hub, actor: Actor) -> list[WatchedRepo]:
    """The repos that the actor chose to watch or ignore, by name. Raises ``Unauthenticated``."""
    account = _account(actor)
    with hub.registry.read() as db:
        states = rows.states(db, account)
        found = [repo for key in states if (repo := repo_rows.by_key(db, key)) and access.may_read(actor, repo)]
    listed = [WatchedRepo(repo, Watching(_choice(states[repo.key]), _writes(actor, repo))) for repo in found]
    return sorted(listed, key=lambda item: (item.repo.type, item.repo.repo_id.lower()))


def interests(hub: Hub, actor: Actor) -> Interests:
    """What the actor hears of: repos they may write to or watch, less those they ignore. Raises ``Unauthenticated``."""
    account = _account(actor)
    with hub.registry.read() as db:
        states = rows.states(db, account)
        contributes = Role.CONTRIBUTOR in actor.roles.values()
        made = [repo.key for repo in repo_rows.made_by(db, account) if _writes(actor, repo)] if contributes else []
    chosen = [key for key, state in states.items() if state == "watch"]
    return Interests(
        account,
        tuple(sorted(namespace for namespace, role in actor.roles.items() if role >= Role.WRITE)),
        tuple(sorted({*chosen, *made})),
        tuple(sorted(key for key, state in states.items() if state == "ignore")),
    )


def _is_unread(marks: Mapping[tuple[str, int], int], key: str, number: int, place: int) -> bool:
    return place > max(marks.get((key, number), -1), marks.get((key, rows.EVERYTHING), -1))


def _writes(actor: Actor, repo: Repo) -> bool:
    """Whether the repo is theirs to write to by their own roles: admins of the hub need not hear of everything."""
    role = actor.roles.get(repo.namespace.lower(), Role.NONE)
    own = actor.name is not None and repo.creator.lower() == actor.name.lower()
    return role >= Role.WRITE or (role == Role.CONTRIBUTOR and own)


def _choice(text: str) -> Choice:
    return next((known for known in CHOICES if known == text), "")


def _account(actor: Actor) -> str:
    if actor.name is None:
        raise Unauthenticated("Sign in to see what concerns you.")
    return actor.name.lower()


def _changing(actor: Actor) -> str:
    account = _account(actor)
    if actor.scope != "write":
        raise Forbidden("This token is read-only; use one with scope write.")
    return account
