"""Objects that are not part of the repository yet: written aside, checked, then moved in or removed."""

from __future__ import annotations

from types import TracebackType

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ShaFile
from dulwich.repo import Repo as GitRepo


class Quarantine:
    """A place for new objects of one write. Use it as a context manager: leaving without ``migrate`` discards.

    ``store`` reads new objects first, then the repository's. Both pushes (a received pack) and commits
    made by the hub (:mod:`glasshub.git.build`) put their objects here, so both pass the same checks.
    """

    repo: GitRepo
    store: BaseObjectStore

    def __init__(self, repo: GitRepo) -> None:
        raise NotImplementedError

    def add(self, obj: ShaFile) -> str:
        """Add one object made by the hub; returns its id (40 hex)."""
        raise NotImplementedError

    def migrate(self) -> None:
        """Move everything into the repository, durable (fsync) when this returns. Idempotent."""
        raise NotImplementedError

    def discard(self) -> None:
        """Remove everything; the repository is as before. Idempotent."""
        raise NotImplementedError

    def __enter__(self) -> Quarantine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
