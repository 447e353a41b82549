"""Processes that end with the runner, and what they said last."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType

from glasshub.errors import GlasshubError
from glasshub.runner import guard
from glasshub.runner.relays import Relay
from glasshub.runner.rooms import Door, Room

TAIL = 8_000
_ROOM_SECONDS, _DIAL_SECONDS = 30.0, 30.0


class Guarded:
    """A command that runs until the end of the ``with`` block; its output goes to a file.

    Args:
        command: program and arguments.
        environment: all of it.
        folder: where it runs.
        output: the file.
        room: the network that it is to have, if it is to have one of its own.

    Raises:
        GlasshubError: it cannot be started, or this machine gives it no network of its own.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        output: Path,
        *,
        room: Room | None = None,
    ) -> None:
        self._output = output
        self._relays: list[Relay] = []
        self._one_at_a_time = threading.Lock()
        self._channel: socket.socket | None = None
        theirs: socket.socket | None = None
        before: list[str] = []
        if room:
            self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            before = [guard.ROOM, str(theirs.fileno()), room.model_dump_json()]
        with output.open("ab") as file:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", guard.__name__, *before, *command], stdin=subprocess.PIPE, stdout=file,
                    stderr=subprocess.STDOUT, env=dict(environment), cwd=folder, start_new_session=True,
                    pass_fds=[theirs.fileno()] if theirs else [],
                )  # fmt: skip
            except OSError as error:
                self._close_channel()
                raise GlasshubError(f"{command[0]} cannot be started: {error}.") from error
            finally:
                if theirs:
                    theirs.close()
        if room:
            self._open_doors(room)

    def __enter__(self) -> Guarded:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def code(self) -> int | None:
        """The exit code, ``None`` while it runs."""
        return self._process.poll()

    def tail(self) -> str:
        """What it said last."""
        with self._output.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            return file.read().decode("utf-8", "replace")

    def dial(self, port: int) -> socket.socket:
        """A connection to what listens in its network, where that is its own. Raises ``OSError``."""
        assert self._channel is not None
        with self._one_at_a_time:
            self._channel.send(b"+")
            _, numbers, _, _ = socket.recv_fds(self._channel, 16, 1)
        if not numbers:
            raise ConnectionRefusedError("the program has ended, and its network with it")
        made = socket.socket(fileno=numbers[0])
        made.settimeout(_DIAL_SECONDS)
        try:
            made.connect(("127.0.0.1", port))
        except OSError:
            made.close()
            raise
        made.settimeout(None)
        return made

    def stop(self) -> None:
        """End it, kindly first, with all that it started."""
        for relay in self._relays:
            relay.close()
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(guard.GRACE + 3)
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._close_channel()

    def _open_doors(self, room: Room) -> None:
        assert self._channel is not None
        self._channel.settimeout(_ROOM_SECONDS)
        try:
            words, numbers, _, _ = socket.recv_fds(self._channel, 1_000, len(room.doors))
        except OSError as error:
            words, numbers = str(error).encode(), []
        if words != guard.READY or len(numbers) != len(room.doors):
            said = words.decode("utf-8", "replace") or self.tail()[-300:]
            self.stop()
            raise GlasshubError(f"No network of its own could be had: {said}.")
        for door, number in zip(room.doors, numbers, strict=True):
            self._relays.append(Relay(socket.socket(fileno=number), partial(_outside, door)))

    def _close_channel(self) -> None:
        if self._channel is not None:
            self._channel.close()


def _outside(door: Door) -> socket.socket:
    """A connection to where a door leads. A hub that restarts is waited for: a cut would end the run."""
    deadline = time.monotonic() + _DIAL_SECONDS
    while True:
        try:
            found = socket.create_connection((door.leads_to, door.port), timeout=_DIAL_SECONDS)
            break
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
    found.settimeout(None)
    return found
