"""What an audit of a log found: one line per check, and whether the log may be called audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a check ended. ``UNKNOWN``: it could not be made; ``APART``: it does not concern this task."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    APART = "not-applicable"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its id (A1 to C2, as in docs/verification.md), what it asks, how it ended, and why."""

    id: str
    title: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of a log, and the number that its samples give (``None``: none can be computed)."""

    checks: tuple[Check, ...]
    value: float | None = None
    stderr: float | None = None

    @property
    def audited(self) -> bool:
        """Whether the log may be called audited: every check passed that concerns the task."""
        return all(check.outcome in (Outcome.PASSED, Outcome.APART) for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed: something in the log is wrong."""
        return tuple(check for check in self.checks if check.outcome is Outcome.FAILED)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        checks = [
            {"id": check.id, "title": check.title, "outcome": check.outcome.value, "detail": check.detail}
            for check in self.checks
        ]
        return {"audited": self.audited, "value": self.value, "stderr": self.stderr, "checks": checks}


class Trouble:
    """Collects what is wrong while many samples are looked at; keeps the first few and counts all."""

    def __init__(self, shown: int = 3) -> None:
        self._shown, self._first, self.count = shown, list[str](), 0

    def add(self, words: str) -> None:
        """Note one more."""
        self.count += 1
        if len(self._first) < self._shown:
            self._first.append(words)

    def check(self, id: str, title: str, fine: str = "") -> Check:
        """The check that this collected for: failed if there was any trouble."""
        if not self.count:
            return Check(id, title, Outcome.PASSED, fine)
        more = f" and {self.count - len(self._first):,} more" if self.count > len(self._first) else ""
        return Check(id, title, Outcome.FAILED, "; ".join(self._first) + more + ".")


def named(items: Sequence[object], shown: int = 3) -> str:
    """The first few of a list in words."""
    more = f" and {len(items) - shown:,} more" if len(items) > shown else ""
    return ", ".join(str(item) for item in items[:shown]) + more
