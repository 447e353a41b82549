"""Global deduplication: which chunks clients may ask for, and the shard that answers them. Pure.

The answer lists the chunks of xorbs. Their hashes are keyed: who has a chunk recognises it, and nobody learns a hash
of what they do not have. Specification: https://huggingface.co/docs/xet/deduplication and .../shard
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

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


@dataclass(frozen=True, slots=True)
class Known:
    """A xorb of which a client is told: its hash, all its chunks in order, and which of them the client may use.

    Others keep their place, but cannot be recognised.
    """

    xorb: bytes
    chunks: Sequence[Chunk]
    shown: Sequence[bool]


def answer(known: Iterable[Known], *, key: bytes, expires: int) -> bytes:
    """The shard that tells a client of the chunks of xorbs.

    Args:
        known: the xorbs.
        key: 32 bytes that the hashes are keyed with.
        expires: when clients should forget it (seconds since the epoch).
    """
    xorbs, xorb_lookup, chunk_lookup = [], [], []
    row = content = stored = 0
    for one in sorted(known, key=lambda one: _short(one.xorb)):
        section, hashes, length = _section(one, key)
        xorbs.append(section)
        xorb_lookup.append(struct.pack("<QI", _short(one.xorb), row))
        chunk_lookup += [(_short(hash), row, place) for place, hash in enumerate(hashes)]
        row += 1 + len(hashes)
        content, stored = content + length, stored + one.chunks[-1].end
    header = _HEADER.pack(TAG, VERSION, _FOOTER.size)
    chunk_rows = b"".join(struct.pack("<QII", *entry) for entry in sorted(chunk_lookup))
    sections = [BOOKEND, b"".join(xorbs) + BOOKEND, b"", b"".join(xorb_lookup), chunk_rows]
    at = list(accumulate(map(len, sections), initial=len(header)))
    footer = _FOOTER.pack(
        _FOOTER_VERSION, at[0], at[1], at[2], 0, at[3], len(xorb_lookup), at[4], len(chunk_lookup), key,
        int(time.time()), expires, stored, 0, content, at[5],
    )  # fmt: skip
    return b"".join((header, *sections, footer))


def _section(one: Known, key: bytes) -> tuple[bytes, list[bytes], int]:
    """The rows of a xorb, the hashes in them, and how long the content is that they tell of."""
    rows: list[bytes] = []
    hashes: list[bytes] = []
    offset = 0
    for chunk, shown in zip(one.chunks, one.shown, strict=True):
        hash = blake3(chunk.hash, key=key).digest() if shown else secrets.token_bytes(SIZE)
        length = chunk.length if shown else 0
        rows.append(_CHUNK.pack(hash, offset, length, _ELIGIBLE if shown and is_eligible(chunk.hash) else 0, 0))
        hashes.append(hash)
        offset += length
    return _XORB.pack(one.xorb, 0, len(rows), offset, one.chunks[-1].end) + b"".join(rows), hashes, offset


def _short(hash: bytes) -> int:
    return int.from_bytes(hash[:8], "little")
