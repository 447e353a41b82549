"""``glasshub serve``, but its process dies at a chosen step of the first push: python deadly_server.py DATA PORT STEP.

STEP is ``module:name`` or ``module:Class.name``, and ``before`` or ``after``, such as
``glasshub.git.refs:apply_updates/after``.
With ``/alone`` at its end only the worker dies, once, and the server starts another.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import reduce
from importlib import import_module
from pathlib import Path

from glasshub import serve
from glasshub.config import load


def arm(step: str) -> None:
    """Replace the function by one that kills."""
    where, moment, *alone = step.split("/")
    module, _, names = where.partition(":")
    *path, name = names.split(".")
    owner = reduce(getattr, path, import_module(module))
    real, server, once = getattr(owner, name), os.getpid(), Path(sys.argv[1], "died-once")

    def deadly(*arguments: object, **options: object) -> object:
        if os.getpid() == server or once.exists():  # while it prepares itself to serve, or when it has been done
            return real(*arguments, **options)
        if moment == "after":
            real(*arguments, **options)
        if alone:
            once.touch()
        else:
            os.kill(server, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(owner, name, deadly)


if __name__ == "__main__":
    arm(sys.argv[3])
    serve.serve(load(sys.argv[1]), port=int(sys.argv[2]), workers=1)
