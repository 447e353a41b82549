"""Writing the pack of a fetch: what is packed already is copied as it is, never inflated and packed again.

Format: https://git-scm.com/docs/gitformat-pack. Deltas are kept when their base goes along. Entries are
streamed out of the mapped pack files in slices, so that a file of a gigabyte costs no memory.
"""

from __future__ import annotations

import bisect
import hashlib
import threading
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from mmap import mmap

from dulwich.object_format import SHA1
from dulwich.object_store import BaseObjectStore, PackBasedObjectStore
from dulwich.objects import RawObjectID
from dulwich.pack import OFS_DELTA, REF_DELTA, Pack, pack_object_header

from glasshub.errors import EntryNotFound

_SLICE = 256 * 1024
_COPY_FROM = 64  # fewer objects than this of one pack: not worth reading the whole index
_LARGE = 1024 * 1024
_MOST_OF_A_PACK = 8  # if more than this part of a pack's objects is looked for, all its rows are gone through
_CACHE_BYTES = 64 * 1024**2


class _Layout:
    """Where the entries of one pack begin and end, and whose they are."""

    def __init__(self, pack: Pack) -> None:
        rows = sorted((offset, sha) for sha, offset, _ in pack.index.iterentries())
        self.offsets = array("Q", (offset for offset, _ in rows))
        self.ids = b"".join(sha for _, sha in rows)
        self.end = len(pack.data._buffer()) - 20  # before the checksum

    def end_of(self, offset: int) -> int:
        """Where the entry at ``offset`` ends."""
        at = bisect.bisect_right(self.offsets, offset)
        return self.offsets[at] if at < len(self.offsets) else self.end

    def id_at(self, offset: int) -> bytes:
        """The id (20 bytes) of the entry at ``offset``."""
        at = bisect.bisect_left(self.offsets, offset)
        return self.ids[at * 20 : at * 20 + 20]

    def rows(self, wanted: set[bytes]) -> list[tuple[int, bytes]]:
        """Offset and id of the entries that are wanted, in the order of the file."""
        ids = self.ids
        found = ((offset, ids[at : at + 20]) for offset, at in zip(self.offsets, range(0, len(ids), 20), strict=True))
        return [row for row in found if row[1] in wanted]

    def weight(self) -> int:
        """About how many bytes of memory this takes."""
        return len(self.ids) + 8 * len(self.offsets)


_layouts: OrderedDict[bytes, _Layout] = OrderedDict()
_layouts_lock = threading.Lock()


def pack_chunks(store: BaseObjectStore, ids: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a pack with exactly these objects, in pieces of any size.

    Args:
        store: where they are.
        ids: which ones (20 bytes each).
    """
    writer = _Writer(store, ids)
    yield from writer.chunks()


class _Writer:
    """One pack being written."""

    def __init__(self, store: BaseObjectStore, ids: Iterable[bytes]) -> None:
        self._store = store
        self._wanted = set(ids)
        self._written: dict[bytes, int] = {}
        self._sha = hashlib.sha1(usedforsecurity=False)
        self._at = 0

    def chunks(self) -> Iterator[bytes]:
        """Header, entries, checksum."""
        yield self._out(b"PACK" + (2).to_bytes(4, "big") + len(self._wanted).to_bytes(4, "big"))
        left = set(self._wanted)
        for pack in self._store.packs if isinstance(self._store, PackBasedObjectStore) else ():
            rows = _rows(pack, left)
            left.difference_update(oid for _, oid in rows)
            yield from self._from_pack(pack, rows)
        for oid in sorted(left):
            yield from self._whole(oid)
        yield self._sha.digest()

    def _out(self, data: bytes) -> bytes:
        self._sha.update(data)
        self._at += len(data)
        return data

    def _from_pack(self, pack: Pack, rows: list[tuple[int, bytes]]) -> Iterator[bytes]:
        layout = _layout(pack) if len(rows) >= _COPY_FROM else None
        buffer = pack.data._buffer()
        for offset, oid in rows:
            kind, size, body = _entry_header(buffer, offset)
            if layout is None and (size > _LARGE and kind not in (OFS_DELTA, REF_DELTA)):
                layout = _layout(pack)
            if layout is None:
                yield from self._whole(oid)
                continue
            base = _base_id(buffer, layout, offset, kind, body)
            if base is not None and base[0] not in self._wanted:
                yield from self._whole(oid)
                continue
            yield from self._copy(buffer, layout.end_of(offset), oid, kind, size, body, base)

    def _copy(
        self,
        buffer: bytes | mmap,
        end: int,
        oid: bytes,
        kind: int,
        size: int,
        body: int,
        base: tuple[bytes, int] | None,
    ) -> Iterator[bytes]:
        start = self._at
        if base is None:
            yield self._out(bytes(pack_object_header(kind, None, size, SHA1)))
        else:
            body = base[1]
            at = self._written.get(base[0])
            if at is not None:
                yield self._out(bytes(pack_object_header(OFS_DELTA, start - at, size, SHA1)))
            else:
                yield self._out(bytes(pack_object_header(REF_DELTA, base[0], size, SHA1)))
        self._written[oid] = start
        for at in range(body, end, _SLICE):
            yield self._out(bytes(buffer[at : min(at + _SLICE, end)]))

    def _whole(self, oid: bytes) -> Iterator[bytes]:
        try:
            kind, data = self._store.get_raw(RawObjectID(oid))
        except KeyError:
            raise EntryNotFound(f"The repo lacks object {oid.hex()}. Ask an admin to run glasshub check.") from None
        self._written[oid] = self._at
        yield self._out(bytes(pack_object_header(kind, None, len(data), SHA1)))
        yield self._out(zlib.compress(data))


def _rows(pack: Pack, wanted: set[bytes]) -> list[tuple[int, bytes]]:
    """Offset and id of what a pack has of this, in the order of the file, so that bases come before their deltas."""
    if len(wanted) > len(pack.index) // _MOST_OF_A_PACK:
        return _layout(pack).rows(wanted)
    rows = []
    for oid in wanted:
        try:
            rows.append((pack.index.object_offset(RawObjectID(oid)), oid))
        except KeyError:
            continue
    return sorted(rows)


def _layout(pack: Pack) -> _Layout:
    name = pack.name()
    with _layouts_lock:
        if name in _layouts:
            _layouts.move_to_end(name)
            return _layouts[name]
    made = _Layout(pack)  # a pack is named after its content, so its layout never changes
    with _layouts_lock:
        _layouts[name] = made
        while sum(layout.weight() for layout in _layouts.values()) > _CACHE_BYTES and len(_layouts) > 1:
            _layouts.popitem(last=False)
    return made


def _base_id(buffer: bytes | mmap, layout: _Layout, offset: int, kind: int, body: int) -> tuple[bytes, int] | None:
    """The id of a delta's base and where the delta's deflated data begin; ``None`` for whole objects."""
    if kind == REF_DELTA:
        return bytes(buffer[body : body + 20]), body + 20
    if kind != OFS_DELTA:
        return None
    byte = buffer[body]
    body += 1
    distance = byte & 0x7F
    while byte & 0x80:
        byte = buffer[body]
        body += 1
        distance = ((distance + 1) << 7) | (byte & 0x7F)
    return layout.id_at(offset - distance), body


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
