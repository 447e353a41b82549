"""A benchmark's task and data at a commit, read from git: what a run was asked, and what attestations are bound to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from dulwich.repo import Repo as GitRepo

from glasshub import attested, large_files
from glasshub.blobs.pointer import Pointer, parse_pointer
from glasshub.cards import parse_card
from glasshub.errors import EntryNotFound, Invalid, NotFound, TooLarge
from glasshub.evals import eval_yaml
from glasshub.evals.eval_yaml import Task, parse_eval_yaml
from glasshub.git import read
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.verify import digests
from glasshub.verify.rows import Row, card_entry, read_rows, split_files

MAX_DATA = 256 * 1024 * 1024  # bytes of the files of one split; they are read as a whole
_CARD = "README.md"
Content = Callable[[Pointer], Iterator[bytes]]
"""The bytes of a large file; raises ``NotFound`` when it is not there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a task asks at a commit: its entry in ``eval.yaml``, and the digests that attestations name."""

    task: Task
    eval_yaml_sha256: str
    data_sha256: str
    spec_sha256: str


def no_large_files(pointer: Pointer) -> Iterator[bytes]:
    """For repositories without a store beside them. Raises ``NotFound``."""
    raise NotFound(f"the large file {pointer.sha256} is not at hand")


def content(hub: Hub, repo: Repo) -> Content:
    """The large files of a repo of the hub."""
    return partial(large_files.stream, hub, repo)


def asked(git: GitRepo, commit: str, task_id: str) -> Asked:
    """The task at a commit.

    Raises:
        NotFound: the commit has no ``eval.yaml``, or that has no such task.
        Invalid: ``eval.yaml`` is none.
    """
    data = read.read_file(git, commit, eval_yaml.PATH, limit=eval_yaml.MAX_BYTES)
    parsed = parse_eval_yaml(data)
    if parsed.spec is None:
        raise Invalid(f"The eval.yaml of commit {commit[:7]} is not valid.")
    for task in parsed.spec.tasks:
        if task.id == task_id:
            return Asked(
                task,
                digests.sha256(data),
                attested.content_of(git, commit),
                digests.spec_sha256(task.spec, card_entry(_front_matter(git, commit), task.config)),
            )
    raise NotFound(f"The eval.yaml of commit {commit[:7]} has no task {task_id}.")


def rows_of(git: GitRepo, commit: str, config: str, split: str, content: Content = no_large_files) -> list[Row]:
    """The rows of a split at a commit, in the order in which runs number them.

    Args:
        git: the dataset's repository.
        commit: the commit.
        config: the config's name, and ``split`` the split's.
        content: gives the bytes of large files.

    Raises:
        Invalid: it cannot be told which files they are, or one cannot be read.
        NotFound: a large file is not at hand.
        TooLarge: the files are larger than is read.
    """
    entries = {e.path: e for e in read.list_tree(git, commit, recursive=True) if e.kind == "file"}
    rows: list[Row] = []
    left = MAX_DATA
    for path in split_files(list(entries), _front_matter(git, commit), config, split):
        data = _bytes(git, commit, path, content, left)
        left -= len(data)
        rows += read_rows(path, data)
    return rows


def _front_matter(git: GitRepo, commit: str) -> dict[str, Any]:
    try:
        return dict(parse_card(read.read_file(git, commit, _CARD, limit=1024 * 1024)).front_matter)
    except EntryNotFound:
        return {}


def _bytes(git: GitRepo, commit: str, path: str, content: Content, limit: int) -> bytes:
    data = read.read_file(git, commit, path, limit=limit)
    pointer = parse_pointer(data)
    if pointer is None:
        return data
    if pointer.size > limit:
        raise TooLarge(f"{path} is larger than the {limit:,} bytes that are read.")
    return b"".join(content(pointer))


def count_tasks(eval_yaml: bytes) -> int:
    """How many tasks a file has (0: it is none)."""
    parsed = parse_eval_yaml(eval_yaml)
    return len(parsed.spec.tasks) if parsed.spec else 0
