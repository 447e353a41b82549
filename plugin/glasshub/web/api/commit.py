"""Commits by clients."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify

from glasshub import edits, large_files
from glasshub.blobs.pointer import MAX_POINTER, Pointer, is_sha256, parse_pointer
from glasshub.edits import Edit
from glasshub.errors import Invalid, TooLarge
from glasshub.git.blob_pack import BlobPack
from glasshub.git.build import Delete, Operation, Place
from glasshub.git.lfs_rules import LfsRules, rules_at
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import open_repo
from glasshub.identity import Repo
from glasshub.web.api.arguments import KIND, api_repo, flag
from glasshub.web.api.commit_lines import CommitLines, Content
from glasshub.web.api.commit_target import find_target, find_tip
from glasshub.web.body import counted_body, push_limits
from glasshub.web.context import actor, hub, public_url

bp = Blueprint("api_commit", __name__)
MOST_OPERATIONS = 20_000  # in one commit
_PARENT = re.compile(r"[0-9a-f]{5,40}")


@bp.post(f"/api/{KIND}/<ns>/<name>/commit/<path:revision>")
def commit(kind: str, ns: str, name: str, revision: str) -> Response:
    """Commit to a branch or a pull request, or with ``create_pr=1`` open one."""
    repo, who, settings = api_repo(kind, ns, name), actor(), hub().settings
    ref = find_target(repo, revision)
    path = hub().git_dir(repo)
    with open_repo(path) as git, Quarantine(git) as incoming, BlobPack(settings.data) as pack:
        reader = _Reader(repo, rules_at(git, find_tip(git, ref)), pack)
        edit = reader.read(CommitLines(counted_body(), settings.max_commit_bytes, settings.data))
        pack.deliver(incoming, push_limits(settings))
        if flag("create_pr"):
            made = edits.propose(hub(), repo, who, edit, incoming=incoming)
        else:
            made = edits.commit(hub(), repo, who, edit, ref=ref, incoming=incoming)
    base = f"{public_url()}{repo.path}"
    answer = {"success": True, "commitOid": made.commit, "commitUrl": f"{base}/commit/{made.commit}"}
    if made.pull:
        answer["pullRequestUrl"] = f"{base}/discussions/{made.pull}"
    return jsonify(answer)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the lines of a commit; contents go to the pack, or to the large files, as they come."""

    repo: Repo
    rules: LfsRules
    pack: BlobPack

    def read(self, lines: CommitLines) -> Edit:
        """All lines."""
        header: dict[str, Any] | None = None
        operations: list[Operation] = []
        for key, value, content in lines:
            if header is None:
                header = _header(key, value)
                continue
            operations.append(self._operation(key, value, content))
            if len(operations) > MOST_OPERATIONS:
                raise TooLarge(f"A commit may change at most {MOST_OPERATIONS:,} files. Make several commits.")
        if header is None:
            raise Invalid("The commit is empty. Its first line is a header with a summary.")
        return Edit(operations, **header)

    def _operation(self, key: str, value: dict[str, Any], content: Content | None) -> Operation:
        path = value.get("path")
        if not isinstance(path, str) or not path:
            raise Invalid(f"An operation of the commit ({key[:40]}) has no path.")
        if key == "file":
            if content is None:
                raise Invalid(f"The file {path[:200]!r} has no content.")
            return self._file(path, content)
        if key in ("deletedFile", "deletedFolder"):
            return Delete(path)
        if key == "lfsFile":
            return self._place(path, _pointer(self.repo, path, value))
        raise Invalid(f"Unknown operation {key[:40]!r}: a commit knows file, lfsFile, deletedFile and deletedFolder.")

    def _file(self, path: str, content: Content) -> Operation:
        """A file within the commit; of what Git LFS is to keep, the pointer, as git itself would commit it."""
        if not content.size or not self.rules.cover(path) or _is_pointer(content):
            return Place(path, self.pack.add(content.size, content.pieces()))
        digest = hashlib.sha256()
        for piece in content.pieces():
            digest.update(piece)
        pointer = Pointer(digest.hexdigest(), content.size)
        large_files.require_may_add(hub(), actor(), self.repo, pointer.size)
        large_files.receive(hub(), self.repo, actor().name or "", pointer, content.stream())
        return self._place(path, pointer)

    def _place(self, path: str, pointer: Pointer) -> Operation:
        text = pointer.text()
        return Place(path, self.pack.add(len(text), [text]))


def _is_pointer(content: Content) -> bool:
    return content.size <= MAX_POINTER and parse_pointer(b"".join(content.pieces())) is not None


def _header(key: str, value: dict[str, Any]) -> dict[str, Any]:
    said = [value.get("summary"), value.get("description") or "", value.get("parentCommit") or ""]
    if key != "header" or not all(isinstance(text, str) for text in said):
        raise Invalid("The first line of a commit is a header with a summary, maybe a description and a parentCommit.")
    summary, description, parent = said
    parent = str(parent).lower()
    if parent and not _PARENT.fullmatch(parent):
        raise Invalid("parentCommit is a commit id, or at least its first five digits.")
    return {"summary": summary, "description": description, "parent": parent}


def _pointer(repo: Repo, path: str, value: dict[str, Any]) -> Pointer:
    """The pointer to a file whose content was brought before. Copies are sent without the size."""
    oid, size = value.get("oid"), value.get("size")
    if not isinstance(oid, str) or not is_sha256(oid) or value.get("algo", "sha256") != "sha256":
        raise Invalid(f"The oid of {path[:200]!r} must be the SHA-256 of its content.")
    if size is None:
        size = large_files.size(hub(), repo, oid)
        if size is None:
            raise Invalid(f"{repo.repo_id} does not have the content of {path[:200]!r}. Upload it, then commit again.")
    if type(size) is not int or size < 0:
        raise Invalid(f"The size of {path[:200]!r} must be a number of bytes.")
    return Pointer(oid, size)
