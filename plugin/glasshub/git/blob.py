"""Sizes and contents of blobs without holding large ones in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

from dulwich.object_store import DiskObjectStore, OverlayObjectStore
from dulwich.objects import ObjectID
from dulwich.pack import OFS_DELTA, REF_DELTA, Pack
from dulwich.repo import Repo as GitRepo

_CHUNK = 256 * 1024
_PEEK = 4096  # deflated bytes: the tables of a block alone may take some hundred
_HEAD = 64  # enough deflated bytes to see a loose header, or the two sizes that begin a delta


def blob_size(repo: GitRepo, oid: str) -> int:
    """The size in bytes of an object, from headers alone. Raises ``KeyError`` when there is none."""
    found = _locate(repo, oid)
    if found is None:
        loose = _loose_size(repo, oid)
        return loose if loose is not None else len(repo.object_store.get_raw(ObjectID(oid.encode()))[1])
    pack, offset = found
    buffer = pack.data._buffer()  # dulwich's only view of the mapped pack
    kind, size, at = _entry_header(buffer, offset)
    if kind not in (OFS_DELTA, REF_DELTA):
        return size
    at = _skip_base(buffer, at, kind)
    return _delta_result_size(zlib.decompressobj().decompress(bytes(buffer[at : at + _PEEK]), _HEAD))


def stream_blob(repo: GitRepo, oid: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes ``start`` to ``end`` (exclusive) of a blob, in pieces. Whole packed blobs are inflated as they go.

    Raises ``KeyError`` when there is none.
    """
    skip, left = start, None if end is None else end - start
    for piece in _pieces(repo, oid):
        if skip >= len(piece):
            skip -= len(piece)
            continue
        part = piece[skip:] if left is None else piece[skip : skip + left]
        skip = 0
        if part:
            yield part
        if left is not None:
            left -= len(part)
            if left <= 0:
                return


def _pieces(repo: GitRepo, oid: str) -> Iterator[bytes]:
    found = _locate(repo, oid)
    if found is not None:
        buffer = found[0].data._buffer()
        kind, _, at = _entry_header(buffer, found[1])
        if kind not in (OFS_DELTA, REF_DELTA):
            yield from _inflate(buffer, at)
            return
    yield repo.object_store.get_raw(ObjectID(oid.encode()))[1]


def _inflate(buffer: bytes | mmap, at: int) -> Iterator[bytes]:
    inflate, tail = zlib.decompressobj(), b""
    while not inflate.eof:
        if not tail:
            tail = bytes(buffer[at : at + _CHUNK])
            at += len(tail)
        yield inflate.decompress(tail, _CHUNK)
        tail = inflate.unconsumed_tail


def _locate(repo: GitRepo, oid: str) -> tuple[Pack, int] | None:
    raw = bytes.fromhex(oid)
    store = repo.object_store
    for part in store.bases if isinstance(store, OverlayObjectStore) else [store]:
        for pack in part.packs if isinstance(part, DiskObjectStore) else ():
            try:
                return pack, pack.index.object_offset(raw)  # type: ignore[arg-type]
            except KeyError:
                continue
    return None


def _loose_size(repo: GitRepo, oid: str) -> int | None:
    path = Path(repo.controldir()) / "objects" / oid[:2] / oid[2:]
    try:
        with path.open("rb") as file:
            head = zlib.decompressobj().decompress(file.read(_PEEK), _HEAD)
    except FileNotFoundError:
        return None
    return int(head.split(b"\0", 1)[0].split(b" ")[1])


def _entry_header(buffer: bytes | mmap, at: int) -> tuple[int, int, int]:
    byte = buffer[at]
    at += 1
    kind, size, shift = (byte >> 4) & 7, byte & 15, 4
    while byte & 0x80:
        byte = buffer[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
    return kind, size, at


def _skip_base(buffer: bytes | mmap, at: int, kind: int) -> int:
    if kind == REF_DELTA:
        return at + 20
    while buffer[at] & 0x80:
        at += 1
    return at + 1


def _delta_result_size(delta: bytes) -> int:
    sizes, at = [], 0
    for _ in range(2):  # of the base, then of the result
        size = shift = 0
        while True:
            byte = delta[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        sizes.append(size)
    return sizes[1]
