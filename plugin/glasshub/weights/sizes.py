"""Numbers of parameters as people write them: ``7B``, ``min:1B,max:7B``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from glasshub.errors import Invalid

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
# The unit, its size, and from where on it is used: most models are told in billions.
_SHORT = (("T", 10**12, 10**12), ("B", 10**9, 10**8), ("M", 10**6, 10**6), ("K", 10**3, 10**3))
_NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)([KMBT]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SizeRange:
    """Models from ``least`` to ``most`` parameters, both included; ``None`` is no bound."""

    least: int | None = None
    most: int | None = None


def parse_range(text: str) -> SizeRange | None:
    """A range as stock clients write it: ``min:1B,max:7B``, or one of both; ``None`` for an empty text.

    Raises:
        Invalid: it is not written so.
    """
    if not text:
        return None
    bounds: dict[str, int] = {}
    for part in text.split(","):
        which, colon, number = part.strip().partition(":")
        found = _NUMBER.fullmatch(number.strip())
        if which not in ("min", "max") or not colon or found is None or which in bounds:
            raise Invalid("num_parameters is written min:1B,max:7B, or with only one of both. Units are K, M, B and T.")
        bounds[which] = round(float(found[1]) * _UNITS[found[2].upper()])
    if bounds.get("min", 0) > bounds.get("max", 10**18):
        raise Invalid("num_parameters asks for more at least (min) than at most (max).")
    return SizeRange(bounds.get("min"), bounds.get("max"))


def short_count(total: int) -> str:
    """A number of parameters for people: ``22.7M``, ``0.6B``, ``7B``."""
    for unit, size, least in _SHORT:
        if total >= least:
            return f"{total / size:.1f}".removesuffix(".0") + unit
    return str(total)
