"""Uploads in parts: each is written where it belongs in the whole, so that nothing is copied in the end.

Nobody may still write to the whole once it was checked. So whoever writes a part holds a shared lock on it, and whoever
completes the upload an exclusive one, having taken it out of reach of those who come later.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from glasshub.blobs.writing import PIECE, Check, write_part
from glasshub.errors import Busy, Invalid, NotFound

_WHOLE = "whole"
_WAIT_SECONDS = 30.0


class Parts:
    """An upload under way: the folder with the whole, and beside it a tag for each part that has come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _WHOLE

    def write(self, number: int, stream: IO[bytes], *, at: int, size: int) -> str:
        """Write a part; returns its tag. Raises ``Invalid``, ``TooLarge``; ``NotFound``: the upload is closed."""
        tag = secrets.token_hex(8)
        mark = self._folder / f"{number}.tag"
        try:
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        except FileNotFoundError as error:
            raise _gone() from error
        try:
            fcntl.flock(file, fcntl.LOCK_SH)
            if not _is_at(file, self._path):
                raise _gone()
            mark.unlink(missing_ok=True)
            write_part(file, stream, at=at, size=size)
            mark.write_text(tag)
        finally:
            os.close(file)
        return tag

    @contextmanager
    def closed(self, parts: list[tuple[int, str]], aside: Path) -> Iterator[Path]:
        """The whole, where nobody can write to it any more; back in its place if the block leaves it there.

        Raises:
            Invalid: a part is missing, or is another one than was acknowledged.
            Busy: parts are still being written.
        """
        file, path = self._open(aside)
        try:
            _lock(file)
            if not _is_at(file, path):
                raise Busy("This upload is being completed. Try again.")
            self._require(parts)
            if path != aside:
                path.rename(aside)
            try:
                yield aside
            finally:
                with suppress(FileNotFoundError):
                    aside.rename(self._path)
        finally:
            os.close(file)

    def _open(self, aside: Path) -> tuple[int, Path]:
        for path in (self._path, aside):  # aside: somebody completes it, or died while doing so
            with suppress(FileNotFoundError):
                return os.open(path, os.O_RDONLY), path
        raise Invalid("No part was uploaded. Upload them and complete again.")

    def check(self, whole: Path, check: Check, *, size: int) -> None:
        """Read the whole once, and see that it is on the disk. Raises ``Invalid`` when it is not what it should be."""
        buffer = memoryview(bytearray(PIECE))
        with whole.open("rb", buffering=0) as file, ThreadPoolExecutor(1, "syncing") as aside:
            synced = aside.submit(os.fsync, file.fileno())
            found = os.fstat(file.fileno()).st_size
            if found != size:
                raise Invalid(f"The parts make {found:,} bytes, not {size:,}. Upload them again.")
            while count := file.readinto(buffer):
                check.update(buffer[:count])
            synced.result()
        check.finish()

    def remove(self) -> None:
        """The upload is finished."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _require(self, parts: list[tuple[int, str]]) -> None:
        for place, (number, tag) in enumerate(sorted(parts), start=1):
            mark = self._folder / f"{number}.tag"
            if number != place or not mark.is_file():
                raise Invalid(f"Part {place} was not uploaded. Upload it and complete again.")
            if tag and tag.strip('"') != mark.read_text():
                raise Invalid(f"Part {number} is not the one that was acknowledged. Upload it again.")


def _lock(file: int) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Busy("Parts of this upload are still under way. Complete it once they have come.") from None
            time.sleep(0.05)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _gone() -> NotFound:
    return NotFound("This upload is not known, or was finished. Begin it again.")
