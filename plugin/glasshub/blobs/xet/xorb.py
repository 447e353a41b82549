"""Xorbs: chunks back to back, each behind a header of 8 bytes, each compressed by itself.

Specification: https://huggingface.co/docs/xet/xorb
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, overload

import lz4.frame

from glasshub.blobs.xet.hashes import SIZE, chunk_hash, merkle_root
from glasshub.errors import Invalid, TooLarge

MAX_XORB = 64 * 1024**2 + 8 * 8192  # what is serialised, headers included
MAX_CHUNK = 128 * 1024
MAX_CHUNKS = 8 * 1024
HEADER = 8
NONE, LZ4, GROUPED_LZ4 = 0, 1, 2
_GROUPS = 4
_ROW = struct.Struct("<32sIIIB")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk in a xorb: its hash, where its header begins, sizes behind the header as stored and as content."""

    hash: bytes
    offset: int
    stored: int
    length: int
    scheme: int

    @property
    def end(self) -> int:
        """Where the next chunk begins."""
        return self.offset + HEADER + self.stored


def read_chunks(stream: IO[bytes]) -> Iterator[tuple[Chunk, bytes, bytes]]:
    """The chunks of a serialised xorb in order: what they are, their bytes as stored (with header), their content.

    A footer, which clients may leave out, ends the chunks.

    Raises:
        Invalid: it is not as the specification says, or a chunk's content does not come out at its length.
    """
    offset = 0
    while header := _read(stream, HEADER):
        if header.startswith(b"XETBLOB"):
            _drain(stream)
            return
        if len(header) < HEADER or header[0] != 0:
            raise Invalid(f"The xorb is damaged at byte {offset}: no chunk header. Upload it again.")
        stored, scheme, length = int.from_bytes(header[1:4], "little"), header[4], int.from_bytes(header[5:8], "little")
        if length > MAX_CHUNK or stored > 2 * MAX_CHUNK:
            raise Invalid(
                f"The xorb has a chunk of {length:,} bytes at byte {offset}; at most {MAX_CHUNK:,} are allowed."
            )
        data = _read(stream, stored)
        content = decode(data, scheme, length)
        if len(data) < stored or len(content) != length:
            raise Invalid(f"The xorb is damaged at byte {offset}: a chunk is cut short. Upload it again.")
        chunk = Chunk(chunk_hash(content), offset, stored, length, scheme)
        yield chunk, header + data, content
        offset = chunk.end
        if offset > MAX_XORB:
            raise TooLarge("The xorb is too large.")


def decode(data: bytes | memoryview, scheme: int, length: int) -> bytes:
    """The content of a chunk; never more than ``length`` + 1 bytes. Raises ``Invalid``."""
    if scheme == NONE:
        return bytes(data)
    if scheme not in (LZ4, GROUPED_LZ4):
        raise Invalid(f"The xorb has a chunk with compression {scheme}, which is not known here.")
    content = _decompress(data, length + 1)
    return _ungroup(content) if scheme == GROUPED_LZ4 else content


def xorb_hash(chunks: Iterable[Chunk]) -> bytes:
    """The hash of a xorb with these chunks."""
    return merkle_root([(chunk.hash, chunk.length) for chunk in chunks])


def pack_index(chunks: Sequence[Chunk]) -> bytes:
    """The list of a xorb's chunks as bytes, to be kept beside it."""
    return b"".join(_ROW.pack(c.hash, c.offset, c.stored, c.length, c.scheme) for c in chunks)


class Chunks(Sequence[Chunk]):
    """The chunks in what :func:`pack_index` made. They stay packed, since a process remembers many of them."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed) // _ROW.size

    @overload
    def __getitem__(self, place: int) -> Chunk: ...
    @overload
    def __getitem__(self, place: slice) -> list[Chunk]: ...
    def __getitem__(self, place: int | slice) -> Chunk | list[Chunk]:
        if isinstance(place, slice):
            start, end, step = place.indices(len(self))
            assert step == 1
            rows = self._packed[start * _ROW.size : max(start, end) * _ROW.size]
            return [Chunk(*row) for row in _ROW.iter_unpack(rows)]
        return Chunk(*_ROW.unpack_from(self._packed, range(len(self))[place] * _ROW.size))

    def __iter__(self) -> Iterator[Chunk]:
        return (Chunk(*row) for row in _ROW.iter_unpack(self._packed))


class _Decompressor(threading.local):
    """What decompresses in one thread: to make it anew for each chunk takes longer than its work."""

    def __init__(self) -> None:
        self.context = lz4.frame.create_decompression_context()


_decompressor = _Decompressor()


def _decompress(data: bytes | memoryview, most: int) -> bytes:
    context = _decompressor.context
    ended = False
    try:
        content: bytes
        content, _, ended = lz4.frame.decompress_chunk(context, data, max_length=most)
    except RuntimeError as error:
        raise Invalid("The xorb has a chunk that cannot be decompressed. Upload it again.") from error
    finally:
        if not ended:
            lz4.frame.reset_decompression_context(context)
    return content


def _ungroup(content: bytes) -> bytes:
    """Bytes gathered by their place modulo four, put back in order."""
    size, rest = divmod(len(content), _GROUPS)
    result = bytearray(len(content))
    at = 0
    for group in range(_GROUPS):
        end = at + size + (group < rest)
        result[group::_GROUPS] = content[at:end]
        at = end
    return bytes(result)


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    while 0 < len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _drain(stream: IO[bytes]) -> None:
    left = MAX_XORB
    while left > 0 and (data := stream.read(1024**2)):
        left -= len(data)


assert _ROW.size == SIZE + 13
