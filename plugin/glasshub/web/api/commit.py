"""Commits by clients: first what to do with each file (preupload), then the commit itself."""

from __future__ import annotations

import re
from typing import Any

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, Response, jsonify

from glasshub import access, edits, large_files
from glasshub.access import Action
from glasshub.blobs.pointer import Pointer, is_sha256
from glasshub.config import Settings
from glasshub.desk import MAIN, PULLS
from glasshub.edits import BRANCHES, Edit
from glasshub.errors import EntryNotFound, Invalid, RevisionNotFound, TooLarge
from glasshub.git.blob_pack import BlobPack
from glasshub.git.build import Delete, Operation, Place
from glasshub.git.ignore import MAX_CHARACTERS, Ignore
from glasshub.git.pointers import pointer_at
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import entry, list_refs, open_repo, read_file
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.web.api.arguments import KIND, api_repo, flag
from glasshub.web.api.commit_lines import CommitLines, Content
from glasshub.web.api.json_body import json_body
from glasshub.web.body import counted_body, push_limits
from glasshub.web.context import actor, hub, public_url

bp = Blueprint("api_commit", __name__)
INLINE_BYTES = 10 * 1024**2  # larger files do not go into git
MOST_FILES = 1000  # in one preupload; stock clients ask about 256
MOST_OPERATIONS = 20_000  # in one commit
_GIT_IGNORE = ".gitignore"
_PARENT = re.compile(r"[0-9a-f]{5,40}")


@bp.post(f"/api/{KIND}/<ns>/<name>/preupload/<path:revision>")
def preupload(kind: str, ns: str, name: str, revision: str) -> Response:
    """How each file is to be sent, whether ``.gitignore`` excludes it, and the id of what is there now.

    Small files go inside the commit (``regular``), large ones are brought by Xet or Git LFS first.
    """
    repo, body = api_repo(kind, ns, name), json_body()
    ref = _target(repo, revision)
    asked = [_asked(item) for item in _files(body.fields.get("files"))]
    given = body.text("gitIgnore", "")
    with open_repo(hub().git_dir(repo)) as git:
        tip = _tip(git, ref)
        ignore = Ignore(given or _stored_rules(git, tip))
        items = [
            {
                "path": path,
                "uploadMode": _mode(hub().settings, path, size),
                "shouldIgnore": ignore.excludes(path),
                "oid": _oid(git, tip, path),
            }
            for path, size in asked
        ]
    return jsonify({"files": items})


@bp.post(f"/api/{KIND}/<ns>/<name>/commit/<path:revision>")
def commit(kind: str, ns: str, name: str, revision: str) -> Response:
    """Commit to a branch or a pull request, or with ``create_pr=1`` open one."""
    repo, who, settings = api_repo(kind, ns, name), actor(), hub().settings
    ref = _target(repo, revision)
    path = hub().git_dir(repo)
    with open_repo(path) as git, Quarantine(git) as incoming, BlobPack(settings.data) as pack:
        _tip(git, ref)
        edit = _edit(repo, CommitLines(counted_body(), settings.max_commit_bytes, settings.data), pack)
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


def _target(repo: Repo, revision: str) -> str:
    """The ref that is to be committed to, if the caller may (asked again under the lock, but before files are sent)."""
    ref = revision if revision.startswith("refs/") else f"{BRANCHES}{revision}"
    if flag("create_pr"):
        access.require(actor(), Action.DISCUSS, repo)
        if not ref.startswith(BRANCHES):
            raise RevisionNotFound(f"Revision Not Found: {revision[:100]!r} is no branch to open a pull request to.")
    elif ref.startswith(PULLS):
        _require_may_push(repo, ref)
    else:
        access.require(actor(), Action.WRITE, repo)
    return ref


def _require_may_push(repo: Repo, ref: str) -> None:
    number = ref.removeprefix(PULLS)
    known = number.isascii() and number.isdigit() and len(number) < 10
    found = queries.discussion(hub().index.read(), repo.key, int(number)) if known else None
    if found is None or not found.is_pull:
        raise RevisionNotFound(f"Revision Not Found: there is no pull request {number[:40]!r} here.")
    access.require(actor(), Action.PUSH_PULL, repo, author=found.author)


def _tip(git: GitRepo, ref: str) -> str:
    """The commit of the ref (``""``: ``main`` of an empty repo, or a pull request without commits)."""
    tip = list_refs(git, ref).get(ref, "")
    if flag("create_pr") and tip and ref != MAIN:
        raise Invalid("Pull requests of this hub go to main. Open this one to main.")
    if not tip and not ref.startswith(PULLS) and (ref != MAIN or list_refs(git, BRANCHES)):
        raise RevisionNotFound(f"Revision Not Found: there is no branch {ref.removeprefix(BRANCHES)[:100]!r} here.")
    return tip


def _files(files: Any) -> list[dict[str, Any]]:
    if not isinstance(files, list) or len(files) > MOST_FILES or not all(isinstance(item, dict) for item in files):
        raise Invalid(f"Send files as a list of at most {MOST_FILES:,} objects with path and size.")
    return files


def _asked(item: dict[str, Any]) -> tuple[str, int]:
    path, size = item.get("path"), item.get("size", 0)
    if not isinstance(path, str) or not 0 < len(path) <= 4096 or type(size) is not int or size < 0:
        raise Invalid("Each file has a path, and a size in bytes.")
    return path, size


def _mode(settings: Settings, path: str, size: int) -> str:
    if size > settings.max_file_bytes:
        raise TooLarge(f"{path} has {size:,} bytes; at most {settings.max_file_bytes:,} are taken (max_file_bytes).")
    return "lfs" if size > min(INLINE_BYTES, settings.max_commit_bytes // 4 * 3) else "regular"


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


def _edit(repo: Repo, lines: CommitLines, pack: BlobPack) -> Edit:
    """Read all lines; contents go to the pack as they come."""
    header: dict[str, Any] | None = None
    operations: list[Operation] = []
    for key, value, content in lines:
        if header is None:
            header = _header(key, value)
            continue
        operations.append(_operation(repo, key, value, content, pack))
        if len(operations) > MOST_OPERATIONS:
            raise TooLarge(f"A commit may change at most {MOST_OPERATIONS:,} files. Make several commits.")
    if header is None:
        raise Invalid("The commit is empty. Its first line is a header with a summary.")
    return Edit(operations, **header)


def _header(key: str, value: dict[str, Any]) -> dict[str, Any]:
    said = [value.get("summary"), value.get("description") or "", value.get("parentCommit") or ""]
    if key != "header" or not all(isinstance(text, str) for text in said):
        raise Invalid("The first line of a commit is a header with a summary, maybe a description and a parentCommit.")
    summary, description, parent = said
    parent = str(parent).lower()
    if parent and not _PARENT.fullmatch(parent):
        raise Invalid("parentCommit is a commit id, or at least its first five digits.")
    return {"summary": summary, "description": description, "parent": parent}


def _operation(repo: Repo, key: str, value: dict[str, Any], content: Content | None, pack: BlobPack) -> Operation:
    path = value.get("path")
    if not isinstance(path, str) or not path:
        raise Invalid(f"An operation of the commit ({key[:40]}) has no path.")
    if key == "file":
        if content is None:
            raise Invalid(f"The file {path[:200]!r} has no content.")
        return Place(path, pack.add(content.size, content.pieces()))
    if key in ("deletedFile", "deletedFolder"):
        return Delete(path)
    if key == "lfsFile":
        text = _pointer(repo, path, value).text()
        return Place(path, pack.add(len(text), [text]))
    raise Invalid(f"Unknown operation {key[:40]!r}: a commit knows file, lfsFile, deletedFile and deletedFolder.")


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
