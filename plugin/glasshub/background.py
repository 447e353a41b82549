"""What a server process does beside answering: one thread that looks now and then, and chores that are due at times."""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from glasshub.errors import GlasshubError
from glasshub.hub import Hub

_log = logging.getLogger(__name__)
TROUBLE = (GlasshubError, sqlite3.Error, OSError)
"""What passes: the next look tries again."""


class Chore:
    """Something to do now and then; processes that start together do not do it together.

    Args:
        do: the chore.
        seconds: between two times, on average.
        first: seconds until the first time, at most; by default about as many as between two times.
    """

    def __init__(self, do: Callable[[Hub], object], seconds: float, *, first: float | None = None) -> None:
        self._do = do
        self._seconds = seconds
        self._next = time.monotonic() + (self._about() if first is None else random.uniform(0, first))  # noqa: S311

    def do_when_due(self, hub: Hub) -> None:
        """Do it if it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._about()
            self._do(hub)

    def _about(self) -> float:
        return self._seconds * random.uniform(0.5, 1.5)  # noqa: S311


class Loop:
    """A thread that looks again and again, until told to stop. A look that fails is logged, and the next one made.

    It is a daemon: a process that ends does not wait for it longer than it is told.

    Args:
        hub: the hub.
        name: of the thread.
        seconds: between two looks, at most.
        chores: done at each look that they are due at, after the look itself.
    """

    def __init__(self, hub: Hub, name: str, seconds: float, chores: Sequence[Chore] = ()) -> None:
        self.hub = hub
        self.stopping = threading.Event()
        self._seconds, self._chores = seconds, chores
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def look(self) -> None:
        """What is done each time."""

    def end(self) -> None:
        """What is done once more when it stops."""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Begin nothing more, and wait a little for what is being done."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self.stopping.wait(self._seconds * random.uniform(0.5, 1.0)):  # noqa: S311
            self._try(self.look)
            for chore in self._chores:
                self._try(partial(chore.do_when_due, self.hub))
        self._try(self.end)

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except TROUBLE:
            _log.exception("%s cannot go on now; the next look tries again", self._thread.name)
