"""Bytes of xorbs by signed addresses, which name the ranges that they allow."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence

from flask import Response, request
from werkzeug.datastructures import Range as AskedRanges

from glasshub import gates, repos
from glasshub.blobs.xet import content
from glasshub.errors import Forbidden, NotFound
from glasshub.identity import Actor, Repo
from glasshub.web.content import file_body
from glasshub.web.context import hub
from glasshub.web.signed import claims, sign

MOST_RANGES = 64  # in one address, so that it stays short
_SECONDS = 3600
_TYPE = "application/octet-stream"

Reader = tuple[Repo, Actor]  # who reads a file of which repo
Range = tuple[int, int]  # first and last byte, both inclusive


def address(xorb: str, ranges: Sequence[Range], reader: Reader) -> str:
    """The signed address of a xorb that allows these ranges, each of them and several at once.

    It is good for as long as the reader may read the files of the repo.
    """
    repo, by = reader
    listed = ",".join(f"{first}-{last}" for first, last in ranges)
    return sign(
        "GET", f"/cas/xorbs/{xorb}", {"ranges": listed, "repo": repo.key, "by": by.name or ""}, seconds=_SECONDS
    )


def answer(xorb: str) -> Response:
    """The ranges that are asked for, by default all that the address allows.

    Raises:
        Forbidden: the address is not signed by this hub, has expired, or does not allow the ranges.
        GatedRepo, GatedRepoSignIn, RepoNotFound: whom it was given to may not read the repo's files any more.
        NotFound: the xorb is not on the hub.
    """
    said = claims()
    gates.require_still(hub(), said["by"], repos.by_key(hub(), said["repo"]))
    size, allowed = hub().blobs.size(content.XORBS, xorb), _allowed(said["ranges"])
    if size is None:
        raise NotFound("This content is not on the hub any more. Tell an admin.")
    asked = _asked(request.range, size) if request.range else allowed
    for first, last in asked:
        if first > last or not any(start <= first and last <= end for start, end in allowed):
            raise Forbidden("This address does not allow that range.")
    return _one(xorb, asked[0], size) if len(asked) == 1 else _several(xorb, asked, size)


def _allowed(listed: str) -> list[Range]:
    pairs = [item.split("-") for item in listed.split(",")]
    return [(int(first), int(last)) for first, last in pairs]


def _asked(asked: AskedRanges, size: int) -> list[Range]:
    if asked.units != "bytes" or len(asked.ranges) > MOST_RANGES:
        raise Forbidden(f"Ask for at most {MOST_RANGES} ranges of bytes at a time.")
    return [(first or 0, (size if end is None else end) - 1) for first, end in asked.ranges]


def _one(xorb: str, wanted: Range, size: int) -> Response:
    first, last = wanted
    response = Response(_body(xorb, first, last + 1), 206, content_type=_TYPE, direct_passthrough=True)
    response.headers["Content-Length"] = str(last + 1 - first)
    response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response


def _body(xorb: str, start: int, end: int) -> Iterable[bytes]:
    if request.method == "HEAD":
        return ()
    path = hub().blobs.local_path(content.XORBS, xorb)
    return file_body(path, start, end) if path else hub().blobs.stream(content.XORBS, xorb, start, end)


def _several(xorb: str, wanted: list[Range], size: int) -> Response:
    """All ranges in one answer (RFC 9110, 14.6)."""
    boundary = secrets.token_hex(16)
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {_TYPE}\r\nContent-Range: bytes {first}-{last}/{size}\r\n\r\n".encode()
        for first, last in wanted
    ]
    tail = f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        for head, (first, last) in zip(heads, wanted, strict=True):
            yield head
            yield from hub_blobs.stream(content.XORBS, xorb, first, last + 1)
        yield tail

    hub_blobs = hub().blobs  # the answer is sent after the request is gone
    length = sum(len(head) + last + 1 - first for head, (first, last) in zip(heads, wanted, strict=True)) + len(tail)
    kind = f"multipart/byteranges; boundary={boundary}"
    response = Response(body(), 206, content_type=kind, direct_passthrough=True)
    response.headers["Content-Length"] = str(length)
    return response
