"""What changed between two commits, file by file and line by line, within limits on size and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dulwich.diff_tree import tree_changes
from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo as GitRepo

from glasshub.errors import RevisionNotFound
from glasshub.git.ancestry import lookup
from glasshub.git.blob import blob_size
from glasshub.git.line_diff import Change, Work, changes, groups
from glasshub.git.read import read_blob
from glasshub.git.renames import Pair, Side, pair_renames

Kind = Literal["added", "deleted", "modified", "renamed"]
CONTEXT = 3
MOST_WORK = 3_000_000  # steps of comparing lines, for all files together: about two seconds
_MAX_LINES = 20_000
_BINARY_PROBE = 8_000
_GITLINK = 0o160000


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a hunk: ``" "`` unchanged, ``"-"`` removed, ``"+"`` added; numbers from 1, 0 where there is none.

    ``text`` is without the line's end; ``bare`` tells that it has none, as only a file's last line may.
    """

    kind: Literal[" ", "+", "-"]
    old_no: int
    new_no: int
    text: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring changes with three lines around them."""

    old_start: int
    new_start: int
    header: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file. ``too_large`` means that its lines were not compared; binary files have no hunks.

    Paths keep bytes that are not UTF-8 as lone surrogates; ``old_path`` is ``""`` for a file that was added. Ids (40
    hex) and modes of the two sides are ``""`` and 0 where there is no file; a submodule's id is a commit's.
    """

    path: str
    old_path: str
    kind: Kind
    binary: bool
    additions: int
    deletions: int
    hunks: tuple[Hunk, ...]
    too_large: bool = False
    old_id: str = ""
    new_id: str = ""
    old_mode: int = 0
    new_mode: int = 0

    @property
    def submodule(self) -> bool:
        """Whether one of its sides is a commit of another repository."""
        return _GITLINK in (self.old_mode, self.new_mode)

    @property
    def lines(self) -> int:
        """How many lines its hunks show."""
        return sum(len(hunk.lines) for hunk in self.hunks)


def diff_commits(
    repo: GitRepo, old: str | None, new: str, *, max_files: int = 300, max_bytes: int = 400_000, only: int | None = None
) -> list[FileChange]:
    """The changes from ``old`` (``None``: the empty tree) to ``new``, by path.

    Args:
        repo: the repository.
        old: a commit id or ``None``.
        new: a commit id.
        max_files: changes beyond this many are listed as too large.
        max_bytes: files larger than this, before or after, are not compared line by line.
        only: the place (from 0) of the one change whose lines are compared; the others are listed as too large.

    Raises:
        RevisionNotFound: there is no such commit.
    """
    trees = (None if old is None else _tree(repo, old), _tree(repo, new))
    sides = [(_side(change.old), _side(change.new)) for change in tree_changes(repo.object_store, *trees)]
    pairs = sorted(pair_renames(repo, sides), key=_path)
    work = Work(MOST_WORK)
    return [
        _file(repo, pair, max_bytes if n < max_files and only in (None, n) else -1, work)
        for n, pair in enumerate(pairs)
    ]


def _tree(repo: GitRepo, commit_id: str) -> ObjectID:
    commit = lookup(repo.object_store, ObjectID(commit_id.encode("ascii")))
    if not isinstance(commit, Commit):
        raise RevisionNotFound(f"Revision Not Found: there is no commit {commit_id[:40]!r} here.")
    return ObjectID(commit.tree)


def _side(entry: object) -> Side | None:
    path, mode, sha = (getattr(entry, name, None) for name in ("path", "mode", "sha"))
    if not path or not sha:
        return None
    return Side(path.decode("utf-8", "surrogateescape"), mode or 0, sha.decode("ascii"))


def _path(pair: Pair) -> str:
    side = pair[1] or pair[0]
    return side.path if side else ""


def _file(repo: GitRepo, pair: Pair, max_bytes: int, work: Work) -> FileChange:
    (old_id, old_mode), (new_id, new_mode) = ((side.oid, side.mode) if side else ("", 0) for side in pair)
    bare = FileChange(
        _path(pair), pair[0].path if pair[0] else "", _kind(pair), False, 0, 0, (),
        old_id=old_id, new_id=new_id, old_mode=old_mode, new_mode=new_mode,
    )  # fmt: skip
    blobs = [oid if mode != _GITLINK else "" for oid, mode in ((old_id, old_mode), (new_id, new_mode))]
    if any(oid and blob_size(repo, oid) > max_bytes for oid in blobs):
        return replace(bare, too_large=True)
    if old_id == new_id:
        return bare
    data = [read_blob(repo, oid) if oid else b"" for oid in blobs]
    if any(b"\0" in side[:_BINARY_PROBE] for side in data):
        return replace(bare, binary=True)
    old, new = (_lines(side) for side in data)
    if len(old) + len(new) > _MAX_LINES or work.left <= 0:
        return replace(bare, too_large=True)
    found = changes(old, new, work)
    added, removed = sum(change.j2 - change.j1 for change in found), sum(change.i2 - change.i1 for change in found)
    return replace(bare, additions=added, deletions=removed, hunks=tuple(_hunks(found, old, new)))


def _kind(pair: Pair) -> Kind:
    before, after = pair
    if before is None or after is None:
        return "added" if before is None else "deleted"
    return "renamed" if before.path != after.path else "modified"


def _lines(data: bytes) -> list[bytes]:
    """The lines with their ends; only a line feed ends a line, as for git."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _hunks(found: Sequence[Change], old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[Hunk]:
    for group in groups(found, context=CONTEXT):
        first, last = group[0], group[-1]
        before = min(CONTEXT, first.i1)
        after = min(CONTEXT, len(old) - last.i2)
        i1, i2, j1, j2 = first.i1 - before, last.i2 + after, first.j1 - before, last.j2 + after
        header = f"@@ -{i1 + 1 if i2 > i1 else i1},{i2 - i1} +{j1 + 1 if j2 > j1 else j1},{j2 - j1} @@"
        yield Hunk(i1 + 1, j1 + 1, header, tuple(_hunk_lines(group, (i1, i2, j1), old, new)))


def _hunk_lines(
    group: Sequence[Change], place: tuple[int, int, int], old: Sequence[bytes], new: Sequence[bytes]
) -> Iterator[DiffLine]:
    i, end, j = place
    for change in [*group, Change(end, end, 0, 0)]:
        for n in range(change.i1 - i):
            yield _line(" ", i + n + 1, j + n + 1, old[i + n])
        yield from (_line("-", n + 1, 0, old[n]) for n in range(change.i1, change.i2))
        yield from (_line("+", 0, n + 1, new[n]) for n in range(change.j1, change.j2))
        i, j = change.i2, change.j2


def _line(kind: Literal[" ", "+", "-"], old_no: int, new_no: int, line: bytes) -> DiffLine:
    bare = not line.endswith(b"\n")
    return DiffLine(kind, old_no, new_no, line.decode("utf-8", "replace").removesuffix("\n"), bare)
