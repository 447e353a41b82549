"""Starting the process that audits a log, and waiting for its answer no longer than it is given."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, fields
from typing import IO, Any

from glasshub.audits.examine import Examined
from glasshub.audits.references import Said
from glasshub.config import Settings
from glasshub.errors import GlasshubError

COMMAND = (sys.executable, "-m", "glasshub.audits.child")
_MOST_ANSWER = 1024 * 1024
_LOOK_SECONDS = 0.1


class Stopped(GlasshubError):
    """The server ends; the audit is for another process."""


def run(settings: Settings, said: Said, stopping: threading.Event) -> Examined:
    """Audit in another process.

    Args:
        settings: the hub's; ``audit_seconds`` and ``audit_memory`` are its limits.
        said: what the result says of its log.
        stopping: ends it at once when set.

    Raises:
        Stopped: it was ended so.
        GlasshubError: it ended without an answer (killed by somebody else, for one).
        OSError: it could not be started.
    """
    request = {"settings": {**asdict(settings), "data": str(settings.data)}, "said": said.to_json()}
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as words:
        with subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=answer, stderr=words, start_new_session=True
        ) as child:
            try:
                in_time = _converse(child, request, settings.audit_seconds, stopping)
            finally:
                child.kill()
                _hang_up(child)
        if stopping.is_set():
            raise Stopped("The server ends.")
        if not in_time or child.returncode == -24:  # SIGXCPU
            return Examined(reason=f"The audit took longer than {settings.audit_seconds:g} seconds.")
        if child.returncode != 0:
            raise GlasshubError(f"the audit ended with {child.returncode}: {_end_of(words)}")
        return _answer(answer)


def _converse(
    child: subprocess.Popen[bytes], request: dict[str, Any], seconds: float, stopping: threading.Event
) -> bool:
    """Whether the child ended in time."""
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()  # and left open: it lives as long as we do
    deadline = time.monotonic() + seconds
    while child.poll() is None and time.monotonic() < deadline and not stopping.wait(_LOOK_SECONDS):
        pass
    return child.poll() is not None


def _hang_up(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    with suppress(BrokenPipeError):  # what it never read is written when the pipe is closed
        child.stdin.close()


def _answer(file: IO[bytes]) -> Examined:
    file.seek(0)
    try:
        said = json.loads(file.read(_MOST_ANSWER))
        return Examined(**{field.name: said[field.name] for field in fields(Examined)})
    except (ValueError, KeyError, TypeError) as error:
        raise GlasshubError("the audit gave no answer") from error


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, 2)
    file.seek(max(0, size - 2_000))
    return file.read().decode("utf-8", "replace")
