"""Writing content while it comes: read, looked at and written at the same time, and on the disk when it ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, Protocol

from glasshub.errors import Invalid, TooLarge

PIECE = 1024 * 1024
SYNC_EVERY = 64 * PIECE  # the disk writes meanwhile, so that little is left to wait for in the end


class Check(Protocol):
    """Looks at content while it is stored."""

    def update(self, data: Any, /) -> object:
        """Take the next bytes; they are another's as soon as this returns."""

    def finish(self) -> None:
        """All bytes came. Raises ``Invalid`` when they are not what they should be."""


def write(file: int, stream: IO[bytes], check: Check, *, size: int, exact: bool = True, at: int = 0) -> None:
    """Write what a stream gives to a file (its descriptor) from the byte ``at`` on, and see that it is on the disk.

    Raises:
        TooLarge: it gives more than ``size`` bytes.
        Invalid: it gives fewer, if all have to come (``exact``), or something else than ``check`` expects.
    """
    written = turn = 0
    buffers: list[memoryview] = []
    with _Aside() as aside:
        while True:
            if len(buffers) <= turn:
                buffers.append(memoryview(bytearray(min(PIECE, size + 1))))
            count = fill(stream, buffers[turn])
            if written + count > size:
                raise TooLarge(f"The content has more than the {size:,} bytes that were announced.")
            if not count:
                break
            data = buffers[turn][:count]
            aside.look(check, data)
            _write(file, data, at + written)
            written += count
            aside.sync(file, written)
            turn = 1 - turn  # the other buffer was looked at before this one was handed over
        aside.wait()
    if exact and written != size:
        raise Invalid(f"The content has {written:,} bytes, not the {size:,} that were announced. Upload it again.")
    check.finish()
    os.fsync(file)


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


class _Aside:
    """What is done in other threads while the next bytes are read: looking at those that came, and syncing."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None
        self._looking: Future[object] | None = None
        self._syncing: Future[object] | None = None
        self._synced = 0

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, *_: object) -> None:
        if self._threads is not None:
            self._threads.shutdown()

    def look(self, check: Check, data: memoryview) -> None:
        """Let ``check`` look at data, once it has looked at what came before."""
        if len(data) < PIECE:  # small or the end: a thread would not pay
            self.wait()
            check.update(data)
            return
        self.wait()
        self._looking = self._submit(check.update, data)

    def sync(self, file: int, written: int) -> None:
        """Let the disk write, if much has come and it is not busy with the last."""
        if written - self._synced >= SYNC_EVERY and (self._syncing is None or self._syncing.done()):
            self._synced = written
            self._syncing = self._submit(os.fdatasync, file)

    def wait(self) -> None:
        """Return once all was looked at. Raises what ``check`` raised."""
        if self._looking is not None:
            self._looking.result()
            self._looking = None

    def _submit(self, action: Callable[..., object], *given: object) -> Future[object]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(2, thread_name_prefix="writing")
        return self._threads.submit(action, *given)


def _write(file: int, data: memoryview, at: int) -> None:
    while data:
        count = os.pwrite(file, data, at)
        data, at = data[count:], at + count
