"""The geometry of the charts: where a value lies on an axis, in per cent of its width. Pure.

Charts are SVG with positions in per cent, so that they need no fixed width and no style attribute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from glasshub.evals.eval_yaml import Metric
from glasshub.index.rows import LeaderboardRow

FEW = 3
TICKS = 6
MOST_PLACES = 8
MOST_PLAIN = 1e9
_MARGIN = 4.0  # per cent on either side, so that dots at the ends are whole


@dataclass(frozen=True, slots=True)
class Scale:
    """A horizontal axis from ``low`` to ``high``."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """The position of ``value`` as an SVG length in per cent."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return f"{_MARGIN + min(max(share, 0.0), 1.0) * (100 - 2 * _MARGIN):.2f}%"

    @property
    def labels(self) -> list[tuple[float, str]]:
        """The ticks with their texts, all with the same number of decimals."""
        places = max((_places(tick) for tick in self.ticks), default=0)
        plain = places < MOST_PLACES and all(abs(tick) < MOST_PLAIN for tick in self.ticks)
        return [(tick, f"{tick:.{places}f}" if plain else f"{tick:.3g}") for tick in self.ticks]

    @property
    def ticks(self) -> list[float]:
        """A few round values on the axis."""
        span = self.high - self.low
        if span <= 0 or not math.isfinite(span):
            return [self.low]
        raw = span / TICKS
        magnitude = 10.0 ** math.floor(math.log10(raw))
        step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if raw <= m * magnitude)
        first = math.ceil(self.low / step)
        return [round(n * step, 12) for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scale_of(rows: Sequence[LeaderboardRow], metric: Metric) -> Scale:
    """The axis that holds every value and every spread of these rows, or the metric's range when they are few."""
    lows, highs = [row.low for row in rows], [row.high for row in rows]
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    if len(rows) < FEW and metric.minimum is not None and metric.maximum is not None:
        return Scale(min(low, metric.minimum), max(high, metric.maximum))
    return Scale(low, high)


def _places(value: float) -> int:
    return len(f"{value:.12f}".rstrip("0").partition(".")[2])
