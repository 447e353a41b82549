"""Addresses of pages, built in one place: pure functions from names to quoted paths below the hub's address."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote as _quote
from urllib.parse import urlencode

from glasshub.index.rows import ThreadRow

FIRST_PAGE = 100  # models on one page of a leaderboard


def quote(text: str, safe: str = "/") -> str:
    """Quoted for a path; bytes of names that are not UTF-8 stay what they are."""
    return _quote(text, safe=safe, errors="surrogateescape")


def tree_url(repo_path: str, rev: str, path: str = "") -> str:
    """The page of a folder; ``repo_path`` is ``Repo.path``, ``rev`` a branch, tag, ``refs/...`` or commit id."""
    return _below(repo_path, "tree", rev, path)


def blob_url(repo_path: str, rev: str, path: str) -> str:
    """The page of a file."""
    return _below(repo_path, "blob", rev, path)


def edit_url(repo_path: str, rev: str, path: str) -> str:
    """The form to edit a file."""
    return _below(repo_path, "edit", rev, path)


def new_file_url(repo_path: str, rev: str, folder: str = "") -> str:
    """The form for a new file in a folder."""
    return _below(repo_path, "new-file", rev, folder)


def resolve_url(repo_path: str, rev: str, path: str) -> str:
    """The bytes of a file, as the stock clients fetch them."""
    return _below(repo_path, "resolve", rev, path)


def commits_url(repo_path: str, rev: str, path: str = "") -> str:
    """The history of a revision, or of one file or folder in it."""
    return _below(repo_path, "commits", rev, path)


def commit_url(repo_path: str, id: str) -> str:
    """The page of one commit."""
    return f"{quote(repo_path)}/commit/{quote(id, safe='')}"


@lru_cache(maxsize=4096)
def dataset_url(dataset_id: str, task_id: str = "") -> str:
    """The page of a dataset, with one of its tasks chosen."""
    return with_query(f"/datasets/{quote(dataset_id)}", task=task_id)


@lru_cache(maxsize=4096)  # a benchmark may have two thousand tasks, each with a link
def leaderboard_url(
    dataset_id: str, task_id: str, *, model: str = "", base_model: str = "", size: str = "", cursor: str = ""
) -> str:
    """The full leaderboard of a task; ``model`` (``namespace/name``) asks for every report of one model.

    ``size`` leaves out models by their number of parameters, such as ``max:7B``.
    """
    path = f"/datasets/{quote(dataset_id)}/leaderboard"
    return with_query(path, task=task_id, model=model, base_model=base_model, num_parameters=size, cursor=cursor)


def standing_url(dataset_id: str, task_id: str, model_key: str, model_id: str, rank: int, derived: bool) -> str:
    """Where a model stands: its row on the leaderboard's first page, or its reports when it stands further down."""
    if rank > FIRST_PAGE:
        return leaderboard_url(dataset_id, task_id, model=model_id)
    return f"{leaderboard_url(dataset_id, task_id, base_model='all' if derived else '')}#board-{model_key}"


def thread_url(row: ThreadRow) -> str:
    """Where to read a thread of the inbox: at the event that is told of, as far as it is a comment."""
    path = f"/{row.repo_id}" if row.repo_type == "model" else f"/datasets/{row.repo_id}"
    if not row.number:
        return f"{quote(path)}/evaluations/history"
    anchor = f"#comment-{row.event_id}" if row.event in ("opened", "commented") else ""
    return f"{quote(path)}/discussions/{row.number}{anchor}"


def with_query(path: str, /, **query: str | int | Sequence[str] | None) -> str:
    """``path`` with the parameters that are not empty, tuples as repeated keys."""
    text = urlencode([(key, value) for key, value in query.items() if value], doseq=True, safe="/:")
    return f"{path}?{text}" if text else path


def _below(repo_path: str, verb: str, rev: str, path: str) -> str:
    tail = f"/{quote(path)}" if path else ""
    return f"{quote(repo_path)}/{verb}/{quote(rev)}{tail}"
