"""Files as clients fetch them: ``resolve`` and ``raw``, with HEAD, ranges and validators.

Whatever people upload is answered so that no browser runs it in the hub's origin: types that can carry
scripts are sent as plain text or bytes, sandboxed, never sniffed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import quote

from dulwich.repo import Repo as GitRepo
from flask import Blueprint, Response, g, request

from glasshub import access
from glasshub.errors import EntryNotFound, GlasshubError, RangeNotSatisfiable
from glasshub.git.blob import stream_blob
from glasshub.git.read import TreeEntry, entry, open_repo, split_revision_path
from glasshub.identity import RepoType
from glasshub.web.context import hub, load_repo

bp = Blueprint("files", __name__)
FILE_POLICY = "default-src 'none'; sandbox"
_IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
_TEXT = frozenset(
    {
        ".txt", ".md", ".rst", ".yaml", ".yml", ".json", ".jsonl", ".csv", ".tsv", ".toml", ".cfg", ".ini", ".py",
        ".sh", ".ipynb", ".xml", ".html", ".htm", ".svg", ".js", ".css",
    }
)  # fmt: skip
_NAMES = frozenset({"README", "LICENSE", ".gitattributes", ".gitignore"})
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@bp.get("/<ns>/<name>/resolve/<path:rest>", defaults={"type": "model"})
@bp.get("/datasets/<ns>/<name>/resolve/<path:rest>", defaults={"type": "dataset"})
@bp.get("/<ns>/<name>/raw/<path:rest>", defaults={"type": "model"}, endpoint="raw")
@bp.get("/datasets/<ns>/<name>/raw/<path:rest>", defaults={"type": "dataset"}, endpoint="raw")
def resolve(type: RepoType, ns: str, name: str, rest: str) -> Response:
    """One file at one revision: the bytes, or part of them."""
    path = hub().git_dir(load_repo(type, ns, name))
    git_repo = open_repo(path)
    try:
        revision, file_path = split_revision_path(git_repo, rest)
        g.commit = revision.commit  # clients remember what a commit does not have, so errors name it too
        found = entry(git_repo, revision.commit, file_path)
        if found.kind not in ("file", "symlink"):
            raise EntryNotFound(f"Entry Not Found: {file_path!r} is not a file.")
        response = _answer(git_repo, found, revision.commit)
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


def _answer(git_repo: GitRepo, found: TreeEntry, commit: str) -> Response:
    etag = f'"{found.oid}"'
    start, end, status = _range(found.size, etag)
    if request.if_none_match.contains_weak(found.oid):
        response = Response(status=304)
    else:
        body: Iterator[bytes] | None = (
            None if request.method == "HEAD" else stream_blob(git_repo, found.oid, start, end)
        )
        response = Response(body, status, direct_passthrough=True)
        response.headers["Content-Length"] = str(end - start)
        response.content_type = content_type(found.path)
    if status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    name = PurePosixPath(found.path).name
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    response.headers.update(
        {
            "ETag": etag,
            "X-Repo-Commit": commit,
            "Accept-Ranges": "bytes",
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}; filename=\"{plain}\";",
            "Content-Security-Policy": FILE_POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
        }
    )
    return response


def _range(size: int, etag: str) -> tuple[int, int, int]:
    """Start, end (exclusive) and status; several ranges at once are answered whole, as HTTP allows.

    So is a range of another version of the file (``If-Range``): whoever resumes begins anew.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or (not asked[1] and not asked[2]) or request.headers.get("If-Range", etag) != etag:
        return 0, size, 200
    if not asked[1]:
        start, end = max(size - int(asked[2]), 0), size
    else:
        start, end = int(asked[1]), min(int(asked[2]) + 1, size) if asked[2] else size
    if start >= size or end <= start:
        g.size = size
        raise RangeNotSatisfiable(f"The file has {size} bytes; the range starts past its end.")
    return start, end, 206


def content_type(path: str) -> str:
    """The type a file is sent with: images as such, text as plain text, all else as bytes."""
    name = PurePosixPath(path)
    if name.suffix.lower() in _IMAGES:
        return _IMAGES[name.suffix.lower()]
    if name.suffix.lower() in _TEXT or name.name in _NAMES:
        return "text/plain; charset=utf-8"
    return "application/octet-stream"
