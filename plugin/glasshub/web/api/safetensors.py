"""Headers of sharded weights, all in one answer."""

from __future__ import annotations

from functools import partial

import orjson
from flask import Blueprint, Response

from glasshub import large_files
from glasshub.git.read import open_repo, resolve_revision
from glasshub.model_headers import IndexedHeaders, read_indexed
from glasshub.web.context import hub, load_repo

bp = Blueprint("api_safetensors", __name__)


@bp.get("/api/models/<ns>/<name>/safetensors-metadata/<path:path>")
def headers(ns: str, name: str, path: str) -> Response:
    """The headers of all files that an index at ``main`` names."""
    repo = load_repo("model", ns, name)
    with open_repo(hub().git_dir(repo)) as git_repo:
        commit = resolve_revision(git_repo, "main").commit
        found = read_indexed(git_repo, commit, path, partial(large_files.stream, hub(), repo))
    return Response(_json(found), content_type="application/json")


def _json(found: IndexedHeaders) -> bytes:
    """The answer, in which the headers stand as they are: parsed they would take ten times the room."""
    told = b",".join(orjson.dumps(name) + b":" + header for name, header in found.headers.items())
    return b'{"index":' + orjson.dumps({"metadata": found.metadata}) + b',"headers":{' + told + b"}}"
