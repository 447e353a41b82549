"""Writing a pack's index, version 2 (https://git-scm.com/docs/gitformat-pack), in a few large writes."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

Row = tuple[bytes, int, int]
_LARGE = 1 << 31


def write_index(path: Path, rows: Sequence[Row], checksum: bytes) -> None:
    """Write the index of one pack.

    Args:
        path: the file to make.
        rows: (20-byte id, offset, CRC-32) per object, sorted by id.
        checksum: the 20 bytes that end the pack.
    """
    counts = [0] * 256
    for oid, _, _ in rows:
        counts[oid[0]] += 1
    large = [offset for _, offset, _ in rows if offset >= _LARGE]
    places = iter(range(_LARGE, _LARGE + len(large)))
    small = [offset if offset < _LARGE else next(places) for _, offset, _ in rows]
    data = b"".join(
        (
            b"\xfftOc\0\0\0\x02",
            struct.pack(">256L", *accumulate(counts)),
            b"".join(oid for oid, _, _ in rows),
            struct.pack(f">{len(rows)}L", *(crc for _, _, crc in rows)),
            struct.pack(f">{len(rows)}L", *small),
            struct.pack(f">{len(large)}Q", *large),
            checksum,
        )
    )
    path.write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())
