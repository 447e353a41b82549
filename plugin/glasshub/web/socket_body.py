"""Request bodies straight from the connection: gunicorn's own reader copies every byte several times."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any, cast

from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

_AT_ONCE = 1024 * 1024


def direct(environ: Mapping[str, Any]) -> IO[bytes] | None:
    """The body of a request whose length gunicorn knows; ``None`` for others, which have to be read as they are."""
    body = environ.get("wsgi.input")
    if not isinstance(body, Body) or type(body.reader) is not LengthReader:
        return None
    if type(body.reader.unreader) is not SocketUnreader:
        return None
    return cast("IO[bytes]", SocketBody(body, body.reader))


class SocketBody(io.RawIOBase):
    """What gunicorn holds already, then what comes from the connection, counted as gunicorn counts it."""

    def __init__(self, body: Body, reader: LengthReader) -> None:
        self._body, self._reader = body, reader

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Exactly ``size`` bytes (all by default), fewer only at the end: callers take less for the end."""
        parts = []
        while size and (data := super().read(_AT_ONCE if size < 0 else min(size, _AT_ONCE))):
            parts.append(data)
            size = size if size < 0 else size - len(data)
        return b"".join(parts)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` or some of it; 0 at the end. Raises ``OSError`` when the client has gone."""
        try:
            into = memoryview(buffer)  # of a bytearray, which a slice would copy
            return self._held(into) or self._received(into)
        except OSError:
            self._body.failed = True  # where the next request begins is not known any more
            raise

    def _held(self, buffer: memoryview) -> int:
        unreader = self._reader.unreader
        if count := min(len(buffer), self._body.buf.getbuffer().nbytes):
            data = self._body.read(count)
        elif count := min(len(buffer), unreader.buf.getbuffer().nbytes, self._reader.length):
            data = self._reader.read(count)
        else:
            return 0
        buffer[: len(data)] = data
        return len(data)

    def _received(self, buffer: memoryview) -> int:
        wanted = min(len(buffer), self._reader.length, _AT_ONCE)
        if not wanted:
            return 0
        count: int = self._reader.unreader.sock.recv_into(buffer[:wanted])
        if not count:
            raise ConnectionResetError("the client hung up")
        self._reader.length -= count
        return count
