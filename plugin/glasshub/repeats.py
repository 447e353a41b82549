"""Requests that come twice, since a client never saw the answer to the first: what was decided is not decided again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from glasshub.desk import Desk, Move


def once(decision: Callable[[Desk], Move], request: str) -> Callable[[Desk], Move]:
    """The decision, made once for a request: the event that tells of it gets the request's id as its own.

    Args:
        decision: the decision.
        request: 24 hex digits that only the very same request of the same person has.

    Returns:
        A decision that changes nothing when there is that event already.
    """

    def decided(desk: Desk) -> Move:
        former = next((event for event in reversed(desk.record.events) if event.id == request), None)
        if former is not None:
            return Move(again=former)
        move = decision(desk)
        if not move.events:
            return move
        return replace(move, events=(*move.events[:-1], replace(move.events[-1], id=request)))

    return decided
