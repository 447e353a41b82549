"""What changed between two commits, file by file and line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dulwich.diff_tree import CHANGE_COPY, CHANGE_RENAME, RenameDetector, TreeChange, tree_changes
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo as GitRepo

from glasshub.errors import RevisionNotFound
from glasshub.git.ancestry import lookup
from glasshub.git.blob import blob_size
from glasshub.git.read import read_blob

_MAX_LINES = 20_000
_RENAMES_UP_TO = 200  # changed files; beyond that looking for renames takes too long
_GITLINK = 0o160000


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a hunk: ``" "`` unchanged, ``"-"`` removed, ``"+"`` added; numbers from 1, 0 where there is none."""

    kind: Literal[" ", "+", "-"]
    old_no: int
    new_no: int
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring changes with three lines around them."""

    old_start: int
    new_start: int
    header: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file. ``too_large`` means that its lines were not compared; binary files have no hunks."""

    path: str
    old_path: str
    kind: Literal["added", "deleted", "modified", "renamed"]
    binary: bool
    additions: int
    deletions: int
    hunks: tuple[Hunk, ...]
    too_large: bool = False


def diff_commits(
    repo: GitRepo, old: str | None, new: str, *, max_files: int = 300, max_bytes: int = 400_000
) -> list[FileChange]:
    """The changes from ``old`` (``None``: the empty tree) to ``new``, by path.

    Args:
        repo: the repository.
        old: a commit id or ``None``.
        new: a commit id.
        max_files: changes beyond this many are listed as too large.
        max_bytes: files larger than this, before or after, are not compared line by line.

    Raises:
        RevisionNotFound: there is no such commit.
    """
    trees = (None if old is None else _tree(repo, old), _tree(repo, new))
    changes = list(tree_changes(repo.object_store, *trees))
    if len(changes) <= _RENAMES_UP_TO:
        changes = list(RenameDetector(repo.object_store).changes_with_renames(*trees))
    found = sorted(changes, key=lambda change: _path(change.new) or _path(change.old))
    return [_file(repo, change, max_bytes if n < max_files else -1) for n, change in enumerate(found)]


def _tree(repo: GitRepo, commit_id: str) -> ObjectID:
    commit = lookup(repo.object_store, ObjectID(commit_id.encode("ascii")))
    if not isinstance(commit, Commit):
        raise RevisionNotFound(f"Revision Not Found: there is no commit {commit_id[:40]!r} here.")
    return ObjectID(commit.tree)


def _path(entry: object) -> str:
    path = getattr(entry, "path", None)
    return path.decode("utf-8", "replace") if path else ""


def _file(repo: GitRepo, change: TreeChange, max_bytes: int) -> FileChange:
    before, after = _path(change.old), _path(change.new)
    kind: Literal["added", "deleted", "modified", "renamed"] = "modified"
    if change.type in (CHANGE_RENAME, CHANGE_COPY):
        kind = "renamed" if change.type == CHANGE_RENAME else "added"
    elif not before:
        kind = "added"
    elif not after:
        kind = "deleted"
    ids = [_blob_id(entry) for entry in (change.old, change.new)]
    if any(oid and blob_size(repo, oid) > max_bytes for oid in ids):
        return FileChange(after or before, before, kind, False, 0, 0, (), too_large=True)
    old_data, new_data = (read_blob(repo, oid) if oid else b"" for oid in ids)
    if b"\0" in old_data[:8000] or b"\0" in new_data[:8000]:
        return FileChange(after or before, before, kind, True, 0, 0, ())
    return _text(kind, after or before, before, old_data, new_data)


def _blob_id(entry: object) -> str:
    mode, sha = getattr(entry, "mode", None), getattr(entry, "sha", None)
    return sha.decode("ascii") if sha and mode and mode != _GITLINK else ""


def _text(
    kind: Literal["added", "deleted", "modified", "renamed"], path: str, old_path: str, old: bytes, new: bytes
) -> FileChange:
    before, after = (data.decode("utf-8", "replace").splitlines() for data in (old, new))
    if len(before) + len(after) > _MAX_LINES:
        return FileChange(path, old_path, kind, False, 0, 0, (), too_large=True)
    hunks = tuple(_hunks(before, after))
    kinds = [line.kind for hunk in hunks for line in hunk.lines]
    return FileChange(path, old_path, kind, False, kinds.count("+"), kinds.count("-"), hunks)


def _hunks(before: list[str], after: list[str]) -> Iterator[Hunk]:
    matcher = difflib.SequenceMatcher(None, before, after)
    for group in matcher.get_grouped_opcodes(3):
        lines: list[DiffLine] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += (
                    DiffLine(" ", i + 1, j + 1, before[i]) for i, j in zip(range(i1, i2), range(j1, j2), strict=True)
                )
                continue
            lines += (DiffLine("-", i + 1, 0, before[i]) for i in range(i1, i2))
            lines += (DiffLine("+", 0, j + 1, after[j]) for j in range(j1, j2))
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        header = f"@@ -{i1 + 1 if i2 > i1 else i1},{i2 - i1} +{j1 + 1 if j2 > j1 else j1},{j2 - j1} @@"
        yield Hunk(i1 + 1, j1 + 1, header, tuple(lines))
