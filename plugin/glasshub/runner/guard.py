"""Runs one command and ends it, with all that it started, when whoever started this is gone: even by ``kill -9``.

Whoever starts this holds the other end of its standard input, and never writes to it; the end of it is the signal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

GRACE = 5.0


def main(command: list[str]) -> int:
    """Run the command; returns its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    watcher = threading.Thread(target=_watch, args=(child,), daemon=True)
    watcher.start()
    code = child.wait()
    _signal(child.pid, signal.SIGKILL)  # what it left behind
    return code


def _watch(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    _signal(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(GRACE)
    _signal(child.pid, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
