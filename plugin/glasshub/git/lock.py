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
_LONGEST_PAUSE = 0.1


@contextmanager
def repo_lock(git_dir: Path, timeout: float = 30.0) -> Iterator[None]:
    """Hold the repository's lock; excludes other threads and other processes alike. Not re-entrant.

    Args:
        git_dir: the bare repository.
        timeout: seconds to wait at most, with jittered pauses.

    Raises:
        Busy: somebody else held it all that time.
        RepoNotFound: the repository is gone, or went while we waited.
    """
    handle = _open(git_dir)
    try:
        _acquire(handle, time.monotonic() + timeout)
        _require_present(git_dir, handle)
        yield
    finally:
        os.close(handle)


def try_flock(handle: int) -> bool:
    """Take the exclusive lock of an open file or folder now, or not at all."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(git_dir: Path) -> int:
    try:
        # A new file description each time: flock then also excludes the other threads of this process.
        return os.open(git_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except FileNotFoundError as error:
        raise RepoNotFound("This repo has been deleted.") from error


def _acquire(handle: int, deadline: float) -> None:
    pause = 0.002
    while not try_flock(handle):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Busy("This repo is busy with another write. Try again in a moment.")
        time.sleep(min(left, pause * random.uniform(0.5, 1.5)))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, _LONGEST_PAUSE)


def _require_present(git_dir: Path, handle: int) -> None:
    # The repository may have been removed (and even made again) while this thread waited for the old lock file.
    try:
        same = os.path.samestat(os.fstat(handle), (git_dir / LOCK_FILE).stat())
    except FileNotFoundError:
        same = False
    if not same:
        raise RepoNotFound("This repo has been deleted.")
