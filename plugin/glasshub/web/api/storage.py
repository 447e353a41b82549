"""The repos of an account with the room that each takes, for those who belong to it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from glasshub import access, accounts
from glasshub.errors import AccountNotFound, Forbidden, Unauthenticated
from glasshub.identity import Role
from glasshub.index import queries
from glasshub.web.api.arguments import limit, paged, see
from glasshub.web.api.storage_json import used_storage
from glasshub.web.context import actor, hub

bp = Blueprint("api_storage", __name__)
_PAGE = 500  # each repo's folder is looked through


@bp.get("/api/settings/repositories")
def own_repos() -> Response:
    """The caller's own repos, newest change first."""
    name = actor().name
    if name is None:
        raise Unauthenticated("Sign in to list your repos: send a token.")
    return _repos(name)


@bp.get("/api/organizations/<name>/settings/repositories")
def repos_of_organisation(name: str) -> Response:
    """The repos of an organisation, for its members."""
    account = accounts.find(hub(), name)
    if account.kind != "org":
        raise AccountNotFound(f"There is no organisation called {name}.")
    if not actor().signed_in:
        raise Unauthenticated("Sign in to list the repos of an organisation: send a token.")
    if access.role_on(actor(), account.name) < Role.READ:
        raise Forbidden(f"You are no member of {account.name}. Its public repos are listed by author={account.name}.")
    return _repos(account.name)


def _repos(namespace: str) -> Response:
    page = queries.repos(
        hub().index.read(), see(), namespace=namespace, limit=limit(_PAGE, _PAGE), cursor=request.args.get("cursor")
    )
    items: list[dict[str, Any]] = [
        {
            "id": row.repo_id,
            "type": row.type,
            "updatedAt": row.last_modified,
            "visibility": "private" if row.private else "public",
            "storage": used_storage(row.key),
        }
        for row in page.items
    ]
    everything = sum(item["storage"] for item in items) if len(items) == page.total else 0
    if everything:  # of more than one page nobody has counted the whole
        for item in items:
            item["storagePercent"] = round(100 * item["storage"] / everything, 2)
    return paged(items, page.cursor)
