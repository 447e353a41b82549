"""The like button of a repo's pages."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from glasshub import popularity
from glasshub.access import Action
from glasshub.identity import Repo, RepoType
from glasshub.web.context import actor, hub, load_repo

bp = Blueprint("likes", __name__)


@bp.post("/<ns>/<name>/like", defaults={"type": "model"})
@bp.post("/datasets/<ns>/<name>/like", defaults={"type": "dataset"})
def like(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Like a repo, or no longer."""
    repo = load_repo(type, ns, name, Action.READ)
    popularity.like(hub(), actor(), repo, likes=request.form.get("like") == "1")
    return redirect(repo.path, code=303)


@bp.app_template_global("likes_it")
def likes_it(repo: Repo) -> bool:
    """Whether the reader likes a repo."""
    return popularity.likes(hub(), actor(), repo)
