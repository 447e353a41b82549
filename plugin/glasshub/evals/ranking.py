"""Which result stands for a model, and in what order models stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Tier(IntEnum):
    """Trust, best first: the first criterion of the headline rule."""

    VERIFIED = 0
    ENDPOINT = 1
    AUTHOR = 2
    COMMUNITY = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """One result of a (model, task) as the headline rule sees it. ``date`` is ISO-8601 UTC, comparable as text."""

    tier: Tier
    notes: str
    date: str
    path: str
    position: int
    pull: int = 0


def headline(candidates: Sequence[Candidate]) -> int:
    """The index of the headline result: best tier, no notes before notes, newest date, then path, position, pull.

    Never the maximum. Raises ``ValueError`` on an empty sequence.
    """
    order = sorted(range(len(candidates)), key=lambda n: _last_keys(candidates[n]))
    order.sort(key=lambda n: candidates[n].date, reverse=True)  # stable: equal dates keep the order above
    order.sort(key=lambda n: _first_keys(candidates[n]))
    if not order:
        raise ValueError("no candidates")
    return order[0]


def competition_ranks(values: Sequence[float], *, higher_is_better: bool = True) -> list[int]:
    """The 1-based rank of each value, equal values sharing one: ``[3, 5, 5]`` gives ``[3, 1, 1]``."""
    first: dict[float, int] = {}
    for place, value in enumerate(sorted(values, reverse=higher_is_better), start=1):
        first.setdefault(value, place)
    return [first[value] for value in values]


def _first_keys(candidate: Candidate) -> tuple[int, bool]:
    return candidate.tier, bool(candidate.notes)


def _last_keys(candidate: Candidate) -> tuple[str, int, int]:
    return candidate.path, candidate.position, candidate.pull
