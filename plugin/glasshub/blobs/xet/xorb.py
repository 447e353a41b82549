"""Xorbs: chunks back to back, each behind a header of 8 bytes, each compressed by itself.

Specification: https://huggingface.co/docs/xet/xorb
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

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


def decode(data: bytes, scheme: int, length: int) -> bytes:
    """The content of a chunk; never more than ``length`` + 1 bytes. Raises ``Invalid``."""
    if scheme == NONE:
        return data
    if scheme not in (LZ4, GROUPED_LZ4):
        raise Invalid(f"The xorb has a chunk with compression {scheme}, which is not known here.")
    try:
        content = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=length + 1)
    except RuntimeError as error:
        raise Invalid("The xorb has a chunk that cannot be decompressed. Upload it again.") from error
    return _ungroup(content) if scheme == GROUPED_LZ4 else content


def xorb_hash(chunks: Iterable[Chunk]) -> bytes:
    """The hash of a xorb with these chunks."""
    return merkle_root([(chunk.hash, chunk.length) for chunk in chunks])


def pack_index(chunks: Sequence[Chunk]) -> bytes:
    """The list of a xorb's chunks as bytes, to be kept beside it."""
    return b"".join(_ROW.pack(c.hash, c.offset, c.stored, c.length, c.scheme) for c in chunks)


def unpack_index(data: bytes) -> list[Chunk]:
    """The chunks in what :func:`pack_index` made."""
    return [Chunk(*row) for row in _ROW.iter_unpack(data)]


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
