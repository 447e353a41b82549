"""The geometry of the charts: where a value lies on an axis, in per cent of its width. Pure.

Charts are SVG with positions in per cent, so that they need no fixed width and no style attribute.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from glasshub.index.rows import LeaderboardRow

_MARGIN = 3.0
_LANES = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """A horizontal axis from ``low`` to ``high``."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """The position of ``value`` as an SVG length in per cent."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return f"{_MARGIN + min(max(share, 0.0), 1.0) * (100 - 2 * _MARGIN):.2f}%"

    def ticks(self, wanted: int = 5) -> list[float]:
        """About ``wanted`` round values on the axis."""
        span = self.high - self.low
        if span <= 0 or not math.isfinite(span):
            return [self.low]
        raw = span / wanted
        magnitude = 10.0 ** math.floor(math.log10(raw))
        step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if raw <= m * magnitude)
        first = math.ceil(self.low / step)
        return [round(n * step, 12) for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scale_of(rows: Sequence[LeaderboardRow]) -> Scale:
    """The axis that holds every value and every spread of these rows."""
    lows, highs = [row.low for row in rows], [row.high for row in rows]
    return Scale(min(lows, default=0.0), max(highs, default=1.0))


def lane(position: int) -> int:
    """The height (px) of a dot in the strip chart, so that neighbours do not hide each other."""
    return 14 + 9 * (position * 2 % _LANES)
