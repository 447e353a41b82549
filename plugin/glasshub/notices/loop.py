"""The threads of a server process that deliver: one looks for what is due, others send it."""

from __future__ import annotations

import logging
import threading
import time

from glasshub.background import TROUBLE, Chore, Loop
from glasshub.hub import Hub
from glasshub.notices import delivery, outbox
from glasshub.registry.deliveries import Delivery

POLL_SECONDS = 0.5
SENDERS = 4
CATCH_UP_SECONDS = 600.0
PRUNE_SECONDS = 3600.0
_log = logging.getLogger(__name__)


class DeliveryLoop(Loop):
    """Delivers for a hub, in this process, until told to stop. Several processes share the work.

    Threads are daemons: a process that ends does not wait for a slow receiver. What it was sending is sent again by
    another one when the lease has ended.
    """

    def __init__(self, hub: Hub) -> None:
        chores = [Chore(outbox.catch_up, CATCH_UP_SECONDS), Chore(delivery.prune, PRUNE_SECONDS)]
        super().__init__(hub, "glasshub-deliveries", POLL_SECONDS, chores)
        self._senders: list[threading.Thread] = []

    def look(self) -> None:
        """Start a sender for everything that is due, as far as there are any left."""
        self._senders = [thread for thread in self._senders if thread.is_alive()]
        free = SENDERS - len(self._senders)
        for taken in delivery.take(self.hub, free) if free else []:
            thread = threading.Thread(target=self._send, args=[taken], name="glasshub-delivery", daemon=True)
            self._senders.append(thread)
            thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Take nothing more, and wait a little for what is being sent."""
        deadline = time.monotonic() + timeout
        super().stop(timeout)
        for thread in self._senders:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _send(self, taken: Delivery) -> None:
        """Send one delivery, and while there are more, the next: many need not wait for the next look."""
        more = [taken]
        try:
            while more and not self.stopping.is_set():
                delivery.deliver(self.hub, more[0])
                more = delivery.take(self.hub, 1)
        except TROUBLE:
            _log.exception("deliveries of webhooks are tried again later")
