"""Everything else below ``/api``: a JSON 404, since clients read the body of every answer."""

from __future__ import annotations

import re

from flask import Blueprint
from flask.typing import ResponseReturnValue

from glasshub import access, repos
from glasshub.errors import NotFound, RepoNotFound
from glasshub.web.api.arguments import repo_type
from glasshub.web.context import actor, hub

bp = Blueprint("api_fallback", __name__)
_REPO = re.compile(r"(models|datasets)/([^/]+)/?([^/]*)")
# What only the public hub has: repos of other kinds, and what is none.
_OTHER_REPO = re.compile(r"(spaces|kernels|buckets)/([^/]+(?:/[^/]+)?)")
_OTHER = re.compile(r"(papers|jobs|scheduled-jobs)(?:/|$)")


@bp.route("/api/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(rest: str) -> ResponseReturnValue:
    """There is no such route.

    Where it is the repo that is missing, that is said: by its code clients tell a missing repo from a broken hub.
    """
    if found := _REPO.match(rest):
        _require_repo(*found.groups())
    if found := _OTHER_REPO.match(rest):
        raise RepoNotFound(
            f"Repository Not Found: {found[2][:200]}. This hub has no {found[1]}, only models and datasets."
        )
    if found := _OTHER.match(rest):
        raise NotFound(f"This hub has no {found[1].replace('-', ' ')}, only models and datasets.")
    raise NotFound(f"This hub has no API at /api/{rest[:100]}. See /api for what there is.")


def _require_repo(kind: str, ns: str, name: str) -> None:
    if not name:  # ids without a namespace are legal to ask for
        raise access.repo_not_found(f"{ns}/{name}".rstrip("/"))
    repos.find_readable(hub(), actor(), repo_type(kind), ns, name)
