"""Reading a header out of a stream of pieces, no further than it goes."""

from __future__ import annotations

from collections.abc import Iterator

from glasshub.errors import Invalid


class Pieces:
    """The beginning of a file, fetched piece by piece as it is asked for.

    Args:
        stream: the file from its first byte.
        most: how many bytes may be taken in all.
    """

    def __init__(self, stream: Iterator[bytes], *, most: int) -> None:
        self._stream, self._most = stream, most
        self._held = bytearray()
        self._at = 0
        self.taken = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes. Raises ``Invalid`` when the file ends before, or they are too many."""
        self._fetch(count)
        self._at += count
        return bytes(memoryview(self._held)[self._at - count : self._at])

    def skip(self, count: int) -> None:
        """Pass over the next ``count`` bytes. Raises as :meth:`take`."""
        self._fetch(count)
        self._at += count

    def _fetch(self, count: int) -> None:
        self.taken += count
        if self.taken > self._most:
            raise Invalid(f"its header is longer than the {self._most:,} bytes that are read")
        if len(self._held) - self._at < count:
            del self._held[: self._at]
            self._at = 0
        while len(self._held) - self._at < count:
            piece = next(self._stream, b"")
            if not piece:
                raise Invalid("it ends in the middle of its header")
            self._held += piece
