"""What clients ask before they commit: how each file is to be sent."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Any

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, Response, jsonify

from glasshub.blobs.pointer import parse_pointer
from glasshub.config import Settings
from glasshub.errors import EntryNotFound, Invalid, TooLarge
from glasshub.git.ignore import MAX_CHARACTERS, Ignore
from glasshub.git.lfs_rules import LfsRules, rules_at
from glasshub.git.pointers import pointer_at
from glasshub.git.read import entry, open_repo, read_file
from glasshub.web.api.arguments import KIND, api_repo
from glasshub.web.api.commit_target import find_target, find_tip
from glasshub.web.api.json_body import json_body
from glasshub.web.context import hub

bp = Blueprint("api_preupload", __name__)
INLINE_BYTES = 10 * 1024**2  # larger files do not go into git
MOST_FILES = 1000  # in one preupload; stock clients ask about 256
_GIT_IGNORE = ".gitignore"
_SAMPLE = 4096  # characters of base64


@dataclass(frozen=True, slots=True)
class Asked:
    """A file that is to be sent, and its first bytes."""

    path: str
    size: int
    sample: bytes


@bp.post(f"/api/{KIND}/<ns>/<name>/preupload/<path:revision>")
def preupload(kind: str, ns: str, name: str, revision: str) -> Response:
    """How each file is to be sent, whether ``.gitignore`` excludes it, and the id of what is there now.

    Text goes inside the commit (``regular``). What ``.gitattributes`` gives to Git LFS, what is large, and what is
    binary by git's own rule (a NUL near its begin) is brought by Xet or Git LFS first.
    """
    repo, body = api_repo(kind, ns, name), json_body()
    ref = find_target(repo, revision)
    asked = [_asked(item) for item in _files(body.fields.get("files"))]
    given = body.text("gitIgnore", "")
    with open_repo(hub().git_dir(repo)) as git:
        tip = find_tip(git, ref)
        ignore, rules = Ignore(given or _stored_rules(git, tip)), rules_at(git, tip)
        items = [
            {
                "path": file.path,
                "uploadMode": _mode(hub().settings, rules, file),
                "shouldIgnore": ignore.excludes(file.path),
                "oid": _oid(git, tip, file.path),
            }
            for file in asked
        ]
    return jsonify({"files": items})


def _files(files: Any) -> list[dict[str, Any]]:
    if not isinstance(files, list) or len(files) > MOST_FILES or not all(isinstance(item, dict) for item in files):
        raise Invalid(f"Send files as a list of at most {MOST_FILES:,} objects with path and size.")
    return files


def _asked(item: dict[str, Any]) -> Asked:
    path, size, sample = item.get("path"), item.get("size", 0), item.get("sample")
    if not isinstance(path, str) or not 0 < len(path) <= 4096 or type(size) is not int or size < 0:
        raise Invalid("Each file has a path, and a size in bytes.")
    return Asked(path, size, _decoded(sample) if isinstance(sample, str) else b"")


def _decoded(sample: str) -> bytes:
    try:
        return binascii.a2b_base64(sample[:_SAMPLE].encode("ascii", "replace"))
    except binascii.Error as error:
        raise Invalid("The sample of a file is its first bytes as base64.") from error


def _mode(settings: Settings, rules: LfsRules, file: Asked) -> str:
    most = settings.max_file_bytes
    if file.size > most:
        raise TooLarge(f"{file.path} has {file.size:,} bytes; at most {most:,} are taken (max_file_bytes).")
    if file.size > min(INLINE_BYTES, settings.max_commit_bytes // 4 * 3) or b"\0" in file.sample:
        return "lfs"
    if not file.size or (file.size == len(file.sample) and parse_pointer(file.sample)):
        return "regular"  # git-lfs too lets pointers be what they are
    return "lfs" if rules.cover(file.path) else "regular"


def _stored_rules(git: GitRepo, tip: str) -> str:
    try:
        return read_file(git, tip, _GIT_IGNORE, limit=MAX_CHARACTERS).decode("utf-8", "replace") if tip else ""
    except (EntryNotFound, TooLarge):
        return ""


def _oid(git: GitRepo, tip: str, path: str) -> str | None:
    """What clients compare with their own file: the blob's id, or the SHA-256 of a large file."""
    try:
        found = entry(git, tip, path) if tip else None
    except EntryNotFound:
        return None
    if found is None or found.kind != "file":
        return None
    pointer = pointer_at(git, found)
    return pointer.sha256 if pointer else found.oid
