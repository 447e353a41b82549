"""Whom the events of a repo concern: who opened, took part, was mentioned, or brought a result that was hidden.

A row depends on its event and those before it, never on later ones: so rows are only added, as events are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glasshub.events import REPO, Event, EventType
from glasshub.index.replace import Row
from glasshub.index.snapshot import RepoSnapshot
from glasshub.mentions import mentioned
from glasshub.provenance import ids

OPENED, TOOK_PART, MENTIONED, RESULT = "opened", "took part", "mentioned", "result"
_WRITTEN = frozenset({EventType.OPENED, EventType.COMMENTED, EventType.EDITED})
_RESULTS = frozenset({EventType.RESULT_HIDDEN, EventType.RESULT_SHOWN})


def rows(snap: RepoSnapshot) -> Iterator[Row]:
    """The rows of ``concerns`` for the events that the index does not have yet."""
    known = _Known()
    for place, logged in enumerate(snap.log):
        event = logged.event
        if event is None:
            continue
        found = known.concerned(event, with_texts=place >= snap.logged)
        if place >= snap.logged:
            yield from ((snap.key, event.number, account, reason, place) for account, reason in found)


class _Known:
    """What the events so far tell: who is in which discussion, and who brought which result."""

    def __init__(self) -> None:
        self._people: set[tuple[int, str]] = set()
        self._proposed: dict[str, str] = {}
        self._authors: dict[int, str] = {}

    def concerned(self, event: Event, *, with_texts: bool) -> dict[tuple[str, str], None]:
        """The (account, reason) that this event adds; texts are only searched for names if they matter."""
        found: dict[tuple[str, str], None] = {}
        actor = event.actor.lower()
        if event.number != REPO:
            self._note_results(event)
            if actor and (event.number, actor) not in self._people:
                self._people.add((event.number, actor))
                found[actor, OPENED if event.type is EventType.OPENED else TOOK_PART] = None
            if with_texts and event.type in _WRITTEN:
                names = mentioned(str(event.data.get("body", "")))
                found.update({(name, MENTIONED): None for name in names if name != actor})
        elif event.type is EventType.COMMITTED:
            self._proposed.update(dict.fromkeys(ids(event, "added"), actor))
        elif event.type in _RESULTS:
            author = self._proposed.get(str(event.data.get("result", "")), "")
            if author and author != actor:
                found[author, RESULT] = None
        return found

    def _note_results(self, event: Event) -> None:
        if event.type is EventType.OPENED:
            self._authors.setdefault(event.number, event.actor.lower())
        results: Any = event.data.get("results", ())
        for result in results if isinstance(results, list) else ():
            if isinstance(result, Mapping):
                self._proposed.setdefault(str(result.get("id", "")), self._authors.get(event.number, ""))
