"""Runs one command and ends it, with all that it started, when whoever started this is gone: even by ``kill -9``.

Whoever starts this holds the other end of its standard input, and never writes to it; the end of it is the signal.

``python -m glasshub.runner.guard COMMAND...``, or ``... guard --room FD JSON COMMAND...`` to go into a network of its
own first (:mod:`glasshub.runner.namespaces`). FD is a Unix socket: the listening sockets of the room's doors are sent
over it, and for each byte that comes a new socket of that network; or else the words that say why there is none.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from glasshub.runner.namespaces import enter
from glasshub.runner.rooms import Room

GRACE = 5.0
ROOM, READY = "--room", b"ready"
NO_ROOM = 111  # exit code


def main(command: list[str]) -> int:
    """Run the command; returns its exit code."""
    if command[0] == ROOM:
        with socket.socket(fileno=int(command[1])) as channel:
            if not _enter(channel, command[2]):
                return NO_ROOM
            threading.Thread(target=_make_sockets, args=(channel,), daemon=True).start()
            return _run(command[3:])
    return _run(command)


def _run(command: list[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    watcher = threading.Thread(target=_watch, args=(child,), daemon=True)
    watcher.start()
    code = child.wait()
    _signal(child.pid, signal.SIGKILL)  # what it left behind
    return code


def _enter(channel: socket.socket, room: str) -> bool:
    try:
        listeners = enter(Room.model_validate_json(room), Path.cwd())
    except OSError as error:
        channel.sendall(str(error).encode()[:500])
        return False
    socket.send_fds(channel, [READY], [listener.fileno() for listener in listeners])
    for listener in listeners:
        listener.close()
    return True


def _make_sockets(channel: socket.socket) -> None:
    """A socket for whoever holds the other end: it belongs to this network, wherever it is used."""
    with contextlib.suppress(OSError):
        while channel.recv(1):
            with socket.socket() as made:
                socket.send_fds(channel, [READY], [made.fileno()])


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
