"""The content-addressed store that Xet clients speak to, and the tokens that lead to it.

Protocol: https://huggingface.co/docs/xet
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, request

from glasshub import repos, xet
from glasshub.access import Action
from glasshub.blobs.xet import content
from glasshub.blobs.xet.content import Part, Recipe
from glasshub.blobs.xet.shard import MAX_SHARD
from glasshub.blobs.xet.xorb import MAX_XORB
from glasshub.errors import Forbidden, Invalid, NotFound, RangeNotSatisfiable, TooLarge, Unauthenticated
from glasshub.identity import Repo
from glasshub.web.api.arguments import KIND, repo_type
from glasshub.web.context import actor, hub, load_repo, public_url
from glasshub.web.signed import claims, seal, sign, unseal

bp = Blueprint("cas", __name__)
tokens = Blueprint("api_xet", __name__)
TOKEN_SECONDS = 3600
_READ, _WRITE = "read", "write"


@tokens.get(f"/api/{KIND}/<ns>/<name>/xet-read-token/<path:_revision>")
def read_token(kind: str, ns: str, name: str, _revision: str) -> Response:
    """Where the content of this repo is read, and a token for it."""
    return _token(load_repo(repo_type(kind), ns, name), _READ)


@tokens.get(f"/api/{KIND}/<ns>/<name>/xet-write-token/<path:_revision>")
def write_token(kind: str, ns: str, name: str, _revision: str) -> Response:
    """Where content for this repo is brought, and a token for it: for whoever may open a pull request."""
    return _token(load_repo(repo_type(kind), ns, name, Action.DISCUSS), _WRITE)


@bp.post("/cas/v1/xorbs/<_prefix>/<xorb>")
def put_xorb(_prefix: str, xorb: str) -> Response:
    """A xorb: chunks back to back."""
    repo, _ = _caller(_WRITE)
    request.max_content_length = MAX_XORB
    return jsonify({"was_inserted": xet.add_xorb(hub(), repo, xorb, request.stream)})


@bp.post("/cas/v1/shards")
@bp.post("/cas/shards")
def put_shard() -> Response:
    """What files are made of."""
    repo, by = _caller(_WRITE)
    request.max_content_length = MAX_SHARD
    data = request.stream.read(MAX_SHARD + 1)
    if len(data) > MAX_SHARD:
        raise TooLarge(f"A shard has at most {MAX_SHARD:,} bytes.")
    xet.register(hub(), repo, by, data)
    return jsonify({"result": 1})


@bp.get("/cas/v1/reconstructions/<file>")
def reconstruction(file: str) -> Response:
    """How a file, or a range of it, is put together."""
    repo, _ = _caller(_READ)
    recipe = xet.recipe_of(hub(), repo, file)
    start, end = _asked(recipe.size)
    parts, offset = _overlapping(recipe, start, end)
    return jsonify(
        {
            "offset_into_first_range": start - offset,
            "terms": [
                {"hash": p.xorb, "unpacked_length": p.length, "range": {"start": p.start, "end": p.end}} for p in parts
            ],
            "fetch_info": _fetch_info(parts),
        }
    )


@bp.get("/cas/xorbs/<xorb>")
def get_xorb(xorb: str) -> Response:
    """Bytes of a xorb, within what the signed address allows."""
    said = claims()
    first, last = int(said["from"]), int(said["to"])
    asked = request.range
    start, stop = asked.range_for_length(last + 1) or (-1, -1) if asked else (first, last + 1)
    if start < first or stop > last + 1:
        raise Forbidden("This address does not allow that range.")
    body: Iterator[bytes] = hub().blobs.stream(content.XORBS, xorb, start, stop)
    response = Response(body, 206, content_type="application/octet-stream", direct_passthrough=True)
    response.headers["Content-Length"] = str(stop - start)
    response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/*"
    return response


@bp.route("/cas/<path:_rest>", methods=["GET", "POST", "PUT", "HEAD"])
def not_here(_rest: str) -> Response:
    """Newer or optional parts of the protocol: clients do without them."""
    raise NotFound("This hub does not have that part of the protocol.")


def _token(repo: Repo, scope: str) -> Response:
    token, expires = seal({"repo": repo.key, "by": actor().name or "", "scope": scope}, seconds=TOKEN_SECONDS)
    url = f"{public_url()}/cas"
    response = jsonify({"accessToken": token, "exp": expires, "casUrl": url})
    response.headers.update({"X-Xet-Cas-Url": url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(expires)})
    return response


def _caller(scope: str) -> tuple[Repo, str]:
    """The repo and the person that the token stands for."""
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        raise Unauthenticated("Send the token of this repo.")
    said = unseal(authorization.token)
    if scope == _WRITE and said["scope"] != _WRITE:
        raise Forbidden("This token is for reading.")
    return repos.by_key(hub(), said["repo"]), said["by"]


def _asked(size: int) -> tuple[int, int]:
    """Start and end (exclusive) of the range that is asked for: of the whole file by default."""
    asked = request.range
    if asked is None or size == 0:
        return 0, size
    if len(asked.ranges) != 1:
        raise Invalid("Ask for one range at a time.")
    start, stop = asked.ranges[0]
    if start is None or start < 0 or start >= size:
        raise RangeNotSatisfiable(f"The file has {size} bytes; the range starts past its end.")
    return start, size if stop is None else min(stop, size)


def _overlapping(recipe: Recipe, start: int, end: int) -> tuple[list[Part], int]:
    """The parts that hold bytes of a range, and where the first of them begins."""
    found: list[Part] = []
    first = offset = 0
    for part in recipe.parts:
        if offset < end and offset + part.length > start:
            first = first if found else offset
            found.append(part)
        offset += part.length
    return found, first


def _runs(parts: list[Part]) -> list[tuple[str, int, int]]:
    """The runs of chunks that the parts need, those that overlap as one: clients know a run by where it begins."""
    runs: list[tuple[str, int, int]] = []
    for xorb, start, end in sorted({(part.xorb, part.start, part.end) for part in parts}):
        if runs and runs[-1][0] == xorb and start < runs[-1][2]:
            _, first, last = runs.pop()
            runs.append((xorb, first, max(last, end)))
        else:
            runs.append((xorb, start, end))
    return runs


def _fetch_info(parts: list[Part]) -> dict[str, list[dict[str, Any]]]:
    info: dict[str, list[dict[str, Any]]] = {}
    for xorb, start, end in _runs(parts):
        chunks = content.chunks_of(hub().blobs, xorb)
        first, last = chunks[start].offset, chunks[end - 1].end - 1
        url = sign("GET", f"/cas/xorbs/{xorb}", {"from": str(first), "to": str(last)}, seconds=TOKEN_SECONDS)
        info.setdefault(xorb, []).append(
            {"range": {"start": start, "end": end}, "url": url, "url_range": {"start": first, "end": last}}
        )
    return info
