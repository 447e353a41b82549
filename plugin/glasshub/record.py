"""The record of one repo: its chain of events, as far as the index knows it and from there on from git."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dulwich.repo import Repo as GitRepo

from glasshub import conversation
from glasshub.conversation import Discussion, HiddenResult
from glasshub.errors import NotFound
from glasshub.events import Event, from_message, latest_by_number
from glasshub.git.event_log import EVENTS, read_chain
from glasshub.git.ref_store import ZERO, read_ref
from glasshub.hub import Hub
from glasshub.index import recorded
from glasshub.index.snapshot import LoggedEvent


def read_log(repo: GitRepo, tip: str, known: Sequence[LoggedEvent]) -> tuple[tuple[LoggedEvent, ...], int]:
    """The chain of events that ends in ``tip`` (``""``: there is none), oldest first.

    A commit's id stands for everything before it, so what is known up to a commit of the chain is taken as read.

    Args:
        repo: the repository.
        tip: 40 hex digits, or ``""``.
        known: a chain read before, perhaps a former one.

    Returns:
        The chain, and how many of its first events were known.

    Raises:
        GlasshubError: the chain is damaged.
    """
    if not tip:
        return (), 0
    places = {logged.commit: place for place, logged in enumerate(known)}
    met: list[str] = []

    def is_known(commit: str) -> bool:
        if commit in places:
            met.append(commit)
        return bool(met)

    fresh = [LoggedEvent(entry.commit, from_message(entry.message)) for entry in read_chain(repo, tip, known=is_known)]
    count = places[met[0]] + 1 if met else 0
    return (*known[:count], *fresh), count


@dataclass(frozen=True)
class Record:
    """The events of a repo at one moment. Under the repo's lock, nothing is added while it is used."""

    repo_id: str
    tip: str
    events: tuple[Event, ...]

    @classmethod
    def read(cls, hub: Hub, key: str, repo_id: str, git: GitRepo) -> Record:
        """The record as it is now. Raises ``GlasshubError`` when it is damaged."""
        target = read_ref(git, EVENTS)
        tip = "" if target == ZERO else target
        log, _ = read_log(git, tip, recorded.log(hub.index.read(), key) if tip else ())
        return cls(repo_id, tip, tuple(entry.event for entry in log if entry.event is not None))

    @cached_property
    def discussions(self) -> dict[int, Discussion]:
        """All discussions and pull requests by number."""
        return conversation.discussions(self.events)

    @cached_property
    def hidden(self) -> dict[str, HiddenResult]:
        """The results hidden now, by result id."""
        return conversation.hidden_results(self.events)

    @property
    def next_number(self) -> int:
        """The number that the next discussion or pull request gets."""
        return latest_by_number(self.events) + 1

    def discussion(self, number: int) -> Discussion:
        """One discussion or pull request. Raises ``NotFound``."""
        found = self.discussions.get(number)
        if found is None:
            raise NotFound(f"{self.repo_id} has no discussion or pull request {number}.")
        return found

    def pull(self, number: int) -> Discussion:
        """One pull request. Raises ``NotFound``."""
        found = self.discussion(number)
        if not found.is_pull:
            raise NotFound(f"Number {number} of {self.repo_id} is a discussion, not a pull request.")
        return found
