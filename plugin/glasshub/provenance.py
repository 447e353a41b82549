"""Who brought each result to ``main``, as the events tell it. Pure: events in, values out, nothing raised.

Not as the commits tell it: whoever makes a commit writes any name into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from glasshub.events import Event, EventType
from glasshub.index.snapshot import FileResult


@dataclass(frozen=True, slots=True)
class Bringer:
    """Who submitted a result (``""`` after erasure), by which pull request (0: none), and who merged that."""

    submitter: str
    pull: int = 0
    merged_by: str = ""

    def named(self, result: FileResult) -> FileResult:
        """The result as brought by this."""
        return replace(result, submitter=self.submitter, via_pull=self.pull, merged_by=self.merged_by, git_author="")


def bringers(events: Iterable[Event]) -> dict[str, Bringer]:
    """Who brought the results that came to ``main``, by result id.

    A merged pull request that proposed a result keeps being named with it. Else it is who pushed or committed it to
    ``main``, until it was removed there; whoever brings it back is named then.
    """
    authors: dict[int, str] = {}
    merged: dict[str, Bringer] = {}
    pushed: dict[str, Bringer] = {}
    for event in events:
        match event.type:
            case EventType.OPENED:
                authors.setdefault(event.number, event.actor)
            case EventType.MERGED if event.number in authors:
                by = Bringer(authors[event.number], event.number, event.actor)
                merged.update(dict.fromkeys(merged_ids(event), by))
                _forget(pushed, _told(event, "withdrawn"))
            case EventType.COMMITTED:
                _forget(pushed, ids(event, "removed"))
                for id in ids(event, "added"):
                    pushed.setdefault(id, Bringer(event.actor))
            case _:
                pass
    return {**pushed, **merged}


def merged_ids(event: Event) -> list[str]:
    """The ids of all results that a merge brought."""
    return [*_told(event, "results"), *ids(event, "more")]


def ids(event: Event, key: str) -> list[str]:
    """A list of ids (of results or commits) in an event."""
    found: Any = event.data.get(key)
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _told(event: Event, key: str) -> list[str]:
    found: Any = event.data.get(key)
    return [str(one.get("id", "")) for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _forget(known: dict[str, Bringer], gone: Iterable[str]) -> None:
    for id in gone:
        known.pop(id, None)
