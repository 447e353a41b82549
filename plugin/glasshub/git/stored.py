"""Whether a repository has an object, and of what kind, without unfolding it."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from types import TracebackType

from dulwich.object_store import BaseObjectStore, DiskObjectStore
from dulwich.objects import ObjectID, RawObjectID
from dulwich.pack import FilePackIndex, PackFileDisappeared

from glasshub.git.object_check import KIND_NAMES
from glasshub.git.pack_source import OFS_DELTA, REF_DELTA

_KINDS = {name.encode(): kind for kind, name in KIND_NAMES.items()}
_HEAD = 64  # bytes that hold an entry's header and the base of a delta


class StoredKinds:
    """Looks up the kinds of objects in one store (alternates included). Use it as a context manager.

    It reads packs by itself, so that a look-up costs a small read however large the object is.
    """

    def __init__(self, store: BaseObjectStore) -> None:
        self._store = store
        self._packs: dict[str, _PackHeads] = {}
        self._see_new_packs()

    def get(self, oid: bytes) -> int | None:
        """The kind of the object with this 20-byte id, ``None`` if the store has none such."""
        if not isinstance(self._store, DiskObjectStore):
            return self._ask_store(oid)
        try:
            return self._packed(oid) or self._loose(oid) or self._ask_store(oid)
        except (PackFileDisappeared, FileNotFoundError):
            return self._ask_store(oid)  # a repack replaced the pack just now; dulwich looks again

    def close(self) -> None:
        """Close what was opened."""
        for pack in self._packs.values():
            pack.close()

    def _see_new_packs(self) -> None:
        if isinstance(self._store, DiskObjectStore):
            for pack in self._store.packs:
                if isinstance(pack.index, FilePackIndex):
                    self._packs.setdefault(pack.index.path, _PackHeads(pack.index))

    def _packed(self, oid: bytes) -> int | None:
        for pack in self._packs.values():
            if found := pack.kind(oid):
                return found
        return None

    def _loose(self, oid: bytes) -> int | None:
        name = oid.hex()
        path = Path(os.fspath(self._store.path), name[:2], name[2:])  # type: ignore[attr-defined]
        try:
            with path.open("rb") as file:
                head = zlib.decompressobj().decompress(file.read(_HEAD), _HEAD)
        except (FileNotFoundError, zlib.error):
            return None
        return _KINDS.get(head.partition(b" ")[0])

    def _ask_store(self, oid: bytes) -> int | None:
        # Packs that came meanwhile, alternates, and stores that are not folders.
        try:
            return self._store.get_raw(ObjectID(oid.hex().encode()))[0]
        except KeyError:
            return None

    def __enter__(self) -> StoredKinds:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _PackHeads:
    """The entry headers of one pack."""

    def __init__(self, index: FilePackIndex) -> None:
        self._index = index
        self._path = Path(index.path).with_suffix(".pack")
        self._handle = -1
        self._known: dict[int, int] = {}

    def kind(self, oid: bytes) -> int | None:
        try:
            return self._kind_at(self._index.object_offset(RawObjectID(oid)))
        except KeyError:
            return None

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _kind_at(self, offset: int) -> int:
        chain = []
        while (kind := self._known.get(offset, 0)) == 0:
            chain.append(offset)
            kind, base = self._head(offset)
            if kind not in (OFS_DELTA, REF_DELTA):
                break
            offset = base
        for seen in chain:
            self._known[seen] = kind
        return kind

    def _head(self, offset: int) -> tuple[int, int]:
        """The kind in an entry's header, and of a delta where its base starts."""
        if self._handle < 0:
            self._handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        head = os.pread(self._handle, _HEAD, offset)
        kind, at = head[0] >> 4 & 7, 0
        while head[at] & 0x80:
            at += 1
        if kind == REF_DELTA:
            return kind, self._index.object_offset(RawObjectID(head[at + 1 : at + 21]))
        if kind != OFS_DELTA:
            return kind, 0
        at += 1
        distance = head[at] & 0x7F
        while head[at] & 0x80:
            at += 1
            distance = (distance + 1 << 7) | (head[at] & 0x7F)
        return kind, offset - distance
