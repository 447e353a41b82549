"""Reading a pack in one forward pass: every object is inflated, hashed and looked at once, deltas as they come.

Format: https://git-scm.com/docs/gitformat-pack. Nothing the sender says is believed: sizes are compared with the
limits before anything is inflated, and what deltas unfold to counts as well, each time it has to be done.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glasshub.errors import TooLarge
from glasshub.git import delta as deltas
from glasshub.git.delta import BIG, Content, damaged
from glasshub.git.object_check import BLOB, KIND_NAMES
from glasshub.git.pack_index import Row
from glasshub.git.pack_source import OFS_DELTA, REF_DELTA, PackSource
from glasshub.git.pktline import Readable

# Commits, trees and tags are checked in memory; a tree of this size lists about a million files.
LARGEST_STRUCTURE = 64 * 1024**2
DEEPEST_CHAIN = 4095  # the most that git itself makes

_CACHE_BYTES = 64 * 1024**2
_SHA1_HEADERS = {kind: f"{name} %d\0".encode() for kind, name in KIND_NAMES.items()}

Visit = Callable[[int, bytes, bytes | None], None]
Lend = Callable[[bytes], tuple[int, bytes] | None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one push may bring: bytes on the wire, bytes unfolded, bytes per object, number of objects."""

    wire: int
    inflated: int
    object: int
    objects: int


@dataclass(frozen=True, slots=True)
class PackContents:
    """What a pack holds: index rows in the pack's order, the ids that deltas borrow, the checksum."""

    rows: list[Row]
    borrowed: list[bytes]
    checksum: bytes


def nothing_lent(_oid: bytes) -> None:
    """For packs that must stand alone."""


class PackReader:
    """Reads one pack.

    Args:
        stream: the pack and nothing else; ``read(n)`` gives ``b""`` at the end.
        file: gets a copy of every byte, and is read again for bases that the cache has dropped (unbuffered);
            or, with ``copied``, already holds them all.
        folder: where large contents are put while they are needed.
        limits: the most that may come.
        visit: called once for every object with kind, 20-byte id and bytes (``None`` for blobs above 8 MiB);
            may raise to end the reading.
        lend: the kind and bytes of an object outside the pack that a delta is based on, or ``None``.
    """

    def __init__(
        self,
        stream: Readable,
        file: io.FileIO,
        folder: Path,
        *,
        limits: Limits,
        visit: Visit,
        lend: Lend = nothing_lent,
        copied: bool = False,
    ) -> None:
        self._source = PackSource(stream, None if copied else file, limit=limits.wire)
        self._file, self._folder, self._limits, self._visit, self._lend = file, folder, limits, visit, lend
        self._unfolded = 0
        # One item per entry, in the pack's order.
        self._offsets: list[int] = []
        self._crcs: list[int] = []
        self._ids: list[bytes] = []  # b"" until known
        self._bases: list[int | bytes | None] = []  # an earlier or later entry, or an id outside the pack
        self._depths: list[int] = []
        self._by_offset: dict[int, int] = {}
        self._by_id: dict[bytes, int] = {}
        self._waiting: dict[int | bytes, list[int]] = {}  # base (entry, or id not seen yet) -> entries
        self._ready: list[int] = []  # entries whose base has turned up
        self._cache = _Cache(_CACHE_BYTES)

    def read(self) -> PackContents:
        """Read everything.

        Raises:
            Invalid: the pack is damaged, or a delta's base is nowhere.
            TooLarge: a limit is exceeded; the message names the setting.
        """
        for number in range(self._read_count()):
            self._read_entry(number)
        checksum = self._source.finish()
        borrowed = self._resolve_borrowed()
        if self._waiting:
            raise damaged(f"{sum(map(len, self._waiting.values())):,} deltas have no base in it or in the repo")
        return PackContents(list(zip(self._ids, self._offsets, self._crcs, strict=True)), borrowed, checksum)

    def _read_count(self) -> int:
        header = self._source.take(12)
        if header[:4] != b"PACK" or int.from_bytes(header[4:8], "big") not in (2, 3):
            raise damaged("it does not start as a pack does")
        count = int.from_bytes(header[8:], "big")
        if count > self._limits.objects:
            raise TooLarge(
                f"The push has {count:,} objects, more than {self._limits.objects:,}. "
                "Push fewer commits at a time, or ask an admin to raise the setting max_push_objects."
            )
        return count

    def _read_entry(self, number: int) -> None:
        source = self._source
        source.begin_entry()
        offset = source.offset
        kind, size = source.header()
        self._by_offset[offset] = number
        self._offsets.append(offset)
        self._ids.append(b"")
        self._depths.append(0)
        if kind in KIND_NAMES:
            self._bases.append(None)
            self._check_size(kind, size)
            if kind == BLOB and size > BIG:
                self._stream_blob(number, size)
                return
            content = source.inflate(size)
            self._crcs.append(source.end_entry())
            self._found(number, kind, content)
        else:
            base = self._read_base(kind, offset)
            self._bases.append(base)
            self._check_size(BLOB, size)
            delta = self._inflate_delta(source, size)
            self._crcs.append(source.end_entry())
            if isinstance(base, int) and self._ids[base]:
                self._resolve(number, base, delta)
            else:
                self._waiting.setdefault(base, []).append(number)
        while self._ready:
            self._resolve_again(self._ready.pop())

    def _read_base(self, kind: int, offset: int) -> int | bytes:
        """The entry that a delta is based on if it has been seen, else the base's id."""
        if kind == OFS_DELTA:
            base = self._by_offset.get(offset - self._source.distance())
            if base is None or self._offsets[base] == offset:
                raise damaged("a delta is based on something that is no object")
            return base
        if kind != REF_DELTA:
            raise damaged(f"it has an object of the unknown kind {kind}")
        oid = self._source.take(20)
        return self._by_id.get(oid, oid)

    def _inflate_delta(self, source: PackSource, size: int) -> Content:
        return source.inflate(size) if size <= BIG else deltas.hold(source.pieces(size), size, self._folder)

    def _check_size(self, kind: int, size: int) -> None:
        if size > self._limits.object:
            raise TooLarge(
                f"An object has {size:,} bytes, more than {self._limits.object:,}. "
                "Keep large files out of git, or ask an admin to raise the setting max_object_bytes."
            )
        if kind != BLOB and size > LARGEST_STRUCTURE:
            raise TooLarge(f"A {KIND_NAMES[kind]} has {size:,} bytes; at most {LARGEST_STRUCTURE:,} are allowed.")
        self._unfolded += size
        if self._unfolded > self._limits.inflated:
            raise TooLarge(
                f"The push unfolds to more than {self._limits.inflated:,} bytes. "
                "Push fewer commits at a time, or ask an admin to raise the setting max_inflated_bytes."
            )

    def _stream_blob(self, number: int, size: int) -> None:
        sha = hashlib.sha1(_SHA1_HEADERS[BLOB] % size, usedforsecurity=False)
        for piece in self._source.pieces(size):
            sha.update(piece)
        self._crcs.append(self._source.end_entry())
        self._named(number, BLOB, sha.digest(), None)

    def _found(self, number: int, kind: int, content: Content) -> None:
        sha = hashlib.sha1(_SHA1_HEADERS[kind] % len(content), usedforsecurity=False)
        sha.update(content)
        self._cache.put(number, kind, content)
        if kind != BLOB and not isinstance(content, bytes):
            content = content[:]
        self._named(number, kind, sha.digest(), content if isinstance(content, bytes) else None)

    def _named(self, number: int, kind: int, oid: bytes, content: bytes | None) -> None:
        if oid in self._by_id:
            raise damaged(f"object {oid.hex()} is in it twice")
        self._ids[number] = oid
        self._by_id[oid] = number
        self._visit(kind, oid, content)
        if self._waiting:
            for key in (number, oid):
                for entry in self._waiting.pop(key, ()):
                    self._bases[entry] = number
                    self._ready.append(entry)

    def _resolve(self, number: int, base: int | bytes, delta: Content) -> None:
        self._depths[number] = depth = self._depths[base] + 1 if isinstance(base, int) else 1
        if depth > DEEPEST_CHAIN:
            raise damaged(f"a chain of deltas is longer than {DEEPEST_CHAIN}")
        kind, content = self._content(base)
        self._found(number, kind, self._apply(kind, content, delta))

    def _apply(self, kind: int, base: Content, delta: Content) -> Content:
        sizes = deltas.read_sizes(delta)
        self._check_size(kind, sizes.result)
        return deltas.apply(base, delta, sizes, self._folder)

    def _resolve_again(self, number: int) -> None:
        base = self._bases[number]
        assert base is not None
        self._resolve(number, base, self._reread(number)[1])

    def _resolve_borrowed(self) -> list[bytes]:
        """Resolve deltas whose base is not in the pack; returns the ids of those bases."""
        borrowed = []
        for oid in [key for key in self._waiting if isinstance(key, bytes)]:
            if self._lend(oid) is None:
                continue
            borrowed.append(oid)
            self._ready += self._waiting.pop(oid)
            while self._ready:
                self._resolve_again(self._ready.pop())
        # A base may have turned up in the pack after all, when a delta on another borrowed one was resolved.
        return [oid for oid in borrowed if oid not in self._by_id]

    def _content(self, base: int | bytes) -> tuple[int, Content]:
        """Kind and bytes of a known object: from the cache, else unfolded again along its chain of deltas."""
        chain: list[int] = []
        while (found := self._cache.get(base)) is None:
            below = None if isinstance(base, bytes) else self._bases[base]
            if below is None:
                found = self._whole(base)
                self._cache.put(base, *found)
                break
            assert isinstance(base, int)
            chain.append(base)
            base = below
        kind, content = found
        for number in reversed(chain):
            content = self._apply(kind, content, self._reread(number)[1])
            self._cache.put(number, kind, content)
        return kind, content

    def _whole(self, base: int | bytes) -> tuple[int, Content]:
        if isinstance(base, int):
            return self._reread(base)
        lent = self._lend(base)
        if lent is None:
            raise damaged(f"the base {base.hex()} of a delta has gone from the repo")
        self._check_size(lent[0], len(lent[1]))
        return lent

    def _reread(self, number: int) -> tuple[int, Content]:
        """Kind and inflated bytes of an entry (of a delta: the delta) from the file."""
        start = self._offsets[number]
        end = self._offsets[number + 1] if number + 1 < len(self._offsets) else self._source.offset
        entry = _Range(self._file.fileno(), start, end)
        source = PackSource(entry, None, limit=end - start, chunk=min(end - start, 1024**2))
        kind, size = source.header()
        if kind == OFS_DELTA:
            source.distance()
        elif kind == REF_DELTA:
            source.take(20)
        self._check_size(BLOB, size)
        return kind, self._inflate_delta(source, size)


class _Range:
    """Part of a file, read independently of its position."""

    def __init__(self, handle: int, start: int, end: int) -> None:
        self._handle, self._at, self._end = handle, start, end

    def read(self, count: int, /) -> bytes:
        data = os.pread(self._handle, min(count, self._end - self._at), self._at)
        self._at += len(data)
        return data


class _Cache:
    """Contents used lately, by entry number or borrowed id, up to a weight in bytes."""

    def __init__(self, limit: int) -> None:
        self._limit, self._weight = limit, 0
        self._items: OrderedDict[int | bytes, tuple[int, Content]] = OrderedDict()

    def get(self, key: int | bytes) -> tuple[int, Content] | None:
        found = self._items.get(key)
        if found is not None:
            self._items.move_to_end(key)
        return found

    def put(self, key: int | bytes, kind: int, content: Content) -> None:
        if key in self._items:
            self._weight -= _weight(self._items[key][1])
        self._items[key] = (kind, content)
        self._weight += _weight(content)
        while self._weight > self._limit and len(self._items) > 1:
            _, (_, dropped) = self._items.popitem(last=False)
            self._weight -= _weight(dropped)


def _weight(content: Content) -> int:
    # What is mapped from a file takes disk rather than memory.
    return len(content) + 200 if isinstance(content, bytes) else len(content) // 16
