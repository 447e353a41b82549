"""The process that audits one log: ``python -m glasshub.audits.child``, with limits on memory, time and files.

A line of JSON comes on standard input (settings, and what the result says), a line of JSON goes to standard output. It
ends when its input does: when the process of the server that wants the answer is gone.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glasshub.audits.examine import Examined, examine
from glasshub.audits.references import Said
from glasshub.config import Settings
from glasshub.hub import open_hub

_MOST_WRITTEN = 1024**3  # bytes of one file: a log from Xet is put together in one


def main() -> None:
    """Answer the one request on standard input."""
    request = json.loads(sys.stdin.buffer.readline())
    settings = Settings(**{**request["settings"], "data": Path(request["settings"]["data"])})
    _confine(settings)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        answer = _examine(settings, Said.from_json(request["said"]))
    except MemoryError:
        answer = asdict(Examined(reason=f"The audit needs more than the {settings.audit_memory:,} bytes of memory."))
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()


def _examine(settings: Settings, said: Said) -> dict[str, Any]:
    hub = open_hub(settings)
    try:
        return asdict(examine(hub, said))
    finally:
        hub.close()


def _confine(settings: Settings) -> None:
    os.nice(10)
    seconds = max(1, int(settings.audit_seconds))
    limits = [
        (resource.RLIMIT_DATA, settings.audit_memory), (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, _MOST_WRITTEN), (resource.RLIMIT_CORE, 0),
    ]  # fmt: skip
    for limit, most in limits:
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _leave_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main()
