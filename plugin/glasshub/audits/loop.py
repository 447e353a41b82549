"""The thread of a server process that audits logs, one at a time. Several processes share the work."""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time

from glasshub.audits import queue
from glasshub.errors import GlasshubError
from glasshub.hub import Hub

POLL_SECONDS = 0.5
CATCH_UP_SECONDS = 60.0  # what a hook has missed: a benchmark that came later, a process that died
_log = logging.getLogger(__name__)


class AuditLoop:
    """Audits for a hub, in this process, until told to stop."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="glasshub-audits", daemon=True)

    def start(self) -> None:
        """Begin; where audits are switched off, there is nothing to do."""
        if self._hub.settings.audit_seconds:
            self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Take nothing more, and leave what is being audited to another process."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        due = time.monotonic() + random.uniform(0, 2)  # noqa: S311
        while not self._stopping.wait(POLL_SECONDS * random.uniform(0.5, 1.0)):  # noqa: S311
            try:
                if time.monotonic() >= due:
                    due = time.monotonic() + CATCH_UP_SECONDS * random.uniform(0.5, 1.5)  # noqa: S311
                    queue.catch_up(self._hub)
                while not self._stopping.is_set() and (taken := queue.take(self._hub)):
                    queue.work(self._hub, taken, self._stopping)
            except (GlasshubError, sqlite3.Error, OSError):
                _log.exception("logs cannot be audited now")
