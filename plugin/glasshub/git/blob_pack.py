"""Making many or large blobs with little memory: they are packed into a file on disk, then received like a push."""

from __future__ import annotations

import hashlib
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

from dulwich.object_format import SHA1
from dulwich.pack import pack_object_header

from glasshub.git.object_check import BLOB
from glasshub.git.pack_read import Limits
from glasshub.git.quarantine import Quarantine

_PIECE = 1024**2
_LEVEL = 1  # what is large here is mostly weights, which hardly shrink


class BlobPack:
    """Blobs on their way into a repository. Use it as a context manager: leaving it removes the file.

    Args:
        folder: where the file lies while it is written (it has no name there, so no crash leaves it behind).
    """

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._file.write(self._header(0))
        self._ids: set[str] = set()

    def add(self, size: int, pieces: Iterable[bytes]) -> str:
        """Add one blob, given in pieces that make ``size`` bytes together; returns its id (40 hex)."""
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        deflate = zlib.compressobj(_LEVEL)
        begin = self._file.tell()
        self._file.write(bytes(pack_object_header(BLOB, None, size, SHA1)))
        for piece in pieces:
            digest.update(piece)
            self._file.write(deflate.compress(piece))
        self._file.write(deflate.flush())
        oid = digest.hexdigest()
        if oid in self._ids:
            self._file.seek(begin)
            self._file.truncate()
        self._ids.add(oid)
        return oid

    def deliver(self, quarantine: Quarantine, limits: Limits) -> None:
        """Put all blobs into a quarantine (once, at the end). Raises as :meth:`Quarantine.receive`."""
        if not self._ids:
            return
        self._file.seek(0)
        self._file.write(self._header(len(self._ids)))
        self._file.seek(0)
        digest = hashlib.sha1(usedforsecurity=False)
        while piece := self._file.read(_PIECE):
            digest.update(piece)
        self._file.write(digest.digest())
        self._file.seek(0)
        quarantine.receive(self._file, limits)

    @staticmethod
    def _header(count: int) -> bytes:
        return b"PACK" + (2).to_bytes(4, "big") + count.to_bytes(4, "big")

    def __enter__(self) -> BlobPack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
