"""Reading the result files of one revision from git, within limits. What cannot be read becomes a problem."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from cachetools import LRUCache, cached
from dulwich.errors import ChecksumMismatch, FileFormatException, NotCommitError
from dulwich.repo import Repo as GitRepo

from glasshub.errors import EntryNotFound, GlasshubError
from glasshub.evals.eval_results import FOLDER, ResultEntry, is_result_path, parse_result_file
from glasshub.evals.problems import Problem
from glasshub.evals.result_id import result_id
from glasshub.git import read
from glasshub.git.read import TreeEntry
from glasshub.index.snapshot import FileResult

MAX_FILE_BYTES = 1024 * 1024
MAX_RESULT_FILES = 5000
MAX_RESULT_BYTES = 8 * 1024 * 1024
REMEMBERED = 20_000  # results in one process
NO_NAME = "(no name)"

# What damaged or missing objects raise. Failures of the disk (OSError) are not among them: they pass.
DAMAGE = (GlasshubError, KeyError, ValueError, AssertionError, zlib.error, FileFormatException, ChecksumMismatch,
           NotCommitError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """The results of one revision in file order, and what is wrong with the files."""

    results: tuple[FileResult, ...] = ()
    problems: tuple[Problem, ...] = ()


class FileIds(NamedTuple):
    """The ids of the results in one file, and whether all of it could be read."""

    ids: tuple[str, ...]
    whole: bool


class _Parsed(NamedTuple):
    entries: tuple[tuple[ResultEntry, str], ...]  # each with its id
    problems: tuple[Problem, ...]


def list_result_files(repo: GitRepo, commit: str) -> list[TreeEntry]:
    """The files at ``commit`` that hold results, in tree order."""
    try:
        listed = read.list_tree(repo, commit, FOLDER)
    except EntryNotFound:
        return []
    return [entry for entry in listed if entry.kind == "file" and is_result_path(entry.path)]


def _key(repo: GitRepo, commit: str, *, only: Collection[str] | None = None) -> tuple[str, str, frozenset[str] | None]:
    return repo.path, commit, None if only is None else frozenset(only)


# What a commit holds never changes, and every event in a repo asks for it again; so it is remembered, within limits.
@cached(LRUCache(REMEMBERED, getsizeof=lambda files: 1 + len(files.results)), key=_key, lock=Lock())
def read_results(repo: GitRepo, commit: str, *, only: Collection[str] | None = None) -> ResultFiles:
    """Read the result files at a commit.

    Args:
        repo: the repository.
        commit: a commit id.
        only: paths to read (all by default).
    """
    try:
        listed = list_result_files(repo, commit)
    except DAMAGE as error:
        return ResultFiles((), (problem_of(FOLDER, error),))
    entries, problems = _chosen([entry for entry in listed if only is None or entry.path in only])
    changes = read.last_changes(repo, commit, [entry.path for entry in entries], through_squashes=True)
    results: list[FileResult] = []
    for entry in entries:
        try:
            parsed = _parse(repo, entry)
            changed = changes[entry.path]
        except DAMAGE as error:
            problems.append(problem_of(entry.path, error))
            continue
        problems += parsed.problems
        author = changed.author_name or NO_NAME
        results += [
            FileResult(found, id, changed.id, changed.date, "", git_author=author) for found, id in parsed.entries
        ]
    return ResultFiles(tuple(results), tuple(problems))


def read_ids(repo: GitRepo, commit: str) -> dict[str, FileIds]:
    """The ids of the results at a commit (``""``: none), by file. What is damaged holds none that could be shown."""
    try:
        listed = list_result_files(repo, commit) if commit else []
    except DAMAGE:
        return {}
    found = {entry.path: FileIds((), False) for entry in listed}
    for entry in _chosen(listed)[0]:
        try:
            parsed = _parse(repo, entry)
        except DAMAGE:
            continue
        whole = all(problem.severity != "error" for problem in parsed.problems)
        found[entry.path] = FileIds(tuple(id for _, id in parsed.entries), whole)
    return found


def problem_of(path: str, error: Exception) -> Problem:
    """The problem that a file cannot be read."""
    reason = error.message if isinstance(error, GlasshubError) else f"It cannot be read ({type(error).__name__})."
    return Problem(path, 1, 1, reason)


def printable(text: str) -> str:
    """Bytes that are not UTF-8 arrive as lone surrogates, which no database or page can take: shown as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _same_file(_repo: GitRepo, entry: TreeEntry) -> tuple[str, str]:
    return entry.oid, entry.path


# A push is read before its refs move and again for the index, and most files stay as they were.
@cached(LRUCache(REMEMBERED, getsizeof=lambda parsed: 1 + len(parsed.entries)), key=_same_file, lock=Lock())
def _parse(repo: GitRepo, entry: TreeEntry) -> _Parsed:
    parsed = parse_result_file(read.read_blob(repo, entry.oid, limit=MAX_FILE_BYTES), entry.path)
    return _Parsed(tuple((found, result_id(found)) for found in parsed.entries), parsed.problems)


def _chosen(files: list[TreeEntry]) -> tuple[list[TreeEntry], list[Problem]]:
    """The result files that are read, within the limits on number and size, and why others are not."""
    chosen: list[TreeEntry] = []
    problems = list(_unnameable(files))
    total = 0
    for entry in files:
        total += entry.size
        if len(chosen) == MAX_RESULT_FILES or total > MAX_RESULT_BYTES:
            limits = f"{MAX_RESULT_FILES:,} files and {MAX_RESULT_BYTES // 1024**2} MB"
            problems.append(
                Problem(entry.path, 1, 1, f"This file and those after it are not read: a model may have {limits} here.")
            )
            break
        if entry.path.isprintable():
            chosen.append(entry)
    return chosen, problems


def _unnameable(files: list[TreeEntry]) -> Iterator[Problem]:
    for entry in files:
        if not entry.path.isprintable():
            yield Problem(printable(entry.path), 1, 1, "The file's name has unprintable characters. Rename it.")
