"""Writing content while it comes: read, looked at and written at the same time, and on the disk when it ends.

Large content goes to the disk directly, past the page cache of the system, where the file system can (``O_DIRECT``, see
open(2)): copying it into the cache and writing it back from there took longer than hashing it, and
pushed out what the hub reads all the time.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from typing import IO, Any, Protocol

from glasshub.errors import Invalid, TooLarge

PIECE = 128 * 1024  # larger ones leave the processor's cache between being received, looked at and written
LARGE = 16 * 1024 * 1024  # content from this size on is worth two threads
_DIRECT_PIECE = 1024 * 1024  # for a disk, few large writes are best
_BLOCK = 4096  # what is written directly begins, ends and lies in memory at a multiple of this
_AT_ONCE = 3  # buffers: one is filled while the others are looked at and written


class Check(Protocol):
    """Looks at content while it is stored."""

    def update(self, data: Any, /) -> object:
        """Take the next bytes; they are another's as soon as this returns."""

    def finish(self) -> None:
        """All bytes came. Raises ``Invalid`` when they are not what they should be."""


def write(file: int, stream: IO[bytes], check: Check, *, size: int, exact: bool = True) -> None:
    """Write what a stream gives to an empty file (its descriptor), and see that it is on the disk.

    Raises:
        TooLarge: it gives more than ``size`` bytes.
        Invalid: it gives fewer, if all have to come (``exact``), or something else than ``check`` expects.
    """
    way = _write_aside if exact and size >= LARGE else _write_in_turn
    written = way(file, stream, check, size)
    if exact and written != size:
        raise Invalid(f"The content has {written:,} bytes, not the {size:,} that were announced. Upload it again.")
    check.finish()
    os.fsync(file)


def write_part(file: int, stream: IO[bytes], *, at: int, size: int) -> None:
    """Write what a stream gives from the byte ``at`` of a file on. It need not be on the disk when this returns.

    Raises:
        TooLarge: it gives more than ``size`` bytes.
        Invalid: it gives fewer.
    """
    written = 0
    for data in _pieces(stream, [_buffer(PIECE, size)], size):
        _write(file, data, at + written)
        written += len(data)
    if written != size:
        raise Invalid(f"The part has {written:,} bytes, not the {size:,} that were announced. Upload it again.")


def _write_in_turn(file: int, stream: IO[bytes], check: Check, size: int) -> int:
    written = 0
    for data in _pieces(stream, [_buffer(PIECE, size)], size):
        check.update(data)
        _write(file, data, written)
        written += len(data)
    return written


def _write_aside(file: int, stream: IO[bytes], check: Check, size: int) -> int:
    """Look and write in two threads, each in order, while the next bytes come."""
    written = 0
    under_way: deque[tuple[Future[object], Future[None]]] = deque()
    target = _Target(file)
    buffers = [_buffer(_DIRECT_PIECE, size) for _ in range(_AT_ONCE)]
    with ThreadPoolExecutor(1, "looking") as looking, ThreadPoolExecutor(1, "writing") as writing:
        for data in _pieces(stream, buffers, size):
            under_way.append((looking.submit(check.update, data), writing.submit(target.write, data, written)))
            written += len(data)
            if len(under_way) == _AT_ONCE:  # the buffer that is filled next is the one that was handed over first
                _wait(under_way.popleft())
        for pair in under_way:
            _wait(pair)
    return written


def _wait(under_way: tuple[Future[object], Future[None]]) -> None:
    for future in under_way:
        future.result()


def _buffer(piece: int, size: int) -> memoryview:
    """Memory for pieces of content of this size, where a disk can fetch them itself."""
    return memoryview(mmap.mmap(-1, min(piece, size + 1)))


def _pieces(stream: IO[bytes], buffers: Sequence[memoryview], size: int) -> Iterator[memoryview]:
    """What a stream gives, in the buffers by turns, each filled but the last. Raises ``TooLarge``."""
    come = 0
    for buffer in cycle(buffers):
        data = buffer[: fill(stream, buffer)]
        come += len(data)
        if come > size:
            raise TooLarge(f"The content has more than the {size:,} bytes that were announced.")
        if not data:
            return
        yield data


def fill(stream: IO[bytes], buffer: memoryview) -> int:
    """Read until the buffer is full or the stream ends; how many bytes came."""
    into = getattr(stream, "readinto", None)
    have = 0
    while have < len(buffer):
        if into is not None:
            count = into(buffer[have:])
        else:
            data = stream.read(len(buffer) - have)
            count = len(data)
            buffer[have : have + count] = data
        if not count:
            break
        have += count
    return have


class _Target:
    """A file that is written past the page cache for as long as that goes."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._direct = _set_direct(file, wanted=True)

    def write(self, data: memoryview, at: int) -> None:
        """Write the next bytes, which begin at the byte ``at``; only the last may end in the middle of a block."""
        if self._direct and len(data) % _BLOCK:
            self._direct = _set_direct(self._file, wanted=False)
        try:
            _write(self._file, data, at)
        except OSError as error:
            if not self._direct or error.errno != errno.EINVAL:
                raise
            self._direct = _set_direct(self._file, wanted=False)  # larger blocks, or none that it knows of
            _write(self._file, data, at)


def _set_direct(file: int, *, wanted: bool) -> bool:
    """Say that a file is written past the page cache, or that it is not; whether it is now."""
    direct: int = getattr(os, "O_DIRECT", 0)  # not on macOS
    flags = fcntl.fcntl(file, fcntl.F_GETFL) & ~direct
    try:
        fcntl.fcntl(file, fcntl.F_SETFL, flags | direct if wanted else flags)
    except OSError:
        return False
    return wanted and bool(direct)


def _write(file: int, data: memoryview, at: int) -> None:
    while data:
        count = os.pwrite(file, data, at)
        data, at = data[count:], at + count
