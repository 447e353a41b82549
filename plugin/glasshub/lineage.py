"""How ``main`` came to be what it is, as the events tell it: whose each step is. Pure: events in, values out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from glasshub.acts import Change, claims
from glasshub.events import MOST_RESULTS, Event, EventType
from glasshub.index.snapshot import LoggedEvent
from glasshub.provenance import ids, merged_ids

_COMMIT = re.compile(r"(?:[0-9a-f]{40})?")


@dataclass(frozen=True, slots=True)
class By:
    """Who brought a commit to ``main`` (``""`` after erasure), when, and the commit of the chain that tells of it."""

    who: str
    date: str
    record: str


@dataclass
class Told:
    """The ids of results that came with pull requests, and of those that went with them."""

    brought: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)

    def add(self, merge: Event) -> None:
        """Note what a merge tells."""
        self.brought.update(claim.id for claim in claims(merge, "results"))
        self.withdrawn.update(claim.id for claim in claims(merge, "withdrawn"))

    def covers(self, change: Change) -> bool:
        """Whether a change need not be told again."""
        return change.claim.id in (self.withdrawn if change.kind == "removed" else self.brought)


@dataclass
class MainLine:
    """What the events say of the commits on ``main``.

    Attributes:
        by: who brought a commit that changes results; it is on no record where it is missing here.
        skips: commits made by merges and squashes, each with what ``main`` was before: their events tell it all.
        jumps: commits that are told as one step from what ``main`` was before, whatever their first parents are.
        pulls: the pull request by which a result came to ``main``, where the commits are told too.
        told: results that a commit brought, or took away, with a pull request: the merge of that tells it.
    """

    by: dict[str, By] = field(default_factory=dict)
    skips: dict[str, str] = field(default_factory=dict)
    jumps: dict[str, str] = field(default_factory=dict)
    pulls: dict[str, int] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    _last: Event | None = field(default=None, init=False, repr=False)  # the last event ``committed``

    @classmethod
    def of(cls, log: Sequence[LoggedEvent]) -> MainLine:
        """That of a chain of events."""
        line = cls()
        for entry in log:
            if entry.event is not None and entry.event.type is EventType.COMMITTED:
                line._committed(entry.event, entry.commit)
            elif entry.event is not None and entry.event.type is EventType.MERGED:
                line._merged(entry.event, entry.commit)
            elif entry.event is not None and entry.event.type is EventType.SQUASHED:
                line._squashed(entry.event)
        return line

    def _committed(self, event: Event, record: str) -> None:
        old, new = (str(event.data.get(key, "")) for key in ("old", "new"))
        by = By(event.actor, event.date, record)
        for step in ids(event, "steps"):
            self.by.setdefault(step, by)  # who brought it first
        if event.data.get("apart") and _are_commits(old, new):
            self.by[new], self.jumps[new] = by, old
        self._last = event

    def _merged(self, event: Event, record: str) -> None:
        commit, onto = (str(event.data.get(key, "")) for key in ("commit", "onto"))
        complete = all(len(claims(event, key)) < MOST_RESULTS for key in ("results", "withdrawn"))
        pushed = event.data.get("how") == "push"
        if pushed and complete:
            self._merged_by_push(event, commit, onto)
            return
        told_apart = pushed or commit in self.by
        if told_apart or not complete:
            self.pulls.update(dict.fromkeys(merged_ids(event), event.number))
        if not told_apart and commit and _are_commits(onto, commit):
            if complete:
                self.skips[commit] = onto
            else:  # the event has no room for all of its results
                self.by[commit], self.jumps[commit] = By(event.actor, event.date, record), onto

    def _merged_by_push(self, event: Event, commit: str, onto: str) -> None:
        """Its own commits are passed over; what others of that push brought is told without what it tells."""
        move = self._last if self._last and self._last.data.get("new") == commit else None
        head = str(event.data.get("head", ""))
        if head and _are_commits(head, onto) and not (move and move.data.get("apart")):
            self.skips[head] = onto
        for step in {commit, *(ids(move, "steps") if move else ())}:
            self.told.setdefault(step, Told()).add(event)

    def _squashed(self, event: Event) -> None:
        commit, onto = (str(event.data.get(key, "")) for key in ("commit", "onto"))
        if commit and _are_commits(onto, commit):
            self.skips[commit] = onto


def _are_commits(*found: str) -> bool:
    return all(_COMMIT.fullmatch(one) for one in found)
