"""Working while the client listens: lines go out as they come, not when the work is done."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Tell = Callable[[str], None]
Result = TypeVar("Result")
_MOST_AT_ONCE = 64


def while_telling(work: Callable[[Tell], Result]) -> Generator[str, None, Result]:
    """Run ``work`` in another thread, yield each line that it tells, and return its result.

    Closing the generator (a client that hangs up) lets the work go on to its end first: a push whose refs
    are moving is not torn apart. What the work raises is raised here.
    """
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    running = _threads().submit(work, lines.put)
    running.add_done_callback(lambda _: lines.put(None))
    try:
        while (line := lines.get()) is not None:
            yield line
        return running.result()
    finally:
        _wait(running)


def _wait(running: Future[Result]) -> None:
    # Without raising: when the generator is closed there is nobody to tell.
    running.exception()


@cache
def _threads() -> ThreadPoolExecutor:
    """Threads that stay, since each keeps its own database connections."""
    return ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="receive-pack")


os.register_at_fork(after_in_child=_threads.cache_clear)  # a forked process does not inherit threads
