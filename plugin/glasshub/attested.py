"""What git knows of attestations: contents by digest, commits in a history, and what the hub's record says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo as GitRepo

from glasshub.errors import EntryNotFound
from glasshub.git import read
from glasshub.git.ancestry import lookup
from glasshub.git.squashed import merge_base
from glasshub.index.snapshot import FileResult, Recorded
from glasshub.verify import record
from glasshub.verify.digests import TreeFile, content_sha256
from glasshub.verify.keys import parse_jwks
from glasshub.verify.token import peek


def content_of(repo: GitRepo, commit: str) -> str:
    """The digest of a repo's content at a commit (:func:`glasshub.verify.digests.content_sha256`)."""
    entries = read.list_tree(repo, commit, recursive=True)
    return content_sha256(TreeFile(e.path, e.mode, e.oid) for e in entries if e.kind != "directory")


def with_commits(repo: GitRepo, results: Iterable[FileResult], heads: Mapping[int, str]) -> Iterator[FileResult]:
    """The results; those with a token know whether the commit that it names is in the history they stand in.

    Args:
        repo: the model's repository.
        results: its results.
        heads: the commit that each pull request is at, and under 0 that of ``main``.
    """
    known: dict[tuple[str, str], bool] = {}
    for result in results:
        if result.entry.verify_token:
            pair = (peek(result.entry.verify_token), heads.get(result.pull, ""))
            if pair not in known:
                known[pair] = is_in_history(repo, *pair)
            result = replace(result, commit_known=known[pair])
        yield result


def is_in_history(repo: GitRepo, commit: str, head: str) -> bool:
    """Whether a commit is ``head`` or one before it, through squashed histories too."""
    if not commit or not head:
        return False
    if not isinstance(lookup(repo.object_store, ObjectID(commit.encode("ascii"))), Commit):
        return False
    return merge_base(repo, commit, head) == commit


def read_record(repo: GitRepo, commit: str) -> Recorded:
    """Keys and runs in the hub's own record.

    Raises:
        Invalid: it is damaged.
    """
    entries = read.list_tree(repo, commit, recursive=True)
    pages = sorted(entry.path for entry in entries if entry.kind == "file" and record.is_runs_path(entry.path))
    lines = [line for path in pages for line in record.parse(read.read_file(repo, commit, path))]
    try:
        keys = parse_jwks(read.read_file(repo, commit, record.KEYS_PATH))
    except EntryNotFound:
        keys = {}
    return Recorded(tuple(keys.values()), record.issued(lines))
