"""Events in, acts out; and how results of files are compared."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from glasshub.acts import Act, Claim, acts_of, compare
from glasshub.events import Event, EventType
from glasshub.index.snapshot import LoggedEvent
from glasshub.lineage import MainLine
from glasshub.provenance import bringers
from tests.pulls.test_conversation import EVENTS

A = Claim("a" * 16, "lab/cap", "europe", "1", "own.yaml")


@settings(max_examples=60)
@given(EVENTS)
def test_any_events_make_acts(events: list[Event]):
    log = [LoggedEvent(f"{place:040x}", event) for place, event in enumerate(events)]
    found = acts_of([*log, LoggedEvent("f" * 40, None)])
    assert [act.place for act in found] == sorted({act.place for act in found})
    assert all(act.record == log[act.place].commit for act in found)
    MainLine.of(log)
    bringers(events)


def test_what_makes_way_for_another_of_its_task_in_its_file_is_changed():
    other = replace(A, id="b" * 16, value="2", dataset="Lab/Cap")
    asia, elsewhere = replace(other, id="c" * 16, task="asia"), replace(other, id="d" * 16, path="new.yaml")
    assert [(c.kind, c.claim.value, c.before) for c in compare([A], [other])] == [("changed", "2", A)]
    for new in (asia, elsewhere):
        assert [(c.kind, c.claim) for c in compare([A], [new])] == [("added", new), ("removed", A)]
    assert compare([A], [replace(A, path="moved.yaml", line=7)]) == ()
    twice = replace(other, id="e" * 16, value="3")
    assert [(c.kind, c.before) for c in compare([A], [other, twice])] == [("changed", A), ("added", None)]


def test_a_pull_request_tells_what_it_proposed_when_it_was_closed():
    said = {"id": A.id, "dataset": A.dataset, "task": A.task, "value": A.value, "path": A.path}
    events = [
        _event(EventType.OPENED, pull=True, title="T", results=[said], head="1" * 40),
        _event(EventType.COMMENTED, body="Too good."),
        _event(EventType.STATUS, status="closed"),
    ]
    opened, closed = acts_of([LoggedEvent(f"{n:040x}", event) for n, event in enumerate(events)])
    assert (opened.action, opened.changes[0].kind, opened.commit) == ("opened", "added", "1" * 40)
    assert isinstance(closed, Act)
    assert (closed.action, closed.reason, closed.changes[0].claim.value) == ("closed", "Too good.", "1")
    assert closed.changes[0].kind == ""


def _event(type: EventType, **data: object) -> Event:
    return Event("0" * 23 + str(len(data)), type, 1, "eve", "2026-01-01T00:00:00.000Z", data)
