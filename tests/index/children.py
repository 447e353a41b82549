"""Doing things in other processes that share the hub's files, as workers and commands do."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable


def start(action: Callable[[], object]) -> int:
    """Run ``action`` in a forked process; returns its id."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:  # noqa: BLE001 - the child must not go on with its parent's work
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return pid


def wait(pid: int) -> int:
    """How a process ended: its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(owner: object, name: str, *, after: bool) -> None:
    """Make this process kill itself before (or after) ``owner.name`` is called."""
    real = getattr(owner, name)

    def deadly(*arguments: object, **options: object) -> None:
        if after:
            real(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)
