"""Where a decision about a repo is made: under its lock, with everything as it is at that moment.

A decision is a function from a :class:`Desk` to a :class:`Move`. It looks at the repo, checks rights and rules, and
says what is to change; it changes nothing itself. :mod:`glasshub.receive` asks for it and carries it out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from dulwich.object_store import BaseObjectStore
from dulwich.repo import Repo as GitRepo

from glasshub import access, clock
from glasshub.access import Action
from glasshub.evals.problems import Problem
from glasshub.events import Event
from glasshub.git.build import Signature
from glasshub.git.quarantine import Quarantine
from glasshub.git.ref_store import ZERO, read_ref
from glasshub.git.refs import RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.record import Record

MAIN = "refs/heads/main"
PULLS = "refs/pr/"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Move:
    """What a decision changes, all of it or nothing: ref updates, and the events that tell of them.

    ``refusal`` says why nothing is to change (``""``: it is). ``notes`` and ``problems`` are for the person at the
    terminal; in notes ``{url}`` stands for the hub's address. ``again`` is an event of before that says all that was
    asked for; then nothing is to change.
    """

    updates: tuple[RefUpdate, ...] = ()
    events: tuple[Event, ...] = ()
    refusal: str = ""
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    again: Event | None = None

    @property
    def event(self) -> Event | None:
        """The event that says what was decided: the last one, or that of before."""
        return self.events[-1] if self.events else self.again

    @property
    def number(self) -> int:
        """The number of the discussion that this event is about (0 for none)."""
        return self.event.number if self.event else 0


@dataclass
class Desk:
    """A repo under its lock, and who decides.

    Attributes:
        hub: the hub.
        repo: the repo as the registry has it now.
        actor: who decides.
        incoming: takes new objects; its store reads old and new ones.
        taken: how many numbers of discussions this write has given out already.
    """

    hub: Hub
    repo: Repo
    actor: Actor
    incoming: Quarantine
    taken: int = field(default=0)

    @property
    def git(self) -> GitRepo:
        """The repository, without what is new."""
        return self.incoming.repo

    @property
    def store(self) -> BaseObjectStore:
        """New objects and old ones."""
        return self.incoming.store

    @property
    def name(self) -> str:
        """The actor's name (``""`` when nobody is signed in)."""
        return self.actor.name or ""

    @cached_property
    def record(self) -> Record:
        """The events of the repo. Raises ``GlasshubError`` when they are damaged."""
        return Record.read(self.hub, self.repo.key, self.repo.repo_id, self.git)

    @property
    def main(self) -> str:
        """The commit of ``main`` (``""`` while there is none)."""
        return self.ref(MAIN)

    def ref(self, name: str) -> str:
        """The object id of a ref (``""`` when it does not exist)."""
        value = read_ref(self.git, name)
        return "" if value == ZERO else value

    def require(self, action: Action, *, author: str | None = None) -> None:
        """Return if the actor may. Raises as :func:`glasshub.access.require`."""
        access.require(self.actor, action, self.repo, author=author)

    def may(self, action: Action, *, author: str | None = None) -> bool:
        """Whether the actor may."""
        return access.may(self.actor, action, self.repo, author=author)

    def next_number(self) -> int:
        """A number for a new discussion; each call gives another one."""
        self.taken += 1
        return self.record.next_number + self.taken - 1

    def signature(self, name: str | None = None, date: str | None = None) -> Signature:
        """Who stands in commits that the hub makes: names are public, addresses are not."""
        return signature(self.hub, name or self.name, date or clock.now())


def signature(hub: Hub, name: str, date: str) -> Signature:
    """``name <name@users.noreply.HUB>`` at ``date`` (in the hub's form)."""
    host = urlsplit(hub.settings.public_url).hostname or "localhost"
    return Signature(name, f"{name}@users.noreply.{host}", int(datetime.fromisoformat(date).timestamp()))
