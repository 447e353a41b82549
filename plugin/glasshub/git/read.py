"""Reading a repository: revisions, trees, blobs, history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dulwich.repo import Repo as GitRepo


@dataclass(frozen=True, slots=True)
class Revision:
    """A resolved revision: the commit id (40 hex) and the full ref name it came from (``""`` for an id)."""

    commit: str
    ref: str
    text: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file or folder in a tree. ``size`` is the blob's size in bytes (0 for folders); ``oid`` 40 hex."""

    path: str
    kind: Literal["file", "directory", "symlink", "submodule"]
    oid: str
    size: int
    mode: int


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit for people; ``date`` as in :mod:`glasshub.clock` (the committer's time)."""

    id: str
    parents: tuple[str, ...]
    tree: str
    author_name: str
    author_email: str
    date: str
    title: str
    message: str


def open_repo(path: Path) -> GitRepo:
    """Open the bare repository at ``path`` (the one seam for other storages). Use it as a context manager.

    Raises:
        RepoNotFound: there is no repository.
    """
    raise NotImplementedError


def create_repo(path: Path) -> None:
    """Make an empty bare repository with ``HEAD`` at ``refs/heads/main``, complete or not at all."""
    raise NotImplementedError


def resolve_revision(repo: GitRepo, text: str) -> Revision:
    """Resolve a branch, tag, full or abbreviated (>= 5 hex) commit id, or ``refs/...`` to a commit.

    Raises:
        RevisionNotFound: nothing matches, or an abbreviation is ambiguous.
    """
    raise NotImplementedError


def split_revision_path(repo: GitRepo, rest: str) -> tuple[Revision, str]:
    """Split ``<revision>/<path>`` by the refs that exist: ``refs/pr/N`` first, then the longest branch or tag,
    then a commit id. The path may be empty.

    Raises:
        RevisionNotFound: no prefix of ``rest`` is a revision.
    """
    raise NotImplementedError


def entry(repo: GitRepo, commit: str, path: str) -> TreeEntry:
    """What lies at ``path`` (``""`` is the root).

    Raises:
        EntryNotFound: nothing does.
    """
    raise NotImplementedError


def list_tree(repo: GitRepo, commit: str, path: str = "", *, recursive: bool = False) -> list[TreeEntry]:
    """The entries below a folder, in tree order; recursive listings contain folders too.

    Raises:
        EntryNotFound: no such folder.
    """
    raise NotImplementedError


def read_blob(repo: GitRepo, oid: str, *, limit: int | None = None) -> bytes:
    """A blob's bytes.

    Raises:
        TooLarge: it is larger than ``limit`` bytes.
    """
    raise NotImplementedError


def read_file(repo: GitRepo, commit: str, path: str, *, limit: int | None = None) -> bytes:
    """A file's bytes at a commit. Raises ``EntryNotFound`` or ``TooLarge``."""
    raise NotImplementedError


def commit(repo: GitRepo, id: str) -> Commit:
    """One commit. Raises ``RevisionNotFound``."""
    raise NotImplementedError


def history(repo: GitRepo, start: str, path: str = "", *, skip: int = 0, limit: int = 50) -> list[Commit]:
    """Commits reachable from ``start``, newest first; with ``path`` only those that changed it."""
    raise NotImplementedError


def last_changes(repo: GitRepo, start: str, paths: Sequence[str]) -> dict[str, Commit]:
    """For each path the newest commit (first-parent order where it matters) that changed it."""
    raise NotImplementedError


def walk(repo: GitRepo, start: str) -> Iterator[str]:
    """Ids of all commits reachable from ``start``."""
    raise NotImplementedError


def list_refs(repo: GitRepo, prefix: str = "refs/") -> dict[str, str]:
    """Ref name -> 40-hex target for every ref below ``prefix`` (symbolic ``HEAD`` left out)."""
    raise NotImplementedError
