"""Threads of a server process outlive what goes wrong in one look, and end when they are told to."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable

import pytest

from glasshub.background import Chore, Loop
from glasshub.errors import Busy


class Looking(Loop):
    """Looks every few milliseconds, and does what it is told at each look."""

    def __init__(self, look: Callable[[], None], chores=()) -> None:
        super().__init__(None, "looking", 0.01, chores)
        self._look, self.ended = look, threading.Event()

    def look(self) -> None:
        self._look()

    def end(self) -> None:
        self.ended.set()


@pytest.mark.parametrize("trouble", [Busy("later"), sqlite3.OperationalError("disk I/O error"), OSError("no space")])
def test_a_look_that_fails_is_followed_by_another_and_by_the_chores(trouble, caplog):
    looks, chores = threading.Semaphore(0), threading.Semaphore(0)

    def look() -> None:
        looks.release()
        raise trouble

    def chore(_hub: object) -> None:
        chores.release()
        raise trouble

    loop = Looking(look, [Chore(chore, 0.01, first=0.0)])
    loop.start()
    for _ in range(3):
        assert looks.acquire(timeout=5)
        assert chores.acquire(timeout=5)
    loop.stop()
    assert loop.ended.is_set()
    assert "the next look tries again" in caplog.text


def test_a_loop_that_never_began_stops_at_once():
    Looking(lambda: None).stop()
