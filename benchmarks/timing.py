"""Durations and how they are printed: medians and 99th percentiles in milliseconds, ratios of paired runs."""

from __future__ import annotations

import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Durations:
    """Milliseconds of one thing done again and again."""

    values: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        """The 99th percentile (the largest, where there are fewer than a hundred)."""
        return sorted(self.values)[math.ceil(0.99 * len(self.values)) - 1]

    def over(self, peer: Durations) -> float:
        """The median of the ratios of runs that were done in turns."""
        return statistics.median(a / b for a, b in zip(self.values, peer.values, strict=True))

    def __str__(self) -> str:
        return f"p50 {self.p50:8.2f} ms   p99 {self.p99:8.2f} ms   n {len(self.values)}"


def timed(action: Callable[[], object]) -> float:
    """Milliseconds that ``action`` takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def in_turns(actions: Sequence[Callable[[], object]], times: int) -> list[Durations]:
    """Each action ``times`` times, one after the other in every round, so that noise hits all alike."""
    rounds = [[timed(action) for action in actions] for _ in range(times)]
    return [Durations(column) for column in zip(*rounds, strict=True)]


def heading(what: str) -> None:
    """The first line of a report: what is measured, and on what."""
    load = os.getloadavg()[0]
    print(f"{what}: Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f} before", flush=True)


def line(name: str, what: object) -> None:
    """One line of the report, shown at once."""
    print(f"{name:<58} {what}", flush=True)
