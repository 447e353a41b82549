"""Git LFS spoken by hand: what a client sends, and what it must not get."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx2

from tests.api.lab import Lab

TYPE = "application/vnd.git-lfs+json"
MULTIPART = ("basic", "multipart")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def batch(
    lab: Lab,
    who: str,
    repo: str,
    operation: str,
    data: bytes | tuple[str, int],
    transfers: tuple[str, ...] = ("basic",),
) -> httpx2.Response:
    """Ask what to do with one object: its content, or its hash and size."""
    oid, size = (sha256(data), len(data)) if isinstance(data, bytes) else data
    body = {"operation": operation, "transfers": list(transfers), "objects": [{"oid": oid, "size": size}]}
    return lab.http(who).post(f"/{repo}.git/info/lfs/objects/batch", json=body, headers={"Accept": TYPE})


def action(answer: httpx2.Response, name: str) -> dict[str, Any]:
    """One action of the only object of an answer."""
    return answer.json()["objects"][0]["actions"][name]


def bring(lab: Lab, who: str, repo: str, data: bytes) -> None:
    """Upload content to a repo, as git-lfs does before a push."""
    answer = batch(lab, who, repo, "upload", data)
    assert httpx2.put(action(answer, "upload")["href"], content=data, timeout=60).status_code == 200


def has(lab: Lab, who: str, repo: str, data: bytes) -> bool:
    """Whether somebody may download the content from a repo."""
    answer = batch(lab, who, repo, "download", data)
    return answer.status_code == 200 and "actions" in answer.json()["objects"][0]


def pointer(data: bytes) -> str:
    """The text that stands in git for this content."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(data)}\nsize {len(data)}\n"


def commit(lab: Lab, who: str, repo: str, path: str, data: bytes, **options: Any) -> None:
    """Bring content and commit a pointer to it."""
    bring(lab, who, repo, data)
    lab.api(who).upload_file(
        path_or_fileobj=pointer(data).encode(), path_in_repo=path, repo_id=repo, commit_message="Add", **options
    )
