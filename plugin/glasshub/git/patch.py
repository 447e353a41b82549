"""Changes as text that ``git apply`` takes (https://git-scm.com/docs/diff-generate-patch)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from glasshub.git.diff import FileChange, Hunk

MOST_CHARACTERS = 5_000_000
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_UNSAFE = re.compile(r'["\\\x00-\x1f\x7f\ud800-\udfff]')


def patch_text(changes: Sequence[FileChange], *, most: int = MOST_CHARACTERS) -> str:
    """The patch of these changes, in order.

    Binary and very large files, and those whose lines would make it longer than ``most`` characters, are named without
    their lines; such a patch can be read, but not applied.
    """
    pieces: list[str] = []
    length = 0
    for change in changes:
        head, body = "".join(_head(change)), "".join(_body(change))
        if length + len(body) > most:
            body = f"Files {_names(change)} differ (left out here)\n"
        pieces += (head, body)
        length += len(head) + len(body)
    return "".join(pieces)


def quoted(path: str) -> str:
    """A path as git writes it in a patch: in quotes when it has a character that could be taken for something else."""
    if not _UNSAFE.search(path):
        return path
    return f'"{_UNSAFE.sub(_escape, path)}"'


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in _ESCAPES:
        return _ESCAPES[char]
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))


def _head(change: FileChange) -> Iterator[str]:
    old_path = change.old_path or change.path
    yield f"diff --git {quoted(f'a/{old_path}')} {quoted(f'b/{change.path}')}\n"
    same_mode = change.old_mode == change.new_mode
    if change.kind == "added":
        yield f"new file mode {change.new_mode:06o}\n"
    elif change.kind == "deleted":
        yield f"deleted file mode {change.old_mode:06o}\n"
    elif not same_mode:
        yield f"old mode {change.old_mode:06o}\nnew mode {change.new_mode:06o}\n"
    if change.kind == "renamed":
        yield f"rename from {quoted(old_path)}\nrename to {quoted(change.path)}\n"
    if change.old_id != change.new_id:
        mode = f" {change.new_mode:06o}" if same_mode else ""
        yield f"index {change.old_id or '0' * 40}..{change.new_id or '0' * 40}{mode}\n"


def _body(change: FileChange) -> Iterator[str]:
    if change.old_id == change.new_id:
        return
    if change.submodule:
        yield from _submodule(change)
    elif change.binary:
        yield f"Binary files {_names(change)} differ\n"
    elif change.too_large:
        yield f"Files {_names(change)} differ (too large to compare here)\n"
    elif change.hunks:
        old, new = _sides(change)
        yield f"--- {old}\n+++ {new}\n"
        for hunk in change.hunks:
            yield from _hunk(hunk)


def _hunk(hunk: Hunk) -> Iterator[str]:
    yield f"{hunk.header}\n"
    for line in hunk.lines:
        yield f"{line.kind}{line.text}\n"
        if line.bare:
            yield "\\ No newline at end of file\n"


def _submodule(change: FileChange) -> Iterator[str]:
    old, new = _sides(change)
    yield f"--- {old}\n+++ {new}\n"
    yield f"@@ -{'1' if change.old_id else '0,0'} +{'1' if change.new_id else '0,0'} @@\n"
    if change.old_id:
        yield f"-Subproject commit {change.old_id}\n"
    if change.new_id:
        yield f"+Subproject commit {change.new_id}\n"


def _names(change: FileChange) -> str:
    return " and ".join(_sides(change))


def _sides(change: FileChange) -> tuple[str, str]:
    old = "/dev/null" if change.kind == "added" else quoted(f"a/{change.old_path}")
    new = "/dev/null" if change.kind == "deleted" else quoted(f"b/{change.path}")
    return old, new
