"""Files as clients fetch them: ``resolve`` and ``raw``, with HEAD, ranges and validators.

Whatever people upload is answered so that no browser runs it in the hub's origin: types that can carry
scripts are sent as plain text or bytes, sandboxed, never sniffed.
"""

from __future__ import annotations

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, Response, g, request

from glasshub import access, large_files
from glasshub.blobs.pointer import Pointer
from glasshub.errors import EntryNotFound, GlasshubError
from glasshub.git.blob import stream_blob
from glasshub.git.pointers import pointer_at
from glasshub.git.read import TreeEntry, entry, open_repo, split_revision_path
from glasshub.identity import Repo, RepoType
from glasshub.large_files import LargeFile
from glasshub.web.content import Content, send
from glasshub.web.context import hub, load_repo, public_url
from glasshub.web.counting import count_file

bp = Blueprint("files", __name__)
_AS_STORED = frozenset({"files.raw"})  # endpoints that show pointers as they are


@bp.get("/<ns>/<name>/resolve/<path:rest>", defaults={"type": "model"})
@bp.get("/datasets/<ns>/<name>/resolve/<path:rest>", defaults={"type": "dataset"})
@bp.get("/<ns>/<name>/raw/<path:rest>", defaults={"type": "model"}, endpoint="raw")
@bp.get("/datasets/<ns>/<name>/raw/<path:rest>", defaults={"type": "dataset"}, endpoint="raw")
def resolve(type: RepoType, ns: str, name: str, rest: str) -> Response:
    """One file at one revision: the bytes, or part of them."""
    repo = load_repo(type, ns, name)
    git_repo = open_repo(hub().git_dir(repo))
    try:
        revision, file_path = split_revision_path(git_repo, rest)
        g.commit = revision.commit  # clients remember what a commit does not have, so errors name it too
        found = entry(git_repo, revision.commit, file_path)
        if found.kind not in ("file", "symlink"):
            raise EntryNotFound(f"Entry Not Found: {file_path!r} is not a file.")
        response = send(_content(repo, git_repo, found), commit=revision.commit)
        count_file(repo)
    except GlasshubError:
        git_repo.close()
        raise
    response.call_on_close(git_repo.close)
    return response


@bp.get("/<name>/resolve/<path:_rest>")
@bp.get("/datasets/<name>/resolve/<path:_rest>")
@bp.get("/<any('spaces','kernels'):_kind>/<ns>/<name>/resolve/<path:_rest>")
def never_here(name: str, ns: str = "", **_: str) -> Response:
    """Ids without a namespace, spaces and kernels are legal to ask for; this hub has none."""
    raise access.repo_not_found(f"{ns}/{name}" if ns else name)


def _content(repo: Repo, git_repo: GitRepo, found: TreeEntry) -> Content:
    """What stands at a path: the blob, or for a pointer the large file that it stands for."""
    pointer = None if request.endpoint in _AS_STORED else pointer_at(git_repo, found)
    if pointer is not None:
        return large_content(repo, pointer, found.path)
    return Content(found.path, found.oid, found.size, lambda start, end: stream_blob(git_repo, found.oid, start, end))


def large_content(repo: Repo, pointer: Pointer, path: str = "") -> Content:
    """The content of a large file of a repo. Raises ``NotFound`` when the repo does not have it."""
    file = large_files.require(hub(), repo, pointer)
    return Content(
        path or pointer.sha256,
        pointer.sha256,
        pointer.size,
        lambda start, end: large_files.stream(hub(), repo, pointer, start, end),
        large_files.local_path(hub(), file),
        {"X-Linked-Etag": f'"{pointer.sha256}"', "X-Linked-Size": str(pointer.size), **_xet(repo, file)},
    )


def _xet(repo: Repo, file: LargeFile) -> dict[str, str]:
    """What leads Xet clients to the chunks of a file, if it is stored as such."""
    if not file.xet_hash:
        return {}
    address = f"{public_url()}/api/{repo.type}s/{repo.repo_id}/xet-read-token/main"
    return {"X-Xet-Hash": file.xet_hash, "Link": f'<{address}>; rel="xet-auth"'}
