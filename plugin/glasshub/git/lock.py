"""One writer per repository: an advisory lock that the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glasshub.errors import Busy, RepoNotFound

LOCK_FILE = "glasshub.lock"


@contextmanager
def repo_lock(git_dir: Path, *, timeout: float = 30.0) -> Iterator[None]:
    """Hold the repository's lock; excludes other threads and other processes alike.

    Args:
        git_dir: the bare repository.
        timeout: seconds to wait at most, with jittered pauses.

    Raises:
        Busy: somebody else held it all that time.
        RepoNotFound: the repository is gone.
    """
    try:
        # A new file description each time: flock then also excludes threads of this process.
        handle = os.open(git_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError as error:
        raise RepoNotFound("This repo has been deleted.") from error
    try:
        _acquire(handle, time.monotonic() + timeout)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, deadline: float) -> None:
    pause = 0.002
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise Busy("This repo is busy with another write. Try again in a moment.") from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, 0.1)
        else:
            return
