"""The threads of a server process that deliver: one looks for what is due, others send it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from glasshub.errors import GlasshubError
from glasshub.hub import Hub
from glasshub.notices import delivery, outbox
from glasshub.registry.deliveries import Delivery

POLL_SECONDS = 0.5
SENDERS = 4
CATCH_UP_SECONDS = 600.0
PRUNE_SECONDS = 3600.0
_log = logging.getLogger(__name__)


class DeliveryLoop:
    """Delivers for a hub, in this process, until told to stop. Several processes share the work.

    Threads are daemons: a process that ends does not wait for a slow receiver. What it was sending is sent again by
    another one when the lease has ended.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._stopping = threading.Event()
        self._senders: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="glasshub-deliveries", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Take nothing more, and wait a little for what is being sent."""
        self._stopping.set()
        deadline = time.monotonic() + timeout
        for thread in (self._thread, *self._senders):
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        chores = [_Chore(outbox.catch_up, CATCH_UP_SECONDS), _Chore(delivery.prune, PRUNE_SECONDS)]
        while not self._stopping.wait(POLL_SECONDS * random.uniform(0.5, 1.0)):  # noqa: S311
            try:
                self._hand_out()
                for chore in chores:
                    chore.do_when_due(self._hub)
            except (GlasshubError, OSError):
                _log.exception("deliveries of webhooks cannot go on now")

    def _hand_out(self) -> None:
        """Start a sender for everything that is due, as far as there are any left."""
        self._senders = [thread for thread in self._senders if thread.is_alive()]
        free = SENDERS - len(self._senders)
        for taken in delivery.take(self._hub, free) if free else []:
            thread = threading.Thread(target=self._send, args=[taken], name="glasshub-delivery", daemon=True)
            self._senders.append(thread)
            thread.start()

    def _send(self, taken: Delivery) -> None:
        """Send one delivery, and while there are more, the next: many need not wait for the next look."""
        more = [taken]
        try:
            while more and not self._stopping.is_set():
                delivery.deliver(self._hub, more[0])
                more = delivery.take(self._hub, 1)
        except (GlasshubError, OSError):
            _log.exception("deliveries of webhooks are tried again later")


class _Chore:
    """Something to do now and then; processes that start together do not do it together."""

    def __init__(self, do: Callable[[Hub], object], seconds: float) -> None:
        self._do = do
        self._seconds = seconds
        self._next = time.monotonic() + seconds * random.uniform(0.5, 1.5)  # noqa: S311

    def do_when_due(self, hub: Hub) -> None:
        """Do it if it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._seconds * random.uniform(0.5, 1.5)  # noqa: S311
            self._do(hub)
