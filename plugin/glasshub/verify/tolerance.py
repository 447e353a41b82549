"""Whether a run is consistent with a claim: by how much two runs of the same items may differ by chance.

Both sides answer the same items, so how hard the items are cancels out. What is left is the variance within items, from
one epoch to the next; the standard error that Inspect reports is mostly the variance between items, and too generous.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from glasshub.errors import Invalid

Z = 2.58  # two-sided 99 %


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim beside what was measured.

    Attributes:
        claim: the number that was claimed.
        measured: the number of the run.
        tolerance: the largest difference that is put down to chance.
        within: the variance within items that it follows from.
    """

    claim: float
    measured: float
    tolerance: float
    within: float

    @property
    def difference(self) -> float:
        """Measured less claimed."""
        return self.measured - self.claim

    @property
    def consistent(self) -> bool:
        """Whether the difference is within the tolerance (with a grain for rounding)."""
        return abs(self.difference) <= self.tolerance * (1 + 1e-9) + 1e-12


def within_variance(items: Collection[Sequence[float]]) -> float:
    """The mean over items of the variance of their scores (n - 1).

    For scores of 0 and 1 that is the mean of ``c (E - c) / (E (E - 1))`` with ``c`` successes in ``E`` epochs.

    Args:
        items: the scores of each item, one per epoch.

    Raises:
        Invalid: there is no item, or one was run in a single epoch, which tells nothing about chance.
    """
    if not items or min(len(scores) for scores in items) < 2:
        raise Invalid("How much the score varies by chance can be told only from a run of two epochs or more.")
    return statistics.fmean(statistics.variance(scores) for scores in items)


def compare(claim: float, measured: float, items: Collection[Sequence[float]], *, claim_epochs: int) -> Comparison:
    """Compare a claim with a run that has at least two epochs, reduced by their mean.

    The tolerance is ``z sqrt(w / n (1 / E_claim + 1 / E_run)) + 1 / n``.

    Args:
        claim: the number claimed.
        measured: the number of the run.
        items: the scores of each item in the run, one per epoch.
        claim_epochs: in how many epochs the claim was measured.

    Raises:
        Invalid: as :func:`within_variance`.
    """
    within, n = within_variance(items), len(items)
    epochs = min(len(scores) for scores in items)
    spread = math.sqrt(within / n * (1 / claim_epochs + 1 / epochs))
    return Comparison(claim, measured, Z * spread + 1 / n, within)
