"""Git LFS: batch, basic and multipart transfers, verification.

Protocol: https://github.com/git-lfs/git-lfs/tree/main/docs/api. Multipart is what ``huggingface_hub`` speaks: it is
chosen by ``chunk_size`` in the header of an upload action.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from glasshub import gates, large_files, repos
from glasshub.blobs.pointer import Pointer, is_sha256
from glasshub.errors import GlasshubError, Invalid, NotFound
from glasshub.identity import Repo, RepoType
from glasshub.web.body import counted_body
from glasshub.web.content import send
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.files import large_content
from glasshub.web.signed import claims, sign
from glasshub.web.smart_http import repo_to_push

bp = Blueprint("lfs", __name__)
CONTENT_TYPE = "application/vnd.git-lfs+json"
CHUNK = 64 * 1024**2
MOST_OBJECTS = 1000
_EXPIRES_IN = 12 * 3600


def lfs_routes(suffix: str, method: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Register a view below ``info/lfs/`` of models and datasets."""

    def register(view: Callable[..., Response]) -> Callable[..., Response]:
        for prefix, type in (("", "model"), ("/datasets", "dataset")):
            rule = f"{prefix}/<ns>/<name>/info/lfs/{suffix}"
            bp.add_url_rule(rule, f"{view.__name__}_{type}", view, methods=[method], defaults={"type": type})
        return view

    return register


@lfs_routes("objects/batch", "POST")
def batch(type: RepoType, ns: str, name: str) -> Response:
    """What to do to upload or download objects: an address for each, or why not."""
    body = json_object()
    upload = body.get("operation") == "upload"
    if not upload and body.get("operation") != "download":
        raise Invalid("operation must be upload or download.")
    # git-lfs brings contents before git pushes, so the first push of a repo comes here first.
    repo = repo_to_push(type, ns, name) if upload else load_repo(type, ns, name)
    if body.get("hash_algo", "sha256") != "sha256":
        raise Invalid("This hub knows objects by their SHA-256. Leave hash_algo out.")
    pointers = _pointers(body)
    known = large_files.find(hub(), repo, pointers)
    transfers = _strings(body.get("transfers"))
    multipart = "multipart" in transfers
    objects = [
        _upload(repo, pointer, pointer.sha256 in known, multipart=multipart)
        if upload
        else _download(repo, pointer, pointer.sha256 in known)
        for pointer in pointers
    ]
    # Of the clients that offer both, older versions of huggingface_hub speak Xet only if it is chosen here.
    xet = upload and multipart and "xet" in transfers
    chosen = "xet" if xet else "multipart" if multipart and upload else "basic"
    return answer({"transfer": chosen, "objects": objects})


@bp.put("/lfs/<key>/<sha256>")
def put(key: str, sha256: str) -> Response:
    """The content of one object (the address is signed, so no other credentials are needed)."""
    repo, pointer, by = _signed(key, sha256)
    large_files.receive(hub(), repo, by, pointer, counted_body())
    return Response(status=200)


@bp.put("/lfs/<key>/<sha256>/parts/<int:number>")
def put_part(key: str, sha256: str, number: int) -> Response:
    """One part of an object."""
    _, pointer, _ = _signed(key, sha256)
    at = CHUNK * (number - 1)
    size = min(CHUNK, pointer.size - at)
    tag = hub().blobs.part(claims()["upload"], number, counted_body(), at=at, size=size)
    return Response(status=200, headers={"ETag": f'"{tag}"'})


@bp.post("/lfs/<key>/<sha256>")
def complete(key: str, sha256: str) -> Response:
    """All parts have come: check what they make."""
    repo, pointer, by = _signed(key, sha256)
    listed = json_object().get("parts")
    parts = [
        (part["partNumber"], part.get("etag", ""))
        for part in (listed if isinstance(listed, list) else [])
        if isinstance(part, dict) and isinstance(part.get("partNumber"), int) and isinstance(part.get("etag", ""), str)
    ]
    if len(parts) != _count(pointer.size):
        raise Invalid(f"The upload has {_count(pointer.size)} parts; name all of them with number and ETag.")
    hub().blobs.complete(claims()["upload"], parts, large_files.FILES, pointer.sha256, size=pointer.size)
    large_files.add(hub(), repo, by, pointer)
    return Response(status=200)


@bp.get("/lfs/<key>/<sha256>")
def get(key: str, sha256: str) -> Response:
    """The content of one object, or a range of it (the address is signed)."""
    repo, pointer, by = _signed(key, sha256)
    gates.require_still(hub(), by, repo)
    return send(large_content(repo, pointer))


@bp.post("/lfs/<key>/<sha256>/verify")
def verify(key: str, sha256: str) -> Response:
    """Whether an object has come, as long as the client says it is (the address is signed)."""
    repo, pointer, _ = _signed(key, sha256)
    if large_files.missing(hub(), repo, [pointer]):
        raise NotFound(f"The object {pointer.sha256} has not come. Upload it again.")
    body = json_object()
    oid, size = body.get("oid"), body.get("size")
    if oid != pointer.sha256 or type(size) is not int or size != pointer.size:
        raise Invalid(
            f"The object {pointer.sha256} that came has {pointer.size:,} bytes. Verify it with this oid and size; "
            "if the file is another one by now, upload it again."
        )
    return answer({})


def _upload(repo: Repo, pointer: Pointer, known: bool, *, multipart: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"oid": pointer.sha256, "size": pointer.size}
    if known:
        return found
    try:
        large_files.require_may_add(hub(), actor(), repo, pointer.size)
    except GlasshubError as error:
        return {**found, "error": {"code": 422, "message": error.message}}
    path = _path(repo, pointer)
    who = {"size": str(pointer.size), "by": actor().name or ""}
    verify = {"href": sign("POST", f"{path}/verify", who), "expires_in": _EXPIRES_IN}
    if multipart and pointer.size > CHUNK:
        who["upload"] = hub().blobs.begin()
        header = {"chunk_size": str(CHUNK)}
        for number in range(1, _count(pointer.size) + 1):
            header[str(number)] = sign("PUT", f"{path}/parts/{number}", who)
        action = {"href": sign("POST", path, who), "header": header}
    else:
        action = {"href": sign("PUT", path, who)}
    return {
        **found,
        "authenticated": True,
        "actions": {"upload": {**action, "expires_in": _EXPIRES_IN}, "verify": verify},
    }


def _download(repo: Repo, pointer: Pointer, known: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"oid": pointer.sha256, "size": pointer.size}
    if not known:
        return {**found, "error": {"code": 404, "message": "This repo does not have the object."}}
    href = sign("GET", _path(repo, pointer), {"size": str(pointer.size), "by": actor().name or ""})
    return {**found, "authenticated": True, "actions": {"download": {"href": href, "expires_in": _EXPIRES_IN}}}


def _signed(key: str, sha256: str) -> tuple[Repo, Pointer, str]:
    """The repo, the object and the person a signed address stands for."""
    said = claims()
    return repos.by_key(hub(), key), Pointer(sha256, int(said["size"])), said["by"]


def _path(repo: Repo, pointer: Pointer) -> str:
    return f"/lfs/{repo.key}/{pointer.sha256}"


def _count(size: int) -> int:
    return -(-size // CHUNK)


def _pointers(body: Mapping[str, Any]) -> list[Pointer]:
    objects = body.get("objects")
    if not isinstance(objects, list) or len(objects) > MOST_OBJECTS:
        raise Invalid(f"objects must be a list of at most {MOST_OBJECTS:,}.")
    found = []
    for item in objects:
        oid, size = (item.get("oid"), item.get("size")) if isinstance(item, dict) else (None, None)
        if not isinstance(oid, str) or not is_sha256(oid) or type(size) is not int or size < 0:
            raise Invalid("Each object needs an oid (64 hex digits) and a size in bytes.")
        found.append(Pointer(oid, size))
    return found


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def json_object() -> Mapping[str, Any]:
    """The body of the request. Raises ``Invalid`` when it is no JSON object."""
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.")
    return body


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """An answer as git-lfs expects it."""
    response = jsonify(body)
    response.status_code = status
    response.content_type = CONTENT_TYPE
    return response
