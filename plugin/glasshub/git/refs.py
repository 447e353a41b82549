"""Ref updates: what they are, which names are legal, and changing several at once by compare-and-swap."""

from __future__ import annotations

from dataclasses import dataclass

ZERO = "0" * 40


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One requested change of one ref. Object ids are 40 hex digits; ``ZERO`` means "does not exist"."""

    old: str
    new: str
    ref: str

    @property
    def creates(self) -> bool:
        """Whether the ref must not exist before."""
        return self.old == ZERO

    @property
    def deletes(self) -> bool:
        """Whether the ref goes away."""
        return self.new == ZERO


@dataclass(frozen=True, slots=True)
class RefResult:
    """What became of one update: ``error`` is ``""`` when it was applied, else a short reason for the client."""

    update: RefUpdate
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the ref now has the new value."""
        return not self.error
