"""Bytes that users brought, as HTTP answers: validators, ranges, and headers that keep browsers from running them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, cast
from urllib.parse import quote

from flask import Response, g, request
from werkzeug.wsgi import wrap_file

from glasshub.errors import RangeNotSatisfiable
from glasshub.web.context import hub

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


@dataclass(frozen=True, slots=True)
class Content:
    """Something to send.

    Attributes:
        path: its path in the repo; the name decides the type.
        id: the strong validator, a hash of the content.
        size: in bytes.
        stream: gives the bytes from start to end (exclusive).
        file: where the same bytes lie on this machine, if they do: the server then sends them by itself.
        headers: what else is to be told.
    """

    path: str
    id: str
    size: int
    stream: Callable[[int, int], Iterator[bytes]]
    file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def send(content: Content, *, commit: str = "") -> Response:
    """Answer the request with ``content`` or the part of it that is asked for.

    Raises:
        RangeNotSatisfiable: the range starts past the end.
    """
    etag = f'"{content.id}"'
    start, end, status = _range(content.size, etag)
    if request.if_none_match.contains_weak(content.id):
        response = Response(status=304)
    else:
        body = None if request.method == "HEAD" else _body(content, start, end)
        response = Response(body, status, direct_passthrough=True)
        response.headers["Content-Length"] = str(end - start)
        response.content_type = content_type(content.path)
    if status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
    name = PurePosixPath(content.path).name
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    response.headers.update(
        {
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Content-Disposition": f"inline; filename*=UTF-8''{quote(name, safe='')}; filename=\"{plain}\";",
            "Content-Security-Policy": FILE_POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
            **content.headers,
            **({"X-Repo-Commit": commit} if commit else {}),
        }
    )
    return response


def _body(content: Content, start: int, end: int) -> Iterable[bytes]:
    return content.stream(start, end) if content.file is None else file_body(content.file, start, end)


def file_body(path: Path, start: int, end: int) -> Iterable[bytes]:
    """The bytes ``start`` to ``end`` (exclusive) of a file, which the server sends by itself if it can.

    The answer must tell its length, since such servers look at nothing but that and where the file stands. Waiting for
    a client that has gone silent ends there only if the connection itself has a timeout.
    """
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(hub().settings.stall_timeout)
    return wrap_file(request.environ, cast(IO[bytes], _Slice(path, start, end)), buffer_size=1024**2)


class _Slice:
    """A range of a file, for whoever asks for its descriptor and for whoever reads."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._file, self._left = path.open("rb"), end - start
        self._file.seek(start)
        self.fileno = self._file.fileno
        self.close = self._file.close

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


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
