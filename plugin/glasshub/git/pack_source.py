"""The bytes of a pack as they come in: counted, hashed, written down, and taken apart (gitformat-pack)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import IO

from glasshub.errors import TooLarge
from glasshub.git.delta import damaged
from glasshub.git.pktline import Readable

OFS_DELTA, REF_DELTA = 6, 7
_CHUNK = 256 * 1024
_PIECE = 1024**2
_HEADER = 64  # more than kind, size and base of an entry take
_CUT = "it ends too early, the transfer was cut"


class PackSource:
    """A window on a stream of pack bytes that moves forward only.

    Args:
        stream: where bytes come from; ``read(n)`` gives ``b""`` at the end.
        copy: a file that gets every byte as soon as it was read, or ``None``.
        limit: the most bytes to take from the stream.
        chunk: how many bytes to ask for at a time.
    """

    def __init__(self, stream: Readable, copy: IO[bytes] | None, *, limit: int, chunk: int = _CHUNK) -> None:
        self._stream, self._copy, self._limit, self._chunk = stream, copy, limit, chunk
        self._sha = hashlib.sha1(usedforsecurity=False)
        self._window = b""
        self._at = 0  # first byte of the window that was not consumed
        self._start = 0  # position of the window in the stream
        self._mark = 0  # first byte of the window that is not in the CRC
        self._crc = 0

    @property
    def offset(self) -> int:
        """The position in the pack of the next byte."""
        return self._start + self._at

    def begin_entry(self) -> None:
        """Start a new CRC."""
        self._mark, self._crc = self._at, 0

    def end_entry(self) -> int:
        """The CRC-32 of all bytes since :meth:`begin_entry`."""
        return zlib.crc32(self._window[self._mark : self._at], self._crc)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises ``Invalid`` if there are fewer."""
        self._see(count)
        at, self._at = self._at, self._at + count
        if len(self._window) < self._at:
            raise damaged(_CUT)
        return self._window[at : self._at]

    def header(self) -> tuple[int, int]:
        """The kind and inflated size that start every entry."""
        self._see(_HEADER)
        window, at = self._window, self._at
        try:
            byte = window[at]
            kind, size, shift = byte >> 4 & 7, byte & 15, 4
            while byte & 0x80:
                at += 1
                byte = window[at]
                size |= (byte & 0x7F) << shift
                shift += 7
                if shift > 67:
                    raise damaged("an object has a size that makes no sense")
        except IndexError:
            raise damaged(_CUT) from None
        self._at = at + 1
        return kind, size

    def distance(self) -> int:
        """How far before an ``OFS_DELTA`` entry its base starts."""
        window, at = self._window, self._at  # still within what header() has made visible
        try:
            byte = window[at]
            value = byte & 0x7F
            while byte & 0x80:
                at += 1
                byte = window[at]
                value = (value + 1 << 7) | (byte & 0x7F)
                if value >> 63:
                    raise damaged("a delta has an offset that makes no sense")
        except IndexError:
            raise damaged(_CUT) from None
        self._at = at + 1
        return value

    def inflate(self, size: int) -> bytes:
        """The next zlib stream, which must unfold to exactly ``size`` bytes."""
        # More than deflate's worst case would be copied again into unused_data.
        bound = size + (size >> 7) + 64
        self._see(bound)
        piece = self._window[self._at : self._at + bound]
        inflater = zlib.decompressobj()
        try:
            data = inflater.decompress(piece, size + 1)
        except zlib.error as error:
            raise damaged(f"an object does not inflate ({error})") from error
        if inflater.eof and len(data) == size:
            self._at += len(piece) - len(inflater.unused_data)
            return data
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        """As :meth:`inflate`, in pieces of at most 1 MiB."""
        inflater, have, rest = zlib.decompressobj(), 0, b""
        while not inflater.eof:
            if not rest:
                self._see(1)
                rest = self._window[self._at : self._at + _CHUNK]
                if not rest:
                    raise damaged(_CUT)
            try:
                piece = inflater.decompress(rest, _PIECE)
            except zlib.error as error:
                raise damaged(f"an object does not inflate ({error})") from error
            self._at += len(rest) - len(inflater.unconsumed_tail or inflater.unused_data)
            rest = inflater.unconsumed_tail
            have += len(piece)
            if have > size:
                raise damaged("an object is larger than its header says")
            yield piece
        if have < size:
            raise damaged("an object is smaller than its header says")

    def finish(self) -> bytes:
        """Take the checksum at the end, see that it fits and that nothing follows; returns it."""
        self._settle()
        digest = self._sha.digest()
        if self.take(20) != digest:
            raise damaged("its checksum does not fit")
        self._see(1)
        if self._at < len(self._window):
            raise damaged("something follows its end")
        return digest

    def _see(self, count: int) -> None:
        """Make ``count`` unconsumed bytes visible, fewer if the stream ends before."""
        if len(self._window) - self._at >= count:
            return
        self._settle()
        parts, have = [self._window], len(self._window)
        while have < count:
            data = self._stream.read(max(self._chunk, count - have))
            if not data:
                break
            have += len(data)
            if self._start + have > self._limit:
                raise TooLarge(
                    f"The push is larger than {self._limit:,} bytes. "
                    "Push fewer commits at a time, or ask an admin to raise the setting max_push_bytes."
                )
            if self._copy is not None:
                self._copy.write(data)
            parts.append(data)
        self._window = b"".join(parts)

    def _settle(self) -> None:
        """Account for what was consumed and drop it."""
        done = self._window[: self._at]
        self._sha.update(done)
        self._crc = zlib.crc32(done[self._mark :], self._crc)
        self._start += self._at
        self._window = self._window[self._at :]
        self._at = self._mark = 0
