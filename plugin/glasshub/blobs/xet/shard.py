"""Shards as clients upload them: which chunks of which xorbs make a file, and what the new xorbs hold.

Specification: https://huggingface.co/docs/xet/shard
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from glasshub.blobs.xet.hashes import SIZE
from glasshub.errors import Invalid

MAX_SHARD = 64 * 1024**2
TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
VERSION = 2
_HEADER = struct.Struct("<32sQQ")
_ROW = 48
_FILE = struct.Struct("<32sII8x")
_TERM = struct.Struct("<32sIIII")
_HASH = struct.Struct("<32s16x")
_XORB = struct.Struct("<32sIIII")
_CHUNK = struct.Struct("<32sII8x")
_VERIFIED, _SHA256 = 1 << 31, 1 << 30
BOOKEND = b"\xff" * SIZE + bytes(16)


@dataclass(frozen=True, slots=True)
class Term:
    """A run of chunks of one xorb, from ``start`` to ``end`` (exclusive), with their length and proof."""

    xorb: bytes
    length: int
    start: int
    end: int
    proof: bytes = b""


@dataclass(frozen=True, slots=True)
class ShardFile:
    """A file: its hash, its terms in order, and the SHA-256 of its content (``b""`` when it is not told)."""

    hash: bytes
    terms: tuple[Term, ...]
    sha256: bytes = b""

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return sum(term.length for term in self.terms)


@dataclass(frozen=True, slots=True)
class ShardXorb:
    """What the client says of a xorb that it uploaded: its hash and its chunks' (hash, offset of content, length)."""

    hash: bytes
    chunks: tuple[tuple[bytes, int, int], ...]


@dataclass(frozen=True, slots=True)
class Shard:
    """The files and xorbs of one shard."""

    files: tuple[ShardFile, ...]
    xorbs: tuple[ShardXorb, ...]


def parse_shard(data: bytes) -> Shard:
    """Read an uploaded shard. Raises ``Invalid`` when it is not as the specification says."""
    if len(data) < _HEADER.size or data[: len(TAG)] != TAG:
        raise Invalid("This is no shard: its header is another one.")
    _, version, _ = _HEADER.unpack_from(data)
    if version != VERSION:
        raise Invalid(f"The shard has version {version}; this hub reads version {VERSION}.")
    rows = _Rows(data, _HEADER.size)
    try:
        return Shard(tuple(_files(rows)), tuple(_xorbs(rows)))
    except struct.error as error:
        raise Invalid("The shard is cut short. Upload it again.") from error


class _Rows:
    """The rows of 48 bytes, read one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def ends(self) -> bool:
        """Whether the section ends here; its end is passed over."""
        if self._data[self._at : self._at + _ROW] != BOOKEND:
            return False
        self._at += _ROW
        return True

    def next(self, form: struct.Struct) -> tuple[Any, ...]:
        """The next row."""
        row = form.unpack_from(self._data, self._at)
        self._at += _ROW
        return row

    def many(self, form: struct.Struct, count: int) -> list[tuple[Any, ...]]:
        """The next ``count`` rows."""
        if count * _ROW > len(self._data) - self._at:
            raise struct.error("cut short")
        return [self.next(form) for _ in range(count)]


def _files(rows: _Rows) -> Iterator[ShardFile]:
    while not rows.ends():
        hash, flags, count = rows.next(_FILE)
        terms = rows.many(_TERM, int(count))
        proofs = rows.many(_HASH, int(count)) if int(flags) & _VERIFIED else [(b"",)] * len(terms)
        sha256 = rows.next(_HASH)[0] if int(flags) & _SHA256 else b""
        yield ShardFile(
            hash,
            tuple(
                Term(xorb, int(length), int(start), int(end), proof)
                for (xorb, _, length, start, end), (proof,) in zip(terms, proofs, strict=True)
            ),
            sha256,
        )


def _xorbs(rows: _Rows) -> Iterator[ShardXorb]:
    while not rows.ends():
        hash, _, count, _, _ = rows.next(_XORB)
        chunks = rows.many(_CHUNK, int(count))
        yield ShardXorb(hash, tuple((chunk, int(offset), int(length)) for chunk, offset, length in chunks))
