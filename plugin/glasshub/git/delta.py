"""Applying deltas (https://git-scm.com/docs/gitformat-pack, "Deltified representation") in bounded memory."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from dulwich.errors import ApplyDeltaError
from dulwich.pack import apply_delta

from glasshub.errors import Invalid

#: Larger contents live in a file without a name, mapped into memory, so that the kernel may page them out.
BIG = 8 * 1024**2
Content = bytes | mmap.mmap

_PIECE = 1024**2


def damaged(reason: str) -> Invalid:
    """The error for a pack that does not hold what it should."""
    return Invalid(f"The pack is damaged: {reason}. Push again; if that does not help, run git fsck.")


class Sizes(NamedTuple):
    """How a delta starts: size of the base, size of the result, and where the instructions begin."""

    base: int
    result: int
    start: int


def read_sizes(delta: Content) -> Sizes:
    """The sizes that a delta claims. Raises ``Invalid`` if they make no sense."""
    base, at = _size(delta, 0)
    result, at = _size(delta, at)
    return Sizes(base, result, at)


def apply(base: Content, delta: Content, sizes: Sizes, folder: Path) -> Content:
    """The object that ``delta`` makes of ``base``.

    Args:
        base: the whole base.
        delta: the inflated delta.
        sizes: what :func:`read_sizes` said of it; the caller has found the result's size acceptable.
        folder: where a large result may be put.

    Raises:
        Invalid: the delta does not fit the base.
    """
    size, result, start = sizes
    if size != len(base):
        raise damaged("a delta is for a base of another size")
    if isinstance(base, bytes) and isinstance(delta, bytes) and result <= BIG:
        try:
            return b"".join(apply_delta(base, delta))
        except ApplyDeltaError as error:
            raise damaged(f"a delta does not apply ({error})") from error
    return hold(_pieces(base, delta, start), result, folder)


def hold(pieces: Iterable[bytes], size: int, folder: Path) -> Content:
    """Put pieces of ``size`` bytes in all into a nameless file in ``folder`` and map it.

    Raises:
        Invalid: they are not of that size.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        left = size
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                break
            file.write(piece)
        if left:
            raise damaged("a delta makes an object of another size than it says")
        file.flush()
        return mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else b""


def _pieces(base: Content, delta: Content, at: int) -> Iterator[bytes]:
    end = len(delta)
    while at < end:
        op = delta[at]
        at += 1
        if op & 0x80:
            offset, size, at = _copy(delta, op, at)
            if offset + size > len(base):
                raise damaged("a delta copies from beyond its base")
            for start in range(offset, offset + size, _PIECE):
                yield base[start : min(start + _PIECE, offset + size)]
        elif op and at + op <= end:
            yield delta[at : at + op]
            at += op
        else:
            raise damaged("a delta has an instruction that makes no sense")


def _copy(delta: Content, op: int, at: int) -> tuple[int, int, int]:
    values = []
    for bit in range(7):
        if op >> bit & 1:
            if at >= len(delta):
                raise damaged("a delta ends too early")
            values.append(delta[at])
            at += 1
        else:
            values.append(0)
    offset = int.from_bytes(bytes(values[:4]), "little")
    return offset, int.from_bytes(bytes(values[4:]), "little") or 0x10000, at


def _size(delta: Content, at: int) -> tuple[int, int]:
    size = shift = 0
    while at < len(delta) and shift < 63:
        byte = delta[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return size, at
    raise damaged("a delta has a size that makes no sense")
