"""Which result stands for a model, and in what order models stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class Tier(IntEnum):
    """Trust, best first: the first criterion of the headline rule."""

    VERIFIED = 0
    AUTHOR = 1
    COMMUNITY = 2


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
    raise NotImplementedError


def competition_ranks(values: Sequence[float], *, higher_is_better: bool = True) -> list[int]:
    """The 1-based rank of each value, equal values sharing one: ``[3, 5, 5]`` gives ``[3, 1, 1]``."""
    raise NotImplementedError
