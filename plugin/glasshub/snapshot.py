"""Reading one repo from git into the form that the index takes. What cannot be read becomes a problem."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dulwich.errors import ChecksumMismatch, FileFormatException, NotCommitError
from dulwich.repo import Repo as GitRepo

from glasshub.cards import Card, parse_card
from glasshub.errors import EntryNotFound, GlasshubError
from glasshub.evals import eval_yaml
from glasshub.evals.eval_results import FOLDER, is_result_path, parse_result_file
from glasshub.evals.eval_yaml import ParsedBenchmark, parse_eval_yaml
from glasshub.evals.problems import Problem
from glasshub.git import reach, read
from glasshub.git.read import TreeEntry
from glasshub.index.snapshot import FileResult, Observed, RepoSnapshot

MAIN = "refs/heads/main"
INDEXED_REFS = ("refs/heads/", "refs/tags/")
CARD = "README.md"
MAX_CARD_BYTES = 1024 * 1024
MAX_FILE_BYTES = 1024 * 1024
MAX_RESULT_FILES = 5000
MAX_RESULT_BYTES = 8 * 1024 * 1024

# What damaged or missing objects raise. Failures of the disk (OSError) are not among them: they pass.
DAMAGE = (GlasshubError, KeyError, ValueError, AssertionError, zlib.error, FileFormatException, ChecksumMismatch,
           NotCommitError)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownCommits:
    """The commits that a dataset's branches and tags led to when it was indexed last, and those tips' targets."""

    targets: frozenset[str] = frozenset()
    commits: frozenset[str] = frozenset()


def list_refs(path: Path) -> dict[str, str]:
    """The refs that the index follows: branches and tags, name -> target; none if the repository is missing."""
    try:
        with read.open_repo(path) as repo:
            refs = read.list_refs(repo)
    except GlasshubError:
        return {}
    return {_printable(name): target for name, target in refs.items() if name.startswith(INDEXED_REFS)}


def take(key: str, observed: Observed, known: KnownCommits) -> RepoSnapshot:
    """Read everything of one repo that the index keeps.

    Args:
        key: the repo's key.
        observed: where it is, and its registry facts and refs; the refs are those that are read.
        known: for datasets, to walk only new commits.

    Raises:
        OSError: the disk failed; nothing can be said about the repo now.
    """
    empty = RepoSnapshot(key, observed, last_modified=observed.facts.created_at)
    try:
        with read.open_repo(observed.git_dir) as repo:
            return _read(repo, empty, known)
    except DAMAGE as error:
        return replace(empty, problems=(_damaged(error),))


def _read(repo: GitRepo, snap: RepoSnapshot, known: KnownCommits) -> RepoSnapshot:
    refs = snap.observed.refs
    if snap.observed.facts.type == "dataset":
        snap = replace(snap, commits=_commits(repo, snap, known))
    if MAIN not in refs:
        return snap
    head = read.commit(repo, refs[MAIN])
    card = _card(repo, head.id)
    snap = replace(snap, head=head.id, last_modified=head.date, card=card, problems=card.problems)
    return _with_results(repo, snap) if snap.observed.facts.type == "model" else _with_benchmark(repo, snap)


def _commits(repo: GitRepo, snap: RepoSnapshot, known: KnownCommits) -> frozenset[str]:
    starts = reach.tips(repo, snap.observed.refs.values())
    return reach.reachable(repo, starts, known_starts=reach.tips(repo, known.targets), known=known.commits)


def _card(repo: GitRepo, head: str) -> Card:
    try:
        return parse_card(read.read_file(repo, head, CARD, limit=MAX_CARD_BYTES), path=CARD)
    except EntryNotFound:
        return Card()
    except DAMAGE as error:
        return Card(problems=(_problem(CARD, error),))


def _with_benchmark(repo: GitRepo, snap: RepoSnapshot) -> RepoSnapshot:
    parsed = _benchmark(repo, snap)
    return replace(snap, benchmark=parsed.spec, problems=snap.problems + parsed.problems)


def _benchmark(repo: GitRepo, snap: RepoSnapshot) -> ParsedBenchmark:
    try:
        data = read.read_file(repo, snap.head, eval_yaml.PATH, limit=MAX_FILE_BYTES)
    except EntryNotFound:
        return ParsedBenchmark(None)
    except DAMAGE as error:
        return ParsedBenchmark(None, (_problem(eval_yaml.PATH, error),))
    return parse_eval_yaml(data, repo_id=snap.observed.facts.repo_id)


def _with_results(repo: GitRepo, snap: RepoSnapshot) -> RepoSnapshot:
    try:
        listed = read.list_tree(repo, snap.head, FOLDER)
    except EntryNotFound:
        return snap
    except DAMAGE as error:
        return replace(snap, problems=(*snap.problems, _problem(FOLDER, error)))
    entries, problems = _chosen(listed)
    changes = read.last_changes(repo, snap.head, [entry.path for entry in entries])
    results: list[FileResult] = []
    for entry in entries:
        try:
            parsed = parse_result_file(read.read_blob(repo, entry.oid, limit=MAX_FILE_BYTES), entry.path)
            commit = changes[entry.path]
        except DAMAGE as error:
            problems.append(_problem(entry.path, error))
            continue
        problems += parsed.problems
        results += [FileResult(found, commit.id, commit.date, commit.author_name) for found in parsed.entries]
    return replace(snap, results=tuple(results), problems=(*snap.problems, *problems))


def _chosen(listed: list[TreeEntry]) -> tuple[list[TreeEntry], list[Problem]]:
    """The result files that are read, within the limits on number and size, and why others are not."""
    files = [entry for entry in listed if entry.kind == "file" and is_result_path(entry.path)]
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
            path = _printable(entry.path)
            yield Problem(path, 1, 1, "The file's name has unprintable characters. Rename it.")


def _printable(text: str) -> str:
    # Bytes that are not UTF-8 arrive as lone surrogates, which no database or page can take.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _problem(path: str, error: Exception) -> Problem:
    reason = error.message if isinstance(error, GlasshubError) else f"It cannot be read ({type(error).__name__})."
    return Problem(path, 1, 1, reason)


def _damaged(error: Exception) -> Problem:
    reason = error.message if isinstance(error, GlasshubError) else type(error).__name__
    return Problem("", 0, 0, f"The repository cannot be read ({reason}). Ask an admin to run glasshub check.")
