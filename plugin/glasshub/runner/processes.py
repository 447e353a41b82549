"""Processes that end with the runner, and what they said last."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from glasshub.errors import GlasshubError
from glasshub.runner import guard

TAIL = 8_000


class Guarded:
    """A command that runs until the end of the ``with`` block; its output goes to a file.

    Args:
        command: program and arguments.
        environment: all of it.
        folder: where it runs.
        output: the file.

    Raises:
        GlasshubError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, output: Path) -> None:
        self._output = output
        with output.open("ab") as file:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", guard.__name__, *command], stdin=subprocess.PIPE, stdout=file,
                    stderr=subprocess.STDOUT, env=dict(environment), cwd=folder, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise GlasshubError(f"{command[0]} cannot be started: {error}.") from error

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

    def stop(self) -> None:
        """End it, kindly first, with all that it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(guard.GRACE + 3)
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
