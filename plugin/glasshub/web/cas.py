"""The content-addressed store that Xet clients speak to.

Protocol: https://huggingface.co/docs/xet
"""

from __future__ import annotations

import io
import time
from typing import IO, cast

from flask import Blueprint, Response, jsonify

from glasshub import xet
from glasshub.blobs.xet.shard import MAX_SHARD
from glasshub.errors import NotFound, TooLarge
from glasshub.web import reconstruction, xorb_bytes
from glasshub.web.body import counted_body
from glasshub.web.cas_tokens import caller
from glasshub.web.context import hub
from glasshub.web.signed import derived_key

bp = Blueprint("cas", __name__)
_BUFFER = 128 * 1024
_WEEK = 7 * 24 * 3600


@bp.post("/cas/v1/xorbs/<_prefix>/<xorb>")
def put_xorb(_prefix: str, xorb: str) -> Response:
    """A xorb: chunks back to back."""
    repo, by = caller("write")
    body = io.BufferedReader(cast(io.RawIOBase, counted_body()), _BUFFER)
    return jsonify({"was_inserted": xet.add_xorb(hub(), repo, by, xorb, cast("IO[bytes]", body))})


@bp.post("/cas/v1/shards")
@bp.post("/cas/shards")
def put_shard() -> Response:
    """What files are made of."""
    repo, by = caller("write")
    data = io.BufferedReader(cast(io.RawIOBase, counted_body()), _BUFFER).read(MAX_SHARD + 1)
    if len(data) > MAX_SHARD:
        raise TooLarge(f"A shard has at most {MAX_SHARD:,} bytes.")
    xet.register(hub(), repo, by, data)
    return jsonify({"result": 1})


@bp.get("/cas/v1/chunks/<_prefix>/<chunk>")
def known_chunk(_prefix: str, chunk: str) -> Response:
    """A shard that tells what is known around a chunk, so that clients need not send it."""
    repo, by = caller("write")
    week = int(time.time()) // _WEEK
    key = derived_key(f"chunks of week {week}")
    shard = xet.known_chunk(hub(), repo, by, chunk, key=key, expires=(week + 2) * _WEEK)
    return Response(shard, content_type="application/octet-stream")


@bp.get("/cas/v1/reconstructions/<file>")
def reconstruction_v1(file: str) -> Response:
    """How a file, or a range of it, is put together."""
    repo, by = caller("read")
    return jsonify(reconstruction.first_version(xet.recipe_of(hub(), repo, file), (repo, by)))


@bp.get("/cas/v2/reconstructions/<file>")
def reconstruction_v2(file: str) -> Response:
    """How a file, or a range of it, is put together, with few addresses."""
    repo, by = caller("read")
    return jsonify(reconstruction.second_version(xet.recipe_of(hub(), repo, file), (repo, by)))


@bp.get("/cas/xorbs/<xorb>")
def get_xorb(xorb: str) -> Response:
    """Bytes of a xorb, within what the signed address allows."""
    return xorb_bytes.answer(xorb)


@bp.route("/cas/<path:_rest>", methods=["GET", "POST", "PUT", "HEAD"])
def not_here(_rest: str) -> Response:
    """Newer or optional parts of the protocol: clients do without them."""
    raise NotFound("This hub does not have that part of the protocol.")
