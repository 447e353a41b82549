"""The large files of a repo: listed, and deleted for good."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from glasshub.access import Action
from glasshub.blobs.pointer import is_sha256
from glasshub.errors import Invalid
from glasshub.identity import Repo, RepoType
from glasshub.large_file_removal import Listed, delete_files, list_files
from glasshub.web.api.arguments import KIND, api_repo, limit, paged
from glasshub.web.api.json_body import JsonBody, json_body
from glasshub.web.context import actor, hub, load_repo
from glasshub.xet import give_files

bp = Blueprint("api_lfs_files", __name__)
_PATH = f"/api/{KIND}/<ns>/<name>/lfs-files"
_AT_ONCE = 1000


@bp.get(_PATH)
def lfs_files(kind: str, ns: str, name: str) -> Response:
    """The large files of a repo, the newest first; for its writers."""
    repo = api_repo(kind, ns, name)
    found, cursor = list_files(hub(), actor(), repo, cursor=request.args.get("cursor"), limit=limit(_AT_ONCE, _AT_ONCE))
    return paged([_json(item) for item in found], cursor)


@bp.post(f"{_PATH}/batch")
def delete_lfs_files(kind: str, ns: str, name: str) -> Response:
    """Delete large files for good; for admins of the repo."""
    repo, asked = api_repo(kind, ns, name), json_body().fields.get("deletions")
    if not isinstance(asked, dict):
        raise Invalid("Send deletions, an object with sha (a list) and rewriteHistory (true or false).")
    hashes = asked.get("sha")
    if not isinstance(hashes, list) or not all(isinstance(item, str) and is_sha256(item) for item in hashes):
        raise Invalid("Send sha as a list of fileOid, 64 hex digits each.")
    if len(hashes) > _AT_ONCE:
        raise Invalid(f"At most {_AT_ONCE:,} files are deleted at once. Send the rest in another request.")
    delete_files(hub(), actor(), repo, hashes, from_refs=JsonBody(asked).flag("rewriteHistory", default=True))
    return jsonify({})


@bp.post(f"{_PATH}/duplicate")
def duplicate_lfs_files(kind: str, ns: str, name: str) -> Response:
    """Give large files of this repo to another one, for a commit there that copies them."""
    source = api_repo(kind, ns, name, Action.READ_FILES)
    body = json_body()
    to, files = body.fields.get("target"), body.fields.get("files")
    if not isinstance(to, dict) or not isinstance(files, list) or len(files) > _AT_ONCE:
        raise Invalid(f"Send target (type and name) and files, a list of at most {_AT_ONCE:,} with sha256 each.")
    hashes = [str(item.get("sha256")) if isinstance(item, dict) else "" for item in files]
    if not all(map(is_sha256, hashes)):
        raise Invalid("Each of files needs sha256, 64 hex digits.")
    lost = give_files(hub(), actor(), source, _target(JsonBody(to)), hashes)
    return jsonify({"failed": [{"sha256": sha256, "error": "The repo has no such file."} for sha256 in lost]})


def _target(said: JsonBody) -> Repo:
    namespace, _, name = said.text("name").partition("/")
    type: RepoType = "dataset" if said.text("type", "model") == "dataset" else "model"
    return load_repo(type, namespace, name, Action.READ, redirect=False)


def _json(item: Listed) -> dict[str, Any]:
    return {
        "fileOid": item.file.sha256,
        "oid": item.file.sha256,
        "filename": item.path,
        "ref": item.ref or None,
        "pushedAt": item.file.added_at,
        "size": item.file.size,
    }
