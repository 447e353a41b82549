"""How much room a repo takes, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from glasshub import large_files
from glasshub.git.pointers import pointers_among
from glasshub.git.read import list_tree, open_repo
from glasshub.index.rows import RepoRow
from glasshub.web.context import hub


def used_storage(key: str) -> int:
    """All bytes that the repo keeps: its git objects as they lie on the disk, and its large files."""
    objects = hub().settings.repos_dir / key[:2] / f"{key}.git" / "objects"
    kept = 0
    for file in objects.rglob("*"):
        with suppress(FileNotFoundError):  # packed away meanwhile
            kept += file.stat().st_size if file.is_file() else 0
    return kept + large_files.total_size(hub(), key)


def _main_size(row: RepoRow) -> int | None:
    """All bytes of the files on ``main``."""
    if not row.head:
        return None
    with open_repo(hub().settings.repos_dir / row.key[:2] / f"{row.key}.git") as git:
        files = [entry for entry in list_tree(git, row.head, recursive=True) if entry.kind == "file"]
        pointers = pointers_among(git, files)
    return sum(pointers[file.oid].size if file.oid in pointers else file.size for file in files)


STORAGE_FIELDS: dict[str, Callable[[RepoRow], Any]] = {
    "usedStorage": lambda row: used_storage(row.key),
    "mainSize": _main_size,
}
