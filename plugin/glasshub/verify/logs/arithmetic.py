"""From the scores of samples to the number of a run: values, reduction over epochs, metric and standard error.

The rules are those of Inspect AI 0.3 (``inspect_ai.scorer``: ``value_to_float``, the reducers, the metrics).
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

from glasshub.errors import Invalid

_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0, "true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
_COUNTED = re.compile(r"(pass_at|at_least)_([1-9]\d{0,5})")
METRICS = ("accuracy", "mean", "stderr", "std")


def to_number(value: object) -> float:
    """A score's value as a number: C, I, P, N, a truth value, or a number in text or not.

    Raises:
        Invalid: it is something else (a mapping of several scores, for one), or no finite number.
    """
    if isinstance(value, bool | int | float):
        number = float(value)
    elif isinstance(value, str):
        number = _LETTERS[value] if value in _LETTERS else _parsed(value)
    else:
        raise Invalid(f"The score {value!r:.60} is not one number.")
    if not math.isfinite(number):
        raise Invalid(f"The score {value!r:.60} is not finite.")
    return number


def reduce(values: Sequence[float], reducer: str) -> float:
    """One number for an item from its epochs.

    Args:
        values: at least one.
        reducer: ``mean``, ``median``, ``mode``, ``max``, ``pass_at_K`` or ``at_least_K``.

    Raises:
        Invalid: there is no such reducer, or it needs more epochs.
    """
    if reducer == "mean":
        return statistics.fmean(values)
    if reducer == "median":
        return statistics.median(values)
    if reducer == "max":
        return max(values)
    if reducer == "mode":
        return Counter(values).most_common(1)[0][0]
    counted = _COUNTED.fullmatch(reducer)
    if counted is None:
        raise Invalid(f"The reducer {reducer[:40]!r} is not known here.")
    right, k = sum(value >= 1.0 for value in values), int(counted[2])
    if counted[1] == "at_least":
        return float(right >= k)
    if k > len(values):
        raise Invalid(f"{reducer} needs {k} epochs, and there are {len(values)}.")
    return 1.0 - math.comb(len(values) - right, k) / math.comb(len(values), k)


def metric(name: str, items: Sequence[float]) -> float:
    """A metric over items that are reduced already: ``accuracy`` and ``mean``, ``stderr``, ``std`` (both with n - 1).

    Raises:
        Invalid: there is no such metric, or no item.
    """
    if not items:
        raise Invalid("There is no item to measure.")
    if name in ("accuracy", "mean"):
        return statistics.fmean(items)
    if name in ("stderr", "std"):
        spread = statistics.stdev(items) if len(items) > 1 else 0.0
        return spread / math.sqrt(len(items)) if name == "stderr" else spread
    raise Invalid(f"The metric {name[:40]!r} is not known here.")


def by_item(scores: Mapping[tuple[str, int], float]) -> dict[str, list[float]]:
    """The values of each item in the order of epochs, from those by (item, epoch)."""
    items: dict[str, list[float]] = {}
    for (item, _), value in sorted(scores.items(), key=lambda pair: pair[0][1]):
        items.setdefault(item, []).append(value)
    return items


def _parsed(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Invalid(f"The score {text[:60]!r} is no number, and none of C, I, P, N.") from error
