"""The settings of one repo, for its admins."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import repos
from glasshub.access import Action
from glasshub.errors import GlasshubError, Invalid
from glasshub.identity import GATES, Repo, RepoType
from glasshub.web.context import actor, hub, load_repo

bp = Blueprint("repo_settings", __name__)


def _load(type: RepoType, ns: str, name: str) -> Repo:
    return load_repo(type, ns, name, Action.ADMINISTER)


@bp.get("/<ns>/<name>/settings", defaults={"type": "model"})
@bp.get("/datasets/<ns>/<name>/settings", defaults={"type": "dataset"})
def show(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Visibility, protection, name, deletion."""
    return _page(_load(type, ns, name))


@bp.post("/<ns>/<name>/settings", defaults={"type": "model"})
@bp.post("/datasets/<ns>/<name>/settings", defaults={"type": "dataset"})
def change(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Save visibility, protection, and whether pull requests are taken."""
    repo = _load(type, ns, name)
    asked = {name: name in request.form for name in ("private", "allow_force_push", "pulls_enabled")}
    gated = next((mode for mode in GATES if mode == request.form.get("gated", repo.gated)), None)
    if gated is None:
        raise Invalid("Choose who reads the files: everybody, whoever asks, or whoever is let in.")
    repos.configure(hub(), actor(), repo, **asked, gated=gated)
    flash("The settings are saved.", "good")
    return redirect(f"{repo.path}/settings", code=303)


@bp.post("/<ns>/<name>/settings/move", defaults={"type": "model"})
@bp.post("/datasets/<ns>/<name>/settings/move", defaults={"type": "dataset"})
def move(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Rename or transfer; the old address redirects."""
    repo = _load(type, ns, name)
    target = request.form.get("to", "").strip()
    namespace, _, new_name = target.partition("/")
    try:
        moved = repos.move(hub(), actor(), repo, namespace, new_name)
    except GlasshubError as error:
        return _page(repo, move_error=error.message, to=target), 400
    flash(f"The repo is now {moved.repo_id}; its old address redirects here.", "good")
    return redirect(moved.path, code=303)


@bp.post("/<ns>/<name>/settings/delete", defaults={"type": "model"})
@bp.post("/datasets/<ns>/<name>/settings/delete", defaults={"type": "dataset"})
def delete(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Delete for good, once the name has been typed."""
    repo = _load(type, ns, name)
    if request.form.get("confirm", "").strip() != repo.repo_id:
        return _page(repo, delete_error=f"Type {repo.repo_id} exactly to delete it."), 400
    repos.delete(hub(), actor(), repo)
    flash(f"{repo.repo_id} is deleted.", "good")
    return redirect(f"/{repo.namespace}", code=303)


def _page(repo: Repo, *, move_error: str = "", delete_error: str = "", to: str = "") -> str:
    return render_template(
        "settings/repo.html", repo=repo, move_error=move_error, delete_error=delete_error, to=to or repo.repo_id
    )
