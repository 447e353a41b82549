"""Large request bodies: de-chunked by the server, maybe gzipped by git, always read bounded."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from typing import IO, cast

from flask import request
from werkzeug.exceptions import ClientDisconnected

from glasshub.config import Settings
from glasshub.errors import Invalid
from glasshub.git.pack_read import Limits
from glasshub.web.socket_body import direct


class GunzipReader(io.RawIOBase):
    """Reads a gzip stream piece by piece, so that a small body cannot unfold in memory at once."""

    def __init__(self, source: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile(fileobj=source, mode="rb")

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` with inflated bytes; 0 at the end. Raises ``Invalid`` on a broken stream."""
        try:
            return self._gzip.readinto(buffer)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise Invalid(f"The gzipped request body is damaged ({error}). Send it again.") from error


class Unbroken(io.RawIOBase):
    """Reads a request's body; what a client that hangs up or falls silent makes of that is one error of the family."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer``; 0 at the end. Raises ``Invalid`` when the client has gone."""
        try:
            into = getattr(self._source, "readinto", None)
            if into is not None:
                return cast(int, into(buffer))
            data = self._source.read(len(buffer))
        except (ClientDisconnected, OSError) as error:
            raise _cut() from error
        buffer[: len(data)] = data
        return len(data)

    def read(self, count: int = -1, /) -> bytes:
        """At most ``count`` bytes, all by default. Raises ``Invalid`` when the client has gone."""
        try:
            return self._source.read(count)
        except (ClientDisconnected, OSError) as error:
            raise _cut() from error


def _cut() -> Invalid:
    return Invalid("The transfer was cut before its end. Try again.")


def counted_body() -> IO[bytes]:
    """The body as a stream without the limit on forms: whoever reads it counts."""
    request.max_content_length = sys.maxsize  # None would mean the limit on forms, not none at all
    source = direct(request.environ) or request.stream
    return cast("IO[bytes]", Unbroken(source))


def git_body() -> IO[bytes]:
    """The body of a git request as a stream; limits on what comes out of it are the reader's."""
    stream = counted_body()
    if request.headers.get("Content-Encoding", "") in ("gzip", "x-gzip"):
        return io.BufferedReader(GunzipReader(stream))
    return stream


def push_limits(settings: Settings) -> Limits:
    """What one write may bring."""
    return Limits(
        wire=settings.max_push_bytes,
        inflated=settings.max_inflated_bytes,
        object=settings.max_object_bytes,
        objects=settings.max_push_objects,
    )
