"""The thread of a server process that audits logs, one at a time. Several processes share the work."""

from __future__ import annotations

from glasshub.audits import queue
from glasshub.background import Chore, Loop
from glasshub.hub import Hub

POLL_SECONDS = 0.5
CATCH_UP_SECONDS = 60.0  # what a hook has missed: a benchmark that came later, a process that died


class AuditLoop(Loop):
    """Audits for a hub, in this process; one that is under way when it stops is left to another process."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub, "glasshub-audits", POLL_SECONDS, [Chore(queue.catch_up, CATCH_UP_SECONDS, first=2.0)])

    def start(self) -> None:
        """Begin; where audits are switched off, there is nothing to do."""
        if self.hub.settings.audit_seconds:
            super().start()

    def look(self) -> None:
        """Audit what waits."""
        while not self.stopping.is_set() and (taken := queue.take(self.hub)):
            queue.work(self.hub, taken, self.stopping)
