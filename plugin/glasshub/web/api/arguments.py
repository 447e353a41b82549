"""Reading what API clients put into addresses and queries, and answering in pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, request

from glasshub import access
from glasshub.access import Action, Visibility
from glasshub.errors import Invalid
from glasshub.identity import Repo, RepoType
from glasshub.web.context import actor, load_repo, public_url

KIND = '<any("models","datasets"):kind>'
"""The part of an address that says what type of repo it is about."""


def repo_type(kind: str) -> RepoType:
    """``models`` -> ``model``, ``datasets`` -> ``dataset``."""
    return "dataset" if kind == "datasets" else "model"


def api_repo(kind: str, ns: str, name: str, action: Action = Action.READ) -> Repo:
    """The repo an API address names (see :func:`glasshub.web.context.load_repo`); what gives content says so."""
    return load_repo(repo_type(kind), ns, name, action)


def see() -> Visibility:
    """What the caller may see."""
    return access.visibility(actor())


def flag(name: str) -> bool:
    """A boolean of the query."""
    return truth(request.args.get(name, ""))


def truth(text: str) -> bool:
    """What a boolean in a query or form says: ``true`` or ``1``. Versions of the client before 1.0 write ``True``."""
    return text.lower() in ("true", "1")


def limit(default: int, most: int) -> int:
    """The ``limit`` of the query, between 1 and ``most``. Raises ``Invalid``."""
    text = request.args.get("limit", "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise Invalid("limit must be a whole number of at least 1.")
    return min(int(text), most)


def skipped() -> int:
    """How many items the pages before had, in lists whose ``cursor`` counts them. Raises ``Invalid``."""
    cursor = request.args.get("cursor", "0")
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 9:
        raise Invalid("cursor must come from the Link header of the page before.")
    return int(cursor)


def many(name: str) -> list[str]:
    """All values of a repeated query parameter (also ``name[]``), empty ones left out."""
    return [value for value in request.args.getlist(name) + request.args.getlist(f"{name}[]") if value]


def paged(items: list[Any], cursor: str | None) -> Response:
    """A JSON array, with the absolute address of the next page in ``Link`` when there is one."""
    response = jsonify(items)
    if cursor is not None:
        query = [(key, value) for key, value in request.args.items(multi=True) if key != "cursor"]
        address = f"{public_url()}{request.path}?{urlencode([*query, ('cursor', cursor)])}"
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response
