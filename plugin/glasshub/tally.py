"""Downloads that one process has seen and not yet written: counting must cost a request next to nothing. Pure."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_WAITING = 100_000


@dataclass(frozen=True, slots=True)
class Download:
    """A download of a repo (its key) in one hour, ``YYYY-MM-DDTHH`` in UTC."""

    repo: str
    hour: str

    @property
    def day(self) -> str:
        """``YYYY-MM-DD``."""
        return self.hour[:10]


class Tally:
    """What is to be counted: one download per repo, reader and hour.

    When very much waits to be written, more is not counted: memory is worth more than a number.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hour = ""
        self._known: set[str] = set()
        self._waiting: dict[str, Download] = {}

    def note(self, repo: str, reader: str, *, now: datetime | None = None) -> None:
        """``reader`` (nobody's name in clear) has downloaded from a repo."""
        hour = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H")
        mark = hashlib.blake2b(f"{hour}|{repo}|{reader}".encode(), digest_size=16).hexdigest()
        with self._lock:
            if hour != self._hour:
                self._hour, self._known = hour, set()
            if mark in self._known or len(self._waiting) >= MOST_WAITING:
                return
            self._known.add(mark)
            self._waiting[mark] = Download(repo, hour)

    def take(self) -> dict[str, Download]:
        """All that waits, by its mark; the caller writes it, or puts it back."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
            return taken

    def put_back(self, taken: Mapping[str, Download]) -> None:
        """What could not be written waits again."""
        with self._lock:
            self._waiting = {**taken, **self._waiting}
