"""Receiving a pack: one forward pass that inflates every object once, hashes it, and writes pack and index.

Format: https://git-scm.com/docs/gitformat-pack. Nothing is trusted: sizes are capped before inflating, the
checksum is verified, deltas must resolve, and every object is shown to a checker before anything is moved in.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dulwich.errors import ApplyDeltaError
from dulwich.object_format import SHA1
from dulwich.object_store import BaseObjectStore
from dulwich.pack import apply_delta, pack_object_header, write_pack_index_v2

from glasshub.errors import Invalid, TooLarge

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
TYPE_NAMES = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
_CHUNK = 256 * 1024
_STREAM_ABOVE = 4 * 1024**2  # larger blobs are hashed as they come and never held whole
_CACHE_BYTES = 96 * 1024**2
_MAX_DELTA_RESULT = 512 * 1024**2

Checker = Callable[[int, bytes, bytes | None], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one push may bring, in bytes and objects; each is a setting of the hub."""

    wire: int
    inflated: int
    object: int
    objects: int


@dataclass(slots=True)
class _Entry:
    """One object of the pack: where it starts, its CRC, and how to rebuild it."""

    offset: int
    type: int
    size: int
    crc: int = 0
    base_offset: int = 0
    base_id: bytes = b""
    id: bytes = b""
    data_offset: int = 0


class _Source:
    """The incoming bytes: counted, hashed, written to the pack file, and looked at through a window."""

    def __init__(self, stream: IO[bytes], file: IO[bytes], limit: int) -> None:
        self._stream, self._file, self._limit = stream, file, limit
        self._sha = hashlib.sha1(usedforsecurity=False)
        self.window = b""
        self.at = 0
        self._start = 0

    @property
    def offset(self) -> int:
        """The position in the pack of the next byte."""
        return self._start + self.at

    def need(self, count: int) -> None:
        """Make ``count`` bytes visible in the window if the stream has them."""
        if len(self.window) - self.at >= count:
            return
        self._keep()
        parts, have = [self.window], len(self.window)
        while have < count:
            data = self._stream.read(max(_CHUNK, count - have))
            if not data:
                break
            parts.append(data)
            have += len(data)
            if self._start + have > self._limit:
                raise TooLarge(
                    f"The push is larger than {self._limit:,} bytes. "
                    "Push in smaller parts, or ask an admin to raise max_push_bytes."
                )
        self.window = b"".join(parts)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        self.need(count)
        piece = self.window[self.at : self.at + count]
        if len(piece) < count:
            raise Invalid("The pack ends too early; the transfer was cut. Push again.")
        self.at += count
        return piece

    def finish(self) -> bytes:
        """Verify the trailing checksum and return it."""
        self._keep()
        digest = self._sha.digest()
        if self.take(20) != digest:
            raise Invalid("The pack's checksum is wrong; it was damaged on the way. Push again.")
        self._file.write(digest)
        self._file.flush()
        return digest

    def flush(self) -> None:
        """Make everything consumed so far readable in the file."""
        self._keep()
        self._file.flush()

    def _keep(self) -> None:
        done = self.window[: self.at]
        if done:
            self._sha.update(done)
            self._file.write(done)
            self._start += len(done)
            self.window, self.at = self.window[self.at :], 0


class PackReader:
    """Reads one pack from ``stream`` into ``folder``; see :func:`receive_pack_file`."""

    def __init__(self, stream: IO[bytes], path: Path, store: BaseObjectStore, limits: Limits, check: Checker) -> None:
        self._file = path.open("w+b")
        self._source = _Source(stream, self._file, limits.wire)
        self._store, self._limits, self._check = store, limits, check
        self._entries: list[_Entry] = []
        self._by_offset: dict[int, _Entry] = {}
        self._by_id: dict[bytes, _Entry] = {}
        self._cache: OrderedDict[int, tuple[int, bytes]] = OrderedDict()
        self._cached = self._inflated = 0
        self._waiting: list[tuple[_Entry, bytes]] = []
        self._foreign: dict[bytes, tuple[int, bytes]] = {}

    def close(self) -> None:
        """Close the pack file."""
        self._file.close()

    def read(self) -> tuple[bytes, list[tuple[bytes, int, int]]]:
        """Read everything; returns the pack's checksum and its index rows (id, offset, crc), sorted."""
        header = self._source.take(12)
        if header[:4] != b"PACK" or int.from_bytes(header[4:8], "big") not in (2, 3):
            raise Invalid("What was sent is not a git pack. Push with a stock git client.")
        count = int.from_bytes(header[8:12], "big")
        if count > self._limits.objects:
            raise TooLarge(
                f"The push has {count:,} objects, more than {self._limits.objects:,}. "
                "Push in smaller parts, or ask an admin to raise max_push_objects."
            )
        for _ in range(count):
            self._read_entry()
        checksum = self._source.finish()
        self._resolve_waiting()
        if self._foreign:
            checksum = self._complete_thin_pack()
        rows = sorted((entry.id, entry.offset, entry.crc) for entry in self._by_id.values())
        return checksum, rows

    def _read_entry(self) -> None:
        source = self._source
        source.need(64)
        offset, begin = source.offset, source.at
        entry = self._read_header(offset)
        entry.data_offset = source.offset
        crc = zlib.crc32(source.window[begin : source.at])
        self._count(entry.size)
        self._entries.append(entry)
        self._by_offset[offset] = entry
        if entry.type == BLOB and entry.size > _STREAM_ABOVE:
            self._stream_blob(entry, crc)
            return
        data, entry.crc = self._inflate(entry.size, crc)
        if entry.type in TYPE_NAMES:
            self._found(entry, entry.type, data)
        else:
            self._found_delta(entry, data)

    def _read_header(self, offset: int) -> _Entry:
        byte = self._source.take(1)[0]
        kind, size, shift = (byte >> 4) & 7, byte & 15, 4
        while byte & 0x80:
            byte = self._source.take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if shift > 60:
                raise Invalid("The pack has an object header that makes no sense; it is damaged.")
        entry = _Entry(offset, kind, size)
        if kind == OFS_DELTA:
            entry.base_offset = offset - self._read_distance()
            if entry.base_offset not in self._by_offset:
                raise Invalid("The pack has a delta whose base is not in it; it is damaged.")
        elif kind == REF_DELTA:
            entry.base_id = self._source.take(20)
        elif kind not in TYPE_NAMES:
            raise Invalid(f"The pack has an object of unknown type {kind}; it is damaged.")
        return entry

    def _read_distance(self) -> int:
        byte = self._source.take(1)[0]
        distance = byte & 0x7F
        while byte & 0x80:
            byte = self._source.take(1)[0]
            distance = ((distance + 1) << 7) | (byte & 0x7F)
            if distance > 1 << 62:
                raise Invalid("The pack has a delta offset that makes no sense; it is damaged.")
        return distance

    def _count(self, size: int) -> None:
        if size > self._limits.object:
            raise TooLarge(
                f"One object has {size:,} bytes, more than {self._limits.object:,}. "
                "Track large files with git-lfs, or ask an admin to raise max_object_bytes."
            )
        self._inflated += size
        if self._inflated > self._limits.inflated:
            raise TooLarge(
                f"The push unfolds to more than {self._limits.inflated:,} bytes. "
                "Push in smaller parts, or ask an admin to raise max_inflated_bytes."
            )

    def _inflate(self, size: int, crc: int) -> tuple[bytes, int]:
        """The object's bytes and the CRC of its entry; the usual case ends in one call."""
        source, inflate = self._source, zlib.decompressobj()
        parts: list[bytes] = []
        have, bound = 0, size + (size >> 10) + 64
        while not inflate.eof:
            source.need(bound if not parts else 1024)
            view = source.window[source.at : source.at + bound]
            if not view:
                raise Invalid("The pack ends too early; the transfer was cut. Push again.")
            try:
                part = inflate.decompress(view, size - have + 1)
            except zlib.error as error:
                raise Invalid(f"The pack has an object that does not inflate ({error}); it is damaged.") from error
            used = len(view) - len(inflate.unused_data) - len(inflate.unconsumed_tail)
            crc = zlib.crc32(view[:used], crc)
            source.at += used
            parts.append(part)
            have += len(part)
            if have > size or (used == 0 and not part):
                raise Invalid("The pack has an object larger than its header says; it is damaged.")
        if have != size:
            raise Invalid("The pack has an object smaller than its header says; it is damaged.")
        return (parts[0] if len(parts) == 1 else b"".join(parts)), crc

    def _stream_blob(self, entry: _Entry, crc: int) -> None:
        source, inflate = self._source, zlib.decompressobj()
        sha = hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
        have, tail = 0, b""
        while not inflate.eof:
            if not tail:
                source.need(1)
                tail = source.window[source.at : source.at + _CHUNK]
                if not tail:
                    raise Invalid("The pack ends too early; the transfer was cut. Push again.")
            try:
                part = inflate.decompress(tail, _CHUNK * 4)
            except zlib.error as error:
                raise Invalid(f"The pack has an object that does not inflate ({error}); it is damaged.") from error
            rest = inflate.unconsumed_tail or inflate.unused_data
            used = len(tail) - len(rest)
            crc = zlib.crc32(tail[:used], crc)
            source.at += used
            tail = inflate.unconsumed_tail
            sha.update(part)
            have += len(part)
            if have > entry.size:
                raise Invalid("The pack has an object larger than its header says; it is damaged.")
        if have != entry.size:
            raise Invalid("The pack has an object smaller than its header says; it is damaged.")
        entry.crc = crc
        self._note(entry, BLOB, sha.digest(), None)

    def _found(self, entry: _Entry, kind: int, data: bytes) -> None:
        sha = hashlib.sha1(b"%s %d\0" % (TYPE_NAMES[kind], len(data)), usedforsecurity=False)
        sha.update(data)
        self._remember(entry.offset, kind, data)
        self._note(entry, kind, sha.digest(), data)

    def _note(self, entry: _Entry, kind: int, oid: bytes, data: bytes | None) -> None:
        entry.id = oid
        self._by_id.setdefault(oid, entry)
        self._check(kind, oid, data)

    def _found_delta(self, entry: _Entry, delta: bytes) -> None:
        base = self._base_of(entry)
        if base is None:
            self._waiting.append((entry, delta))  # its base may come later in the pack
            return
        kind, data = base
        self._found(entry, kind, self._apply(data, delta))

    def _apply(self, base: bytes, delta: bytes) -> bytes:
        size = _delta_result_size(delta)
        if size > min(_MAX_DELTA_RESULT, self._limits.object):
            raise TooLarge(f"A delta unfolds to {size:,} bytes. Track large files with git-lfs.")
        self._count(size)
        try:
            return b"".join(apply_delta(base, delta))
        except (ApplyDeltaError, ValueError) as error:
            raise Invalid(f"The pack has a delta that does not apply ({error}); it is damaged.") from error

    def _base_of(self, entry: _Entry) -> tuple[int, bytes] | None:
        if entry.type == OFS_DELTA:
            base = self._by_offset[entry.base_offset]
            return self._content(base) if base.id else None
        if entry.base_id in self._by_id:
            return self._content(self._by_id[entry.base_id])
        return self._from_store(entry.base_id)

    def _from_store(self, oid: bytes) -> tuple[int, bytes] | None:
        if oid not in self._foreign:
            try:
                self._foreign[oid] = self._store.get_raw(oid.hex().encode())  # type: ignore[arg-type]
            except KeyError:
                return None
        return self._foreign[oid]

    def _content(self, entry: _Entry) -> tuple[int, bytes]:
        """Type and bytes of a resolved object: from the cache, else rebuilt from the file along its delta chain."""
        chain: list[_Entry] = []
        found: tuple[int, bytes] | None = None
        while found is None:
            if entry.offset in self._cache:
                self._cache.move_to_end(entry.offset)
                found = self._cache[entry.offset]
            elif entry.type in TYPE_NAMES:
                found = (entry.type, self._reread(entry))
            else:
                chain.append(entry)
                if entry.type == REF_DELTA and entry.base_id not in self._by_id:
                    found = self._foreign[entry.base_id]
                else:
                    entry = self._by_offset.get(entry.base_offset) or self._by_id[entry.base_id]
        kind, data = found
        for link in reversed(chain):
            data = b"".join(apply_delta(data, self._reread(link)))
            self._remember(link.offset, kind, data)
        return kind, data

    def _reread(self, entry: _Entry) -> bytes:
        self._source.flush()
        inflate, parts, at = zlib.decompressobj(), [], entry.data_offset
        while not inflate.eof:
            packed = os.pread(self._file.fileno(), _CHUNK, at)
            at += len(packed)
            parts.append(inflate.decompress(packed))
        return b"".join(parts)

    def _remember(self, offset: int, kind: int, data: bytes) -> None:
        if len(data) > _CACHE_BYTES // 4:
            return
        self._cache[offset] = (kind, data)
        self._cached += len(data)
        while self._cached > _CACHE_BYTES:
            _, (_, old) = self._cache.popitem(last=False)
            self._cached -= len(old)

    def _resolve_waiting(self) -> None:
        while self._waiting:
            before, waiting = len(self._waiting), self._waiting
            self._waiting = []
            for entry, delta in waiting:
                self._found_delta(entry, delta)
            if len(self._waiting) == before:
                raise Invalid("The pack has deltas whose base is neither in it nor in the repo. Push again.")

    def _complete_thin_pack(self) -> bytes:
        """Append the bases that the repo lent, so that the pack stands alone, and redo count and checksum."""
        self._file.seek(-20, os.SEEK_END)
        self._file.truncate()
        for oid, (kind, data) in sorted(self._foreign.items()):
            if oid in self._by_id:
                continue
            entry = _Entry(self._file.tell(), kind, len(data), id=oid)
            packed = bytes(pack_object_header(kind, None, len(data), SHA1)) + zlib.compress(data)
            entry.crc = zlib.crc32(packed)
            self._file.write(packed)
            self._entries.append(entry)
            self._by_id[oid] = entry
        self._file.seek(8)
        self._file.write(len(self._entries).to_bytes(4, "big"))
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, "sha1").digest()
        self._file.seek(0, os.SEEK_END)
        self._file.write(digest)
        self._file.flush()
        return digest


def receive_pack_file(
    stream: IO[bytes], folder: Path, store: BaseObjectStore, *, limits: Limits, check: Checker
) -> set[bytes]:
    """Read a pack into ``folder`` as ``pack-<checksum>.pack`` and ``.idx``.

    Args:
        stream: the pack, nothing before it.
        folder: an existing folder in quarantine.
        store: the repository, which lends delta bases to thin packs.
        limits: what one push may bring.
        check: called as ``check(type, id, data)`` for every object, ``data`` being ``None`` for large blobs;
            it raises ``Invalid`` to refuse the pack.

    Returns:
        The ids (20 bytes) of all objects received; an empty pack leaves no file.

    Raises:
        Invalid: the pack is damaged, or ``check`` refused an object.
        TooLarge: it exceeds a limit.
    """
    fresh = folder / "incoming.tmp"
    reader = PackReader(stream, fresh, store, limits, check)
    try:
        checksum, rows = reader.read()
    finally:
        reader.close()
    if not rows:
        fresh.unlink()
        return set()
    name = f"pack-{checksum.hex()}"
    with (folder / f"{name}.idx").open("wb") as file:
        write_pack_index_v2(file, rows, checksum)
    fresh.rename(folder / f"{name}.pack")
    return {row[0] for row in rows}


def _delta_result_size(delta: bytes) -> int:
    at = 0
    for _ in range(2):  # the size of the base, then of the result
        size = shift = 0
        while True:
            if at >= len(delta) or shift > 60:
                raise Invalid("The pack has a delta that makes no sense; it is damaged.")
            byte = delta[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
    return size
