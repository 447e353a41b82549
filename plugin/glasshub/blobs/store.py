"""Where content lies: the seam, and the local folder behind it.

Content is written aside and hashed while it comes; only what is whole and right gets its name. Nothing is ever seen
half there, whatever dies in between.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from glasshub.blobs.parts import Parts
from glasshub.blobs.writing import Check, write
from glasshub.errors import Invalid, NotFound

ABANDONED_SECONDS = 24 * 3600
_NAME = re.compile(r"[0-9a-f]{64}")
_UPLOAD = re.compile(r"[0-9a-f]{32}")
_READ = 128 * 1024  # of larger buffers the system clears every page anew, which costs more than reading them

Hasher = Callable[[], "hashlib._Hash"]


class BlobStore(Protocol):
    """What the hub needs of a place for content. ``kind`` keeps different hashes apart (``files``, ``xorbs``)."""

    def receive(
        self, kind: str, name: str, stream: IO[bytes], *, size: int, check: Check | None = None, exact: bool = True
    ) -> bool:
        """Store what ``stream`` gives under ``name``; whether it is new. Not ``exact``: ``size`` is only the most.

        Raises:
            Invalid: it is not what the name says. Nothing is kept.
            TooLarge: it has more than ``size`` bytes.
        """

    def size(self, kind: str, name: str) -> int | None:
        """The size in bytes, ``None`` when there is no such content."""

    def stream(self, kind: str, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes ``start`` to ``end`` (exclusive). Raises ``NotFound``."""

    def local_path(self, kind: str, name: str) -> Path | None:
        """Where content lies as a file on this machine, so that a server can send it by itself; ``None``: nowhere."""

    def begin(self) -> str:
        """Begin an upload in parts; returns its id."""

    def part(self, upload: str, number: int, stream: IO[bytes], *, at: int, size: int) -> str:
        """Store a part (numbers from 1; repeating replaces) that begins at a byte of the whole; returns its tag.

        Raises ``NotFound``, ``Invalid``.
        """

    def complete(self, upload: str, parts: list[tuple[int, str]], kind: str, name: str, *, size: int) -> bool:
        """Check the whole that the parts (number, tag) make and store it, as :meth:`receive`. Raises ``Invalid``."""

    def sweep(self) -> int:
        """Remove uploads that nobody finished; returns how many."""

    def touch(self, kind: str, name: str) -> bool:
        """Note that content is used now, so that :meth:`remove` leaves it; whether there is such content."""

    def every(self, kind: str) -> Iterator[Stored]:
        """All content of a kind, in no order."""

    def remove(
        self, kinds: Sequence[str], name: str, *, before: float, then: Callable[[], object] = lambda: None
    ) -> bool:
        """Remove content that nobody touched since ``before``; whether it went.

        The first of ``kinds`` decides; what is kept beside it under the same name goes with it, and goes too when it is
        gone already. Nobody can touch or store anything until ``then`` was called.
        """


@dataclass(frozen=True, slots=True)
class Stored:
    """Content as it lies in the store; ``touched`` is when it was stored or used last (seconds since the epoch)."""

    name: str
    size: int
    touched: float


class Sha256:
    """Checks that content has the SHA-256 of its name."""

    def __init__(self, name: str) -> None:
        self._name, self._hash = name, hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(data)

    def finish(self) -> None:
        """Raises ``Invalid`` when the hash is another one."""
        if self._hash.hexdigest() != self._name:
            raise Invalid(f"The content has SHA-256 {self._hash.hexdigest()}, not {self._name}. Upload it again.")


class LocalStore:
    """A folder: ``<kind>/ab/cd/<name>`` for content, ``incoming/`` for what is under way.

    Args:
        folder: made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def receive(
        self, kind: str, name: str, stream: IO[bytes], *, size: int, check: Check | None = None, exact: bool = True
    ) -> bool:
        """See :class:`BlobStore`; content of kind ``files`` is checked by its SHA-256."""
        fresh = self._incoming / f"{secrets.token_hex(16)}.part"
        try:
            with fresh.open("xb") as file:
                write(file.fileno(), stream, check or Sha256(name), size=size, exact=exact)
            return self._keep(fresh, kind, name)
        finally:
            fresh.unlink(missing_ok=True)

    def size(self, kind: str, name: str) -> int | None:
        """See :class:`BlobStore`."""
        try:
            return self.path(kind, name).stat().st_size
        except FileNotFoundError:
            return None

    def stream(self, kind: str, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See :class:`BlobStore`."""
        try:
            file = self.path(kind, name).open("rb")
        except FileNotFoundError as error:
            raise NotFound("This content is not on the hub any more. Tell an admin.") from error
        with file:
            file.seek(start)
            left = None if end is None else end - start
            while left is None or left > 0:
                data = file.read(_READ if left is None else min(_READ, left))
                if not data:
                    return
                left = None if left is None else left - len(data)
                yield data

    def local_path(self, kind: str, name: str) -> Path | None:
        """See :class:`BlobStore`."""
        path = self.path(kind, name)
        return path if path.exists() else None

    def path(self, kind: str, name: str) -> Path:
        """Where content lies, or would lie. Raises ``NotFound`` for what is no name."""
        if not _NAME.fullmatch(name) or not kind.isidentifier():
            raise NotFound(f"{name[:80]!r} is no name of content.")
        return self._folder / kind / name[:2] / name[2:4] / name

    def begin(self) -> str:
        """See :class:`BlobStore`."""
        upload = secrets.token_hex(16)
        (self._incoming / upload).mkdir()
        return upload

    def part(self, upload: str, number: int, stream: IO[bytes], *, at: int, size: int) -> str:
        """See :class:`BlobStore`."""
        if not 1 <= number <= 10_000:
            raise Invalid("Parts are numbered from 1 to 10,000.")
        return self._parts(upload).write(number, stream, at=at, size=size)

    def complete(self, upload: str, parts: list[tuple[int, str]], kind: str, name: str, *, size: int) -> bool:
        """See :class:`BlobStore`. Repeating it after it succeeded does no harm."""
        if not (self._incoming / upload).is_dir() and self.touch(kind, name):
            return False
        joined = self._parts(upload)
        with joined.closed(parts, self._incoming / f"{upload}.part") as whole:
            joined.check(whole, Sha256(name), size=size)
            made = self._keep(whole, kind, name)
        joined.remove()
        return made

    def sweep(self) -> int:
        """See :class:`BlobStore`; what was touched within a day stays."""
        gone = 0
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    gone += 1
        return gone

    def touch(self, kind: str, name: str) -> bool:
        """See :class:`BlobStore`."""
        with self._locked(fcntl.LOCK_SH):
            return self._touch(self.path(kind, name))

    def every(self, kind: str) -> Iterator[Stored]:
        """See :class:`BlobStore`."""
        for path in (self._folder / kind).glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            with suppress(FileNotFoundError):
                found = path.stat()
                yield Stored(path.name, found.st_size, found.st_mtime)

    def remove(
        self, kinds: Sequence[str], name: str, *, before: float, then: Callable[[], object] = lambda: None
    ) -> bool:
        """See :class:`BlobStore`."""
        first, *others = (self.path(kind, name) for kind in kinds)
        with self._locked(fcntl.LOCK_EX):
            there = first.exists()
            if there and first.stat().st_mtime >= before:
                return False
            for path in (first, *others):
                path.unlink(missing_ok=True)
            then()
        return there

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Hold the lock that keeps what is removed apart from what is stored and used (``flock``; ends with us)."""
        with (self._folder / "prune.lock").open("a") as file:
            fcntl.flock(file, how)
            yield

    @staticmethod
    def _touch(path: Path) -> bool:
        with suppress(FileNotFoundError):
            os.utime(path)
            return True
        return False

    def _parts(self, upload: str) -> Parts:
        folder = self._incoming / upload
        if not _UPLOAD.fullmatch(upload) or not folder.is_dir():
            raise NotFound("This upload is not known, or was finished. Begin it again.")
        return Parts(folder)

    def _keep(self, fresh: Path, kind: str, name: str) -> bool:
        target = self.path(kind, name)
        fresh.chmod(0o440)
        with self._locked(fcntl.LOCK_SH):
            if self._touch(target):
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(target)
        for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
            _sync(folder)
        return True


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
