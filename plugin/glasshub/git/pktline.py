"""pkt-lines, the framing of the git protocol (https://git-scm.com/docs/gitprotocol-common)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from glasshub.errors import Invalid, TooLarge

FLUSH = b"0000"
DELIMITER = b"0001"
RESPONSE_END = b"0002"
MAX_DATA = 65_516


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, count: int, /) -> bytes:
        """At most ``count`` bytes, at least one unless the stream has ended."""


class Bounded:
    """A stream of which only ``most`` bytes are read, so that a small gzipped request cannot unfold without end."""

    def __init__(self, stream: Readable, most: int) -> None:
        self._stream, self._most, self._left = stream, most, most

    def read(self, count: int, /) -> bytes:
        """At most ``count`` bytes. Raises ``TooLarge`` when there were more than ``most`` in all."""
        data = self._stream.read(count)
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(f"The request has more than {self._most:,} bytes before any pack. Ask for less at a time.")
        return data


class Delimiter(bytes):
    """What :func:`read_pkt` answers for a delimiter packet (protocol v2)."""


def pkt(data: bytes | str) -> bytes:
    """One framed line; text is encoded as UTF-8 (bytes that were no UTF-8 when read come out as they were)."""
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    if len(raw) > MAX_DATA:
        raise ValueError(f"a pkt-line holds {MAX_DATA} bytes, not {len(raw)}")
    return b"%04x" % (len(raw) + 4) + raw


def read_pkt(stream: Readable) -> bytes | None:
    """The next line's bytes; ``None`` for a flush packet or the end of the stream.

    Raises:
        Invalid: the framing is broken or the stream ends within a line.
    """
    head = _exactly(stream, 4)
    if not head:
        return None
    try:
        length = int(head, 16)
    except ValueError as error:
        raise Invalid("The request is not in git's pkt-line format. Use a stock git client.") from error
    if length in (0, 2):
        return None
    if length == 1:
        return Delimiter()
    if length < 4 or len(head) < 4:
        raise Invalid("The request is not in git's pkt-line format. Use a stock git client.")
    data = _exactly(stream, length - 4)
    if len(data) < length - 4:
        raise Invalid("The request ends within a line; the transfer was cut. Try again.")
    return data


def read_lines(stream: Readable, *, limit: int) -> Iterator[bytes]:
    """Lines up to the next flush, without their newline.

    Raises:
        Invalid: there are more than ``limit``, or the framing is broken.
    """
    count = 0
    while (line := read_pkt(stream)) is not None:
        count += 1
        if count > limit:
            raise Invalid(f"The request has more than {limit:,} lines.")
        yield line if isinstance(line, Delimiter) else line.rstrip(b"\n")


def _exactly(stream: Readable, count: int) -> bytes:
    parts, have = [], 0
    while have < count:
        piece = stream.read(count - have)
        if not piece:
            break
        parts.append(piece)
        have += len(piece)
    return b"".join(parts)
