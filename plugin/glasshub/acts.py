"""What people did to a model's results, act by act. Pure: events in, values out, nothing raised.

Commits that came to ``main`` without a pull request are no acts here; :mod:`glasshub.history` adds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from glasshub import conversation
from glasshub.conversation import Discussion
from glasshub.evals.eval_results import ResultEntry
from glasshub.evals.result_id import result_id
from glasshub.events import MAX_REASON, Event, EventType
from glasshub.index.snapshot import LoggedEvent

Kind = Literal["added", "changed", "removed", ""]
Action = Literal[
    "committed", "opened", "drafted", "pushed", "readied", "closed", "reopened", "merged", "head-deleted",
    "hidden", "shown", "squashed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """What one result says, in short; ``line`` is 0 where only the record of an event tells of it."""

    id: str
    dataset: str
    task: str
    value: str
    path: str
    source: str = ""
    line: int = 0

    @classmethod
    def of(cls, entry: ResultEntry) -> Claim:
        """That of an entry of a file."""
        source = entry.source.url if entry.source else ""
        return cls(result_id(entry), entry.dataset_id, entry.task_id, entry.value_text, entry.path, source, entry.line)

    @classmethod
    def told(cls, said: Mapping[str, Any]) -> Claim:
        """That in an event (:func:`glasshub.evals.result_id.summary`)."""
        id, dataset, task, value, path, source = (
            str(said.get(key, "")) for key in ("id", "dataset", "task", "value", "path", "source")
        )
        return cls(id, dataset, task, value, path, source)


@dataclass(frozen=True, slots=True)
class Change:
    """One result that an act is about; ``before`` is what a changed one said. ``pull`` brought or holds it (0: none).

    ``kind`` is empty where the act did not touch the files.
    """

    kind: Kind
    claim: Claim
    before: Claim | None = None
    pull: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """One act and all results it is about.

    Attributes:
        action: what was done.
        who: the account (``""`` after erasure, and where no record tells it).
        date: when, as in :mod:`glasshub.clock`.
        commit: the commit it is about (``""`` for none).
        record: the commit of the chain of events that tells of it (``""``: it is the commit itself).
        place: the event's place in that chain (-1: none).
        pull: the pull request (0: none), with its ``title`` and who ``proposed`` it.
        title: of the pull request or the commit.
        reason: why, if somebody said so; a comment with a change of status is one.
        how: of a merge: ``merge``, ``squash``, ``fast-forward`` or ``push`` (``""``: it is none).
        changes: the results.
        unread: the files are too large to be compared here.
        git_author: whom the commit names, when no record tells who brought it.
    """

    action: Action
    who: str
    date: str
    commit: str = ""
    record: str = ""
    place: int = -1
    pull: int = 0
    title: str = ""
    proposed: str = ""
    reason: str = ""
    changes: tuple[Change, ...] = ()
    unread: bool = False
    git_author: str = ""
    how: str = ""


@dataclass
class _Pull:
    """A pull request while its events are read: its status then, and what it proposed then."""

    found: Discussion
    status: str = "open"
    head: str = ""
    proposed: dict[str, Claim] = field(default_factory=dict)


def acts_of(log: Sequence[LoggedEvent]) -> list[Act]:
    """The acts in a chain of events, oldest first; ``place`` is the event's in ``log``."""
    return [act for act in _Teller(log).acts() if act is not None]


def compare(before: Iterable[Claim], after: Iterable[Claim], *, pull: int = 0) -> tuple[Change, ...]:
    """The difference between the results of some files before and after, in the order of the files after.

    One that makes way for another of the same dataset and task in the same file is changed.
    """
    old, new = ({claim.id: claim for claim in claims} for claims in (before, after))
    gone: defaultdict[tuple[str, str, str], list[Claim]] = defaultdict(list)
    for claim in old.values():
        if claim.id not in new:
            gone[_about(claim)].append(claim)
    changes = []
    for claim in new.values():
        if claim.id not in old:
            waiting = gone[_about(claim)]
            former = waiting.pop(0) if waiting else None
            changes.append(Change("changed" if former else "added", claim, former, pull))
    return (*changes, *(Change("removed", claim, None, pull) for claims in gone.values() for claim in claims))


def _about(claim: Claim) -> tuple[str, str, str]:
    return claim.path, claim.dataset.lower(), claim.task


class _Teller:
    """Reads a chain of events once, from its beginning."""

    def __init__(self, log: Sequence[LoggedEvent]) -> None:
        self._log = log
        known = conversation.discussions(entry.event for entry in log if entry.event is not None)
        self._pulls = {number: _Pull(found) for number, found in known.items() if found.is_pull}

    def acts(self) -> Iterable[Act | None]:
        """One act or none for each event."""
        former: Event | None = None
        for place, entry in enumerate(self._log):
            if entry.event is not None:
                act = self._act(entry.event, former)
                yield replace(act, record=entry.commit, place=place) if act is not None else None
                former = entry.event

    def _act(self, event: Event, former: Event | None) -> Act | None:
        if event.type in (EventType.RESULT_HIDDEN, EventType.RESULT_SHOWN):
            return _visibility(event)
        if event.type is EventType.SQUASHED:
            return Act("squashed", event.actor, event.date, str(event.data.get("commit", "")))
        pull = self._pulls.get(event.number)
        if pull is None:
            return None
        match event.type:
            case EventType.OPENED:
                pull.status = "draft" if event.data.get("draft") else "open"
                return _moved(
                    "drafted" if pull.status == "draft" else "opened", event, pull, str(event.data.get("head", ""))
                )
            case EventType.PUSHED:
                return _moved("pushed", event, pull, str(event.data.get("new", "")))
            case EventType.MERGED:
                pull.status = "merged"
                act = _moved("merged", event, pull, str(event.data.get("commit", "")))
                return replace(act, how=str(event.data.get("how", ""))) if act else None
            case EventType.STATUS:
                return _status(event, pull, _reason(event, former, pull.found))
            case EventType.HEAD_DELETED if pull.proposed:
                return _about_pull("head-deleted", event, pull)
            case _:
                return None


def _visibility(event: Event) -> Act:
    about = event.data.get("about")
    said = about if isinstance(about, dict) else {}
    number = said.get("pull", 0)
    claim = replace(Claim.told(said), id=str(event.data.get("result", "")))
    change = Change("", claim, pull=number if isinstance(number, int) else 0)
    action: Action = "hidden" if event.type is EventType.RESULT_HIDDEN else "shown"
    return Act(action, event.actor, event.date, reason=str(event.data.get("reason", "")), changes=(change,))


def _moved(action: Action, event: Event, pull: _Pull, commit: str) -> Act | None:
    """An act that brings commits: what it adds and takes away. Nothing if results never played a part in it."""
    added, gone = (claims(event, key) for key in ("results", "withdrawn"))
    concerned = bool(added or gone or pull.proposed)
    pull.head = commit
    for claim in gone:
        pull.proposed.pop(claim.id, None)
    pull.proposed.update((claim.id, claim) for claim in added)
    changes = compare(gone, added, pull=event.number)
    return replace(_about_pull(action, event, pull), changes=changes) if concerned else None


def _status(event: Event, pull: _Pull, reason: str) -> Act | None:
    before, pull.status = pull.status, str(event.data.get("status", ""))
    actions: dict[str, Action] = {"closed": "closed", "draft": "drafted", "open": "reopened"}
    action = actions.get(pull.status)
    if action is None or not pull.proposed:
        return None
    return replace(
        _about_pull("readied" if (before, action) == ("draft", "reopened") else action, event, pull), reason=reason
    )


def _about_pull(action: Action, event: Event, pull: _Pull) -> Act:
    found = pull.found
    return Act(
        action, event.actor, event.date, pull.head, pull=found.number, title=found.title, proposed=found.author,
        changes=tuple(Change("", claim, pull=found.number) for claim in pull.proposed.values()),
    )  # fmt: skip


def claims(event: Event, key: str) -> list[Claim]:
    """The results that an event names as ``results`` or ``withdrawn``."""
    said = event.data.get(key)
    return [Claim.told(one) for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _reason(event: Event, former: Event | None, found: Discussion) -> str:
    """The comment that was written together with a change of status, unless it is hidden or erased."""
    if former is None or former.type is not EventType.COMMENTED or former.number != event.number:
        return ""
    comment = found.comments.get(former.id)
    together = former.actor == event.actor and former.date[:19] == event.date[:19]
    if comment is None or not together or comment.hidden or comment.erased:
        return ""
    text = " ".join(comment.body.split())
    return text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 1]}…"
