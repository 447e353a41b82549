"""Which entries of a tree stand for large files."""

from __future__ import annotations

from collections.abc import Iterable

from dulwich.repo import Repo as GitRepo

from glasshub.blobs.pointer import MAX_POINTER, MIN_POINTER, Pointer, parse_pointer
from glasshub.git.read import TreeEntry, read_blob


def pointer_at(git_repo: GitRepo, found: TreeEntry) -> Pointer | None:
    """The large file that a tree entry stands for, ``None`` for an ordinary one."""
    if found.kind != "file" or not MIN_POINTER <= found.size <= MAX_POINTER:
        return None
    return parse_pointer(read_blob(git_repo, found.oid))


def pointers_among(git_repo: GitRepo, entries: Iterable[TreeEntry]) -> dict[str, Pointer]:
    """The large files that tree entries stand for, by the id of their blob."""
    found: dict[str, Pointer] = {}
    for item in entries:
        if item.oid not in found and (pointer := pointer_at(git_repo, item)) is not None:
            found[item.oid] = pointer
    return found
