"""Global deduplication: which chunks clients may ask for, and the shard that answers them. Pure.

The answer lists the chunks of a xorb. Their hashes are keyed: who has a chunk recognises it, and nobody learns a hash
of what they do not have. Specification: https://huggingface.co/docs/xet/deduplication and .../shard
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Sequence

from blake3 import blake3

from glasshub.blobs.xet.hashes import SIZE
from glasshub.blobs.xet.shard import BOOKEND, TAG, VERSION
from glasshub.blobs.xet.xorb import Chunk

ONE_IN = 1024  # chunks, besides the first of every file
_FOOTER_VERSION = 1
_FOOTER = struct.Struct("<9Q32s2Q48x4Q")
_HEADER = struct.Struct("<32sQQ")
_XORB = struct.Struct("<32sIIII")
_CHUNK = struct.Struct("<32sIIII")
_ELIGIBLE = 1 << 31


def is_eligible(chunk: bytes) -> bool:
    """Whether clients ask for a chunk by its hash alone."""
    return int.from_bytes(chunk[24:32], "little") % ONE_IN == 0


def answer(xorb: bytes, chunks: Sequence[Chunk], shown: Sequence[bool], *, key: bytes, expires: int) -> bytes:
    """The shard that tells a client of the chunks of a xorb.

    Args:
        xorb: its hash.
        chunks: all its chunks in order.
        shown: which of them the client may use; others keep their place, but cannot be recognised.
        key: 32 bytes that the hashes are keyed with.
        expires: when clients should forget it (seconds since the epoch).
    """
    rows, lookup, offset = [], [], 0
    for place, (chunk, may) in enumerate(zip(chunks, shown, strict=True)):
        hash = blake3(chunk.hash, key=key).digest() if may else secrets.token_bytes(SIZE)
        length = chunk.length if may else 0
        rows.append(_CHUNK.pack(hash, offset, length, _ELIGIBLE if may and is_eligible(chunk.hash) else 0, 0))
        lookup.append((_short(hash), place))
        offset += length
    stored = chunks[-1].end if chunks else 0
    files = BOOKEND
    xorbs = _XORB.pack(xorb, 0, len(rows), offset, stored) + b"".join(rows) + BOOKEND
    xorb_lookup = struct.pack("<QI", _short(xorb), 0)
    chunk_lookup = b"".join(struct.pack("<QII", short, 0, place) for short, place in sorted(lookup))
    header = _HEADER.pack(TAG, VERSION, _FOOTER.size)
    at = [len(header)]
    for section in (files, xorbs, b"", xorb_lookup, chunk_lookup):
        at.append(at[-1] + len(section))
    footer = _FOOTER.pack(
        _FOOTER_VERSION, at[0], at[1], at[2], 0, at[3], 1, at[4], len(lookup), key, int(time.time()), expires,
        stored, 0, offset, at[5],
    )  # fmt: skip
    return b"".join((header, files, xorbs, xorb_lookup, chunk_lookup, footer))


def _short(hash: bytes) -> int:
    return int.from_bytes(hash[:8], "little")
