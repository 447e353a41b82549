"""The files that a commit or a pull request changed, as a page shows them: what fits, in one column or in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dulwich.repo import Repo as GitRepo
from flask import request

from glasshub.git.blob import blob_size
from glasshub.git.diff import FileChange
from glasshub.git.read import read_blob
from glasshub.web.pages import source
from glasshub.web.pages.pulls_diff import ShownFile, show_files

MOST_FILES = 200
MOST_BYTES = 1024**2  # larger files are not compared
MOST_LINES = 6_000  # of all files together; the rest are on pages of their own
FOLDED = 300  # lines of one file above which they are folded
NEVER = 10**9
_MOST_HIGHLIGHTED = 600_000  # bytes of source code for one page; lexing them takes about a second


@dataclass(frozen=True, slots=True)
class DiffPage:
    """What a page of differences shows.

    Attributes:
        files: the files, by path; with ``only`` just that one.
        count: how many changed in all, and ``more`` whether some are not listed.
        split: whether old and new stand side by side.
        only: the place of the one file that is shown, from 1 (0: all are).
        folded: lines of one file above which they are folded.
    """

    files: Sequence[ShownFile]
    count: int
    more: bool
    split: bool
    only: int
    folded: int


def asked_file() -> int | None:
    """The place (from 0) of the one file that the address asks for (``file=3``), ``None`` for all."""
    number = request.args.get("file", 0, type=int)
    return number - 1 if 0 < number <= MOST_FILES else None


def diff_page(git: GitRepo, changes: Sequence[FileChange], only: int | None) -> DiffPage:
    """The page of these changes; ``only`` as from :func:`asked_file`."""
    listed = changes[:MOST_FILES]
    chosen = listed if only is None else listed[only : only + 1]
    files = show_files(chosen, _texts(git, chosen), most_lines=MOST_LINES if only is None else None)
    split = request.args.get("view") == "split"
    folded = FOLDED if only is None else NEVER
    return DiffPage(
        files, len(changes), len(changes) > MOST_FILES, split, (only + 1 if only is not None else 0), folded
    )


def _texts(git: GitRepo, changes: Sequence[FileChange]) -> dict[str, str]:
    """The texts of the files that are to be highlighted, by blob id, as long as there is time for it."""
    found: dict[str, str] = {}
    left = _MOST_HIGHLIGHTED
    for oid in dict.fromkeys(oid for change in changes if change.hunks for oid in (change.old_id, change.new_id)):
        size = blob_size(git, oid) if oid else 0
        if 0 < size <= min(left, source.MOST_HIGHLIGHTED):
            found[oid] = read_blob(git, oid).decode("utf-8", "replace")
            left -= size
    return found
