"""Time as the hub writes it: ISO-8601 in UTC with a literal ``Z`` (the only form stock clients parse)."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """An aware ``datetime`` as ``YYYY-MM-DDTHH:MM:SS.mmmZ``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def now() -> str:
    """The current time in the hub's form."""
    return iso(datetime.now(UTC))


def from_timestamp(seconds: float) -> str:
    """Seconds since the epoch (a git commit time) in the hub's form; out-of-range values are clamped."""
    return iso(datetime.fromtimestamp(min(max(seconds, 0), 253402300799), UTC))
