"""Dying at a chosen moment: a child process that is killed before its n-th change to the file system."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}


def die_before_change(action: Callable[[], object], number: int) -> bool:
    """Run ``action`` in a child that is killed -9 before its ``number``-th change; whether it lived to the end."""
    child = os.fork()
    if child == 0:
        _run_until(action, number)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.WEXITSTATUS(status) == 0, "the child failed; its traceback is above"
    return True


def every_death(action: Callable[[], object], prepare: Callable[[], object], *, most: int = 200) -> Iterator[int]:
    """For each moment: prepare anew, die there, and yield so that the caller looks at what is left."""
    for number in range(1, most):
        prepare()
        lived = die_before_change(action, number)
        yield number
        if lived:
            return
    raise AssertionError(f"still dying after {most} changes")


def die_at(number: int) -> Callable[[], None]:
    """A function to call at each step: it kills the process when it is called for the ``number``-th time."""
    seen = 0

    def step() -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def before_every_change(step: Callable[[], None]) -> None:
    """Call ``step`` before each change that this process makes to the file system, from now on."""

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in _CHANGES or writes:
            step()

    sys.addaudithook(watch)


def _run_until(action: Callable[[], object], number: int) -> None:
    before_every_change(die_at(number))
    try:
        action()
    except BaseException:  # noqa: BLE001 - whatever it is, a forked test must not go on
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
