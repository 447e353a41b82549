"""Objects that are not part of the repository yet: written aside, checked, then moved in or removed."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType

from dulwich.object_store import BaseObjectStore, DiskObjectStore, MemoryObjectStore, OverlayObjectStore
from dulwich.objects import ObjectID, ShaFile
from dulwich.pack import write_pack_index_v2, write_pack_objects
from dulwich.repo import Repo as GitRepo

from glasshub.git.durable import sync_file, sync_folder
from glasshub.git.refs import QUARANTINE


class Quarantine:
    """A place for new objects of one write. Use it as a context manager: leaving without ``migrate`` discards.

    ``store`` reads new objects first, then the repository's. Both pushes (a received pack) and commits
    made by the hub (:mod:`glasshub.git.build`) put their objects here, so both pass the same checks.
    Objects made by the hub stay in memory until ``migrate`` writes them as one pack: one fsync, not thousands.
    """

    def __init__(self, repo: GitRepo) -> None:
        self.repo = repo
        self._folder = Path(repo.controldir()) / QUARANTINE / f"{os.getpid()}-{secrets.token_hex(8)}"
        self._made = MemoryObjectStore()
        self._received: DiskObjectStore | None = None
        self._new: set[ObjectID] = set()

    @property
    def pack_folder(self) -> Path:
        """Where a received pack and its index belong; made on first use."""
        folder = self._folder / "objects" / "pack"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def store(self) -> BaseObjectStore:
        """New objects first, then the repository's."""
        if self._received is None and self._folder.exists():
            self._received = DiskObjectStore(str(self._folder / "objects"))
        received = [self._received] if self._received is not None else []
        return OverlayObjectStore([self._made, *received, self.repo.object_store])

    def new_objects(self) -> set[ObjectID]:
        """The ids of all objects waiting here."""
        return set(self._made) | self._new

    def remember(self, ids: set[ObjectID]) -> None:
        """Note the ids of a received pack."""
        self._new |= ids

    def add(self, obj: ShaFile) -> str:
        """Add one object made by the hub; returns its id (40 hex)."""
        if obj.id not in self._made:
            self._made.add_object(obj)
        return obj.id.decode("ascii")

    def migrate(self) -> None:
        """Move everything into the repository, durable (fsync) when this returns. Idempotent."""
        self._write_made()
        if not self._folder.exists():
            return
        target = Path(self.repo.controldir()) / "objects" / "pack"
        for pack in sorted(self.pack_folder.glob("*.pack")):
            self._move_in(pack, target)
        sync_folder(target)
        self._close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def discard(self) -> None:
        """Remove everything; the repository is as before. Idempotent."""
        self._close()
        if self._folder.exists():
            shutil.rmtree(self._folder, ignore_errors=True)

    def _move_in(self, pack: Path, target: Path) -> None:
        # The index goes last: a pack is looked for by its index, so it is never seen half there.
        for path in (pack, pack.with_suffix(".idx")):
            sync_file(path)
            path.chmod(0o444)
            path.rename(target / path.name)

    def _write_made(self) -> None:
        objects = [self._made[oid] for oid in self._made]
        if not objects:
            return
        fresh = self.pack_folder / "made.tmp"
        with fresh.open("wb") as file:
            entries, checksum = write_pack_objects(
                file, [(obj, None) for obj in objects], self.repo.object_format, deltify=False
            )
        name = f"pack-{checksum.hex()}"
        with (self.pack_folder / f"{name}.idx").open("wb") as file:
            rows = sorted((oid, offset, crc) for oid, (offset, crc) in entries.items())
            write_pack_index_v2(file, rows, checksum)
        fresh.rename(self.pack_folder / f"{name}.pack")
        self._made = MemoryObjectStore()

    def _close(self) -> None:
        if self._received is not None:
            self._received.close()
            self._received = None

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
