"""Making commits inside the hub (demo, web forms, API): file operations on top of a parent commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glasshub.git.quarantine import Quarantine


@dataclass(frozen=True, slots=True)
class Put:
    """Create or replace the file at ``path``."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the file, or the whole folder, at ``path``."""

    path: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who, and when (seconds since the epoch, UTC)."""

    name: str
    email: str
    time: int


def build_commit(
    quarantine: Quarantine,
    parent: str | None,
    operations: Sequence[Put | Delete],
    *,
    message: str,
    author: Signature,
    committer: Signature | None = None,
) -> str:
    """Write blobs, trees and one commit into ``quarantine``; returns the commit id.

    Raises:
        Invalid: a path is unsafe (``..``, ``.git``, empty part, absolute) or clashes (file below a file).
        EntryNotFound: a deletion names nothing ("A file with this name doesn't exist").
    """
    raise NotImplementedError
