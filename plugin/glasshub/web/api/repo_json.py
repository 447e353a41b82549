"""A repo as JSON: every field clients ask for, each computed only when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dulwich.repo import Repo as GitRepo

from glasshub import shown_results
from glasshub.blobs.pointer import Pointer
from glasshub.errors import Invalid
from glasshub.git.pointers import pointers_among
from glasshub.git.read import TreeEntry, list_tree, open_repo
from glasshub.identity import RepoType
from glasshub.index import queries
from glasshub.index.rows import RepoRow
from glasshub.web.api.arguments import see
from glasshub.web.api.model_json import MODEL_FIELDS
from glasshub.web.api.old_clients import knows_errors
from glasshub.web.api.results import eval_results_json
from glasshub.web.api.storage_json import STORAGE_FIELDS
from glasshub.web.context import hub

_COMMON_IN_LISTS = ("private", "createdAt", "lastModified", "likes", "downloads", "trendingScore", "tags")
_COMMON = ("author", "sha", "gated", "disabled", *_COMMON_IN_LISTS, "cardData", "siblings")
LIST_FIELDS: dict[RepoType, tuple[str, ...]] = {
    "model": (*_COMMON_IN_LISTS, "pipeline_tag", "library_name"),
    "dataset": (*_COMMON_IN_LISTS, "author", "description"),
}
FULL_FIELDS: dict[RepoType, tuple[str, ...]] = {
    "model": (*_COMMON, "pipeline_tag", "library_name", "model-index"),
    "dataset": (*_COMMON, "description"),
}
INFO_FIELDS: dict[RepoType, tuple[str, ...]] = {
    "model": (
        *FULL_FIELDS["model"], "config", "safetensors", "gguf", "transformersInfo", "mask_token", "widgetData",
        "spaces", "usedStorage",
    ),
    "dataset": (*FULL_FIELDS["dataset"], "usedStorage"),
}  # fmt: skip
COSTLY = frozenset({"siblings", "evalResults", "usedStorage", "mainSize", "baseModels", "childrenModelCount"})
"""Fields that take a look into each repo or at its results, so that pages of a list with them are short."""
# What may be asked for by name; fields of which this hub knows nothing are answered with null.
_EXPAND: dict[RepoType, tuple[str, ...]] = {
    "model": (
        "author", "baseModels", "cardData", "childrenModelCount", "config", "createdAt", "disabled", "downloads",
        "downloadsAllTime", "evalResults", "gated", "gguf", "inference", "inferenceProviderMapping", "lastModified",
        "library_name", "likes", "mask_token", "model-index", "pipeline_tag", "private", "resourceGroup",
        "safetensors", "sha", "siblings", "spaces", "tags", "transformersInfo", "trendingScore", "usedStorage",
        "widgetData",
    ),
    "dataset": (
        "author", "cardData", "citation", "createdAt", "description", "disabled", "downloads", "downloadsAllTime",
        "gated", "lastModified", "likes", "mainSize", "paperswithcode_id", "private", "resourceGroup", "sha",
        "siblings", "tags", "trendingScore", "usedStorage",
    ),
}  # fmt: skip
_FORMER = frozenset({"xetEnabled"})  # asked for by older clients only, and not named in errors
_SIMPLE: dict[str, Callable[[RepoRow], Any]] = {
    "author": lambda row: row.namespace,
    "sha": lambda row: row.head or None,
    "lastModified": lambda row: row.last_modified,
    "createdAt": lambda row: row.created_at,
    "private": lambda row: row.private,
    "gated": lambda row: row.gated or False,
    "disabled": lambda _: False,
    "xetEnabled": lambda _: True,
    "downloads": lambda row: row.downloads,
    "downloadsAllTime": lambda row: row.downloads_all_time,
    "likes": lambda row: row.likes,
    "trendingScore": lambda row: row.trending,
    "tags": lambda row: list(row.tags),
    "pipeline_tag": lambda row: row.pipeline_tag or None,
    "library_name": lambda row: row.library_name or None,
    "cardData": lambda row: dict(row.card) or None,
    "description": lambda row: row.excerpt or None,
    "model-index": lambda row: row.card.get("model-index"),
    "widgetData": lambda row: row.card.get("widget"),
    "paperswithcode_id": lambda row: row.card.get("paperswithcode_id"),
    "spaces": lambda _: [],
    "inferenceProviderMapping": lambda _: [],
    **MODEL_FIELDS,
    **STORAGE_FIELDS,
}


def expanded(type: RepoType, asked: Iterable[str]) -> tuple[str, ...]:
    """The fields asked for by ``expand``.

    Raises:
        Invalid: one is unknown; the message lists those there are, as clients expect.
    """
    fields = tuple(asked)
    known = _EXPAND[type]
    for field in fields:
        if field not in known and field not in _FORMER:
            names = "|".join(f'"{name}"' for name in known)
            raise Invalid(f'Invalid option: expected one of {names}, received "{field[:60]}" for expand.')
    return fields


def repo_json(row: RepoRow, fields: Iterable[str], *, commit: str = "", blobs: bool = False) -> dict[str, Any]:
    """The JSON of one repo.

    Args:
        row: its row in the index.
        fields: which fields beyond the ids.
        commit: the revision it is about (``main``'s head by default), for ``sha`` and ``siblings``.
        blobs: whether siblings tell sizes and ids.
    """
    commit = commit or row.head
    found: dict[str, Any] = {"_id": row.key, "id": row.repo_id}
    if row.type == "model":
        found["modelId"] = row.repo_id
    for field in fields:
        if field == "sha":
            found[field] = commit or None
        elif field == "siblings":
            found[field] = _siblings(row, commit, blobs=blobs)
        elif field == "evalResults":
            found[field] = eval_results(row.key)
        else:
            found[field] = _SIMPLE[field](row) if field in _SIMPLE else None
    return found


def eval_results(key: str) -> list[dict[str, Any]]:
    """The results of one model as this reader may see them."""
    db = hub().index.read()
    problems = queries.problems(db, key) if knows_errors() else []
    return eval_results_json(shown_results.of_model(hub(), see(), key), problems)


def _siblings(row: RepoRow, commit: str, *, blobs: bool) -> list[dict[str, Any]]:
    if not commit:
        return []
    path = hub().settings.repos_dir / row.key[:2] / f"{row.key}.git"
    with open_repo(path) as git_repo:
        return _files(git_repo, commit, blobs=blobs)


def _files(git_repo: GitRepo, commit: str, *, blobs: bool) -> list[dict[str, Any]]:
    entries = [item for item in list_tree(git_repo, commit, recursive=True) if item.kind in ("file", "symlink")]
    if not blobs:
        return [{"rfilename": item.path} for item in entries]
    pointers = pointers_among(git_repo, entries)
    return [_sibling(item, pointers.get(item.oid) if item.kind == "file" else None) for item in entries]


def _sibling(item: TreeEntry, pointer: Pointer | None) -> dict[str, Any]:
    found: dict[str, Any] = {"rfilename": item.path, "size": item.size, "blobId": item.oid}
    if pointer is None:
        return found
    said = lfs_json(item, pointer)
    return {**found, "size": pointer.size, "lfs": {**said, "sha256": pointer.sha256}}


def lfs_json(item: TreeEntry, pointer: Pointer) -> dict[str, Any]:
    """What a listing tells of a large file besides its path."""
    return {"oid": pointer.sha256, "size": pointer.size, "pointerSize": item.size}
