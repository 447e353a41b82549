"""Objects that are not part of the repository yet: written aside, checked, then moved in or removed."""

from __future__ import annotations

import copy
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from dulwich.object_store import BaseObjectStore, DiskObjectStore, MemoryObjectStore, OverlayObjectStore
from dulwich.objects import ObjectID, RawObjectID, ShaFile
from dulwich.pack import extend_pack, write_pack_objects
from dulwich.repo import Repo as GitRepo

from glasshub.git.durable import sync_file, sync_folder
from glasshub.git.lock import try_flock
from glasshub.git.object_check import TREE, ObjectChecker, references
from glasshub.git.pack_index import write_index
from glasshub.git.pack_read import Limits, PackContents, PackReader, Visit
from glasshub.git.pktline import Readable
from glasshub.git.recovery import QUARANTINE, UNBORN

# A few small objects are kept loose: a pack per push would soon be too many packs to look through.
LOOSE_AT_MOST = 64
LOOSE_BYTES = 4 * 1024**2


class Quarantine:
    """A place for new objects of one write. Use it as a context manager: leaving without ``migrate`` discards.

    ``store`` reads new objects first, then the repository's. Both pushes (a received pack) and commits
    made by the hub (:mod:`glasshub.git.build`) put their objects here, so both pass the same checks.

    What lies on disk is in a folder that this object keeps locked, so that
    :func:`glasshub.git.recovery.recover` can tell the living from the dead.
    """

    def __init__(self, repo: GitRepo) -> None:
        self.repo = repo
        #: what is known of the new objects, and what they need
        self.checker = ObjectChecker()
        self._memory = MemoryObjectStore()
        self._memory_bytes = 0
        self._received: DiskObjectStore | None = None
        self._overlay = OverlayObjectStore([self._memory, repo.object_store])
        self._folder: Path | None = None
        self._handle = -1

    @property
    def store(self) -> BaseObjectStore:
        """New objects first, then the repository's."""
        return self._overlay

    @property
    def view(self) -> GitRepo:
        """The repository as it would be with the new objects, for reading only. It need not be closed."""
        view = copy.copy(self.repo)
        view.object_store = self._overlay  # type: ignore[assignment]
        return view

    def add(self, obj: ShaFile) -> str:
        """Add one object made by the hub; returns its id (40 hex). Raises ``Invalid`` if it is malformed."""
        oid = bytes.fromhex(obj.id.decode("ascii"))
        if oid not in self.checker.kinds:
            data = obj.as_raw_string()
            self.checker.check(obj.type_num, oid, data)
            self._keep(obj.type_num, data)
        return oid.hex()

    def receive(self, stream: Readable, limits: Limits) -> int:
        """Read a pack, checking each object by itself; thin packs are completed from the repository.

        Args:
            stream: the pack and nothing else.
            limits: what may come.

        Returns:
            The number of objects received.

        Raises:
            Invalid: the pack is damaged, or an object is malformed or dangerous.
            TooLarge: a limit is exceeded.
        """
        folder = self._claim_folder()
        path = folder / "pack" / "incoming.tmp"
        path.parent.mkdir(exist_ok=True)
        small: list[tuple[int, bytes]] = []
        with path.open("w+b", buffering=0) as file:
            reader = PackReader(stream, file, folder, limits=limits, visit=self._visitor(small), lend=self._lend)
            contents = reader.read()
        if len(small) == len(contents.rows) and sum(len(data) for _, data in small) <= LOOSE_BYTES:
            for kind, data in small:
                self._keep(kind, data)
        else:
            self._complete(path, contents)
        path.unlink(missing_ok=True)
        return len(contents.rows)

    def migrate(self) -> None:
        """Move everything into the repository, durable (fsync) when this returns. Idempotent.

        The caller holds the repository's lock. Objects come after those they name, so that the repository
        has all that its objects need at every moment, even if this process dies here.
        """
        objects = Path(self.repo.controldir()) / "objects"
        if self._memory_bytes > LOOSE_BYTES or len(list(self._memory)) > LOOSE_AT_MOST:
            self._pack_memory()
        loose = self._write_loose()
        if self._folder is not None:
            self._move_packs(self._folder / "pack", objects / "pack")
        self._move_loose(loose, objects)
        self.discard()

    def discard(self) -> None:
        """Remove everything that was not migrated. Idempotent."""
        self._overlay.bases = [self.repo.object_store]
        self._memory = MemoryObjectStore()
        self._memory_bytes = 0
        if self._received is not None:
            self._received.close()
            self._received = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):
                self._folder.parent.rmdir()  # fails while others have theirs there
            os.close(self._handle)
            self._folder = None

    def _visitor(self, small: list[tuple[int, bytes]]) -> Visit:
        def visit(kind: int, oid: bytes, data: bytes | None) -> None:
            self.checker.check(kind, oid, data)
            if data is not None and len(small) <= LOOSE_AT_MOST:
                small.append((kind, data))

        return visit

    def _lend(self, oid: bytes) -> tuple[int, bytes] | None:
        try:
            kind, data = self.repo.object_store.get_raw(ObjectID(oid.hex().encode()))
        except KeyError:
            return None
        if kind == TREE:
            self.checker.vouch(data)
        return kind, data

    def _keep(self, kind: int, data: bytes) -> None:
        self._memory.add_object(ShaFile.from_raw_string(kind, data))
        self._memory_bytes += len(data)

    def _claim_folder(self) -> Path:
        """Make the folder under a name that recovery leaves alone, lock it, then give it its name."""
        if self._folder is None:
            top = Path(self.repo.controldir()) / QUARANTINE
            unborn = _make_folder(top / f"{UNBORN}{secrets.token_hex(8)}")
            handle = os.open(unborn, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            assert try_flock(handle)
            self._handle, self._folder = handle, unborn.rename(top / unborn.name.removeprefix(UNBORN))
        return self._folder

    def _complete(self, received: Path, contents: PackContents) -> None:
        """Make a received pack stand alone, give it an index, and let ``store`` see it."""
        checksum, rows = contents.checksum, list(contents.rows)
        if contents.borrowed:
            borrowed = {RawObjectID(oid) for oid in contents.borrowed}
            stored = self.repo.object_store
            with received.open("r+b") as file:
                checksum, lent = extend_pack(file, borrowed, stored.get_raw, self.repo.object_format)
            rows += lent
        path = received.with_name(f"pack-{checksum.hex()}.pack")
        write_index(path.with_suffix(".idx"), sorted(rows), checksum)
        received.rename(path)
        self._received = DiskObjectStore(str(path.parents[1]))
        self._overlay.bases = [self._memory, self._received, self.repo.object_store]

    def _pack_memory(self) -> None:
        folder = self._claim_folder() / "pack"
        folder.mkdir(exist_ok=True)
        fresh = folder / "made.tmp"
        objects = [(self._memory[oid], None) for oid in self._memory]
        with fresh.open("wb") as file:
            entries, checksum = write_pack_objects(file, objects, self.repo.object_format, deltify=False)
        path = folder / f"pack-{checksum.hex()}.pack"
        rows = sorted((bytes(oid), offset, crc or 0) for oid, (offset, crc) in entries.items())
        write_index(path.with_suffix(".idx"), rows, checksum)
        fresh.rename(path)
        self._memory = MemoryObjectStore()

    def _write_loose(self) -> list[Path]:
        """Write the objects in memory as loose files, those that others name first."""
        written = []
        for obj in _needed_first(self._memory):
            name = obj.id.decode("ascii")
            path = self._claim_folder() / name[:2] / name[2:]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(obj.as_legacy_object())
            path.chmod(0o444)
            sync_file(path)
            written.append(path)
        return written

    def _move_packs(self, source: Path, target: Path) -> None:
        for pack in sorted(source.glob("*.pack")):
            # The index goes last: a pack is looked for by its index, so it is never seen half there.
            for path in (pack, pack.with_suffix(".idx")):
                path.chmod(0o444)
                sync_file(path)
                path.rename(target / path.name)
            sync_folder(target)

    def _move_loose(self, paths: list[Path], objects: Path) -> None:
        folders = {objects}
        for path in paths:
            folder = objects / path.parent.name
            folder.mkdir(exist_ok=True)
            path.rename(folder / path.name)
            folders.add(folder)
        for folder in folders if paths else ():
            sync_folder(folder)

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


def _make_folder(path: Path) -> Path:
    while True:
        try:
            path.mkdir(parents=True)
        except (FileNotFoundError, FileExistsError):  # the second where it went between two looks at it
            continue  # another quarantine was the last to leave, and took the folder around it away
        return path


def _needed_first(memory: MemoryObjectStore) -> Iterator[ShaFile]:
    """The objects in an order in which each comes after all that it names."""
    waiting = set(memory)
    stack = sorted(waiting)
    while stack:
        oid = stack[-1]
        needs = [] if oid not in waiting else _named_in(memory[oid], waiting)
        if needs:
            stack += needs  # no cycles: an object cannot name itself, hashes forbid it
            continue
        stack.pop()
        if oid in waiting:
            waiting.remove(oid)
            yield memory[oid]


def _named_in(obj: ShaFile, waiting: set[ObjectID]) -> list[ObjectID]:
    named = (ObjectID(raw.hex().encode()) for _, raw in references(obj.type_num, obj.as_raw_string()))
    return [oid for oid in named if oid in waiting]
