"""The payload of webhooks, version 3, as receivers of the Hugging Face Hub know it. Pure.

Accounts have no numbers here: where the payload wants the id of an owner or author, it is their name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from glasshub.conversation import Comment, Discussion
from glasshub.identity import Repo

VERSION = 3
ZERO = "0" * 40


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: the payload without the webhook, and the discussion that it is about (0: none)."""

    action: str
    scope: str
    payload: Mapping[str, Any]
    number: int = 0

    @property
    def domain(self) -> str:
        """``repo`` or ``discussion``: what webhooks choose by."""
        return self.scope.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Subject:
    """The repo that notices are about, ``main``'s commit (``""`` when it is empty), and the hub's address."""

    repo: Repo
    head: str
    base_url: str

    def notice(self, action: str, scope: str, *, number: int = 0, **more: Any) -> Notice:
        """A notice about this repo; ``more`` is what else the payload holds."""
        event = {"action": action, "scope": scope}
        return Notice(action, scope, {"event": event, "repo": self._json(), **more}, number)

    def discussion(self, found: Discussion) -> dict[str, Any]:
        """A discussion or pull request."""
        opening = next(iter(found.comments), "")
        said: dict[str, Any] = {
            "id": opening,
            "num": found.number,
            "title": found.title,
            "status": found.status,
            "isPullRequest": found.is_pull,
            "pinned": found.pinned,
            "author": {"id": found.author},
            "url": self._urls(f"/discussions/{found.number}"),
        }
        if found.is_pull:
            merge = {"mergeCommitId": found.merge.commit} if found.merge else {}
            said["changes"] = {"base": found.base, **merge}
        return said

    def comment(self, found: Discussion, comment: Comment) -> dict[str, Any]:
        """A comment; what is hidden or erased is told without its text."""
        said: dict[str, Any] = {
            "id": comment.id,
            "author": {"id": comment.author},
            "hidden": comment.hidden or comment.erased,
            "url": {"web": f"{self.base_url}{self.repo.path}/discussions/{found.number}#comment-{comment.id}"},
        }
        if not said["hidden"]:
            said["content"] = comment.body
        return said

    def _json(self) -> dict[str, Any]:
        repo = self.repo
        said: dict[str, Any] = {
            "type": repo.type,
            "name": repo.repo_id,
            "id": repo.key,
            "private": repo.private,
            "owner": {"id": repo.namespace},
            "url": self._urls(""),
        }
        if self.head:
            said["headSha"] = self.head
        return said

    def _urls(self, below: str) -> dict[str, str]:
        repo = self.repo
        return {
            "web": f"{self.base_url}{repo.path}{below}",
            "api": f"{self.base_url}/api/{repo.type}s/{repo.repo_id}{below}",
        }


def updated_ref(ref: str, old: str, new: str) -> dict[str, str | None]:
    """A ref that moved; no commit (``""`` or zeros) is ``None``."""
    return {"ref": ref, "oldSha": _commit(old), "newSha": _commit(new)}


def _commit(oid: str) -> str | None:
    return oid if oid and oid != ZERO else None
