"""A user's own settings: profile, password, tokens; and making a repo."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import accounts, repos
from glasshub.errors import Forbidden, GlasshubError, Invalid, Unauthenticated
from glasshub.identity import REPO_TYPES, RepoType, Role
from glasshub.web import auth
from glasshub.web.context import actor, hub

bp = Blueprint("settings", __name__)


def user() -> str:
    """The name of who is signed in. Raises ``Unauthenticated`` (the page then asks to sign in)."""
    name = actor().name
    if name is None:
        raise Unauthenticated("Sign in to see this page.")
    return name


def _self() -> str:
    """The name of who signed in with a password here: a token, which may leak, must not make others that outlive it.

    Raises ``Unauthenticated`` or ``Forbidden``.
    """
    name = user()
    if not auth.in_session():
        raise Forbidden("A token may not see or change account settings. Sign in with your password in a browser.")
    return name


@bp.get("/settings")
def profile() -> ResponseReturnValue:
    """Profile and password."""
    return render_template("settings/profile.html", account=accounts.find(hub(), _self()), error="")


@bp.post("/settings")
def change_profile() -> ResponseReturnValue:
    """Change the full name."""
    accounts.set_full_name(hub(), _self(), request.form.get("full_name", ""))
    flash("Your profile is saved.", "good")
    return redirect("/settings", code=303)


@bp.post("/settings/password")
def change_password() -> ResponseReturnValue:
    """Change the password; all sessions end, this browser gets a new one."""
    name = _self()
    try:
        auth.sign_in(name, request.form.get("current", ""))
        accounts.set_password(hub(), name, request.form.get("new", ""))
    except (Unauthenticated, Invalid) as error:
        message = "The current password is wrong." if isinstance(error, Unauthenticated) else error.message
        return render_template("settings/profile.html", account=accounts.find(hub(), name), error=message), 400
    response = make_response(redirect("/settings", code=303))
    auth.set_session(response, accounts.start_session(hub(), name))
    flash("Your password is changed, and you are signed out everywhere else.", "good")
    return response


@bp.get("/settings/tokens")
def tokens() -> ResponseReturnValue:
    """The tokens of a user, and the form for a new one."""
    return _tokens_page()


@bp.post("/settings/tokens")
def create_token() -> ResponseReturnValue:
    """Make a token and show it, this once."""
    name = _self()
    days = request.form.get("days", "").strip()
    try:
        secret, _ = accounts.create_token(
            hub(),
            name,
            name=request.form.get("name", ""),
            scope="write" if request.form.get("scope") == "write" else "read",
            days=int(days) if days else None,
            only_repos=_only_repos(request.form.get("repos", "")),
        )
    except ValueError:
        return _tokens_page(error="The number of days must be a whole number."), 400
    except GlasshubError as error:
        return _tokens_page(error=error.message), 400
    return _tokens_page(secret=secret)


@bp.post("/settings/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> ResponseReturnValue:
    """Revoke a token at once."""
    accounts.revoke_token(hub(), _self(), token_id)
    flash("The token is revoked.", "good")
    return redirect("/settings/tokens", code=303)


@bp.get("/new")
def new_repo() -> ResponseReturnValue:
    """The form for a new repo."""
    return _new_repo_page()


@bp.post("/new")
def create_repo() -> ResponseReturnValue:
    """Make a repo and go to its page."""
    user()
    form = request.form
    type = next((known for known in REPO_TYPES if known == form.get("type")), REPO_TYPES[0])
    try:
        repo = repos.create(
            hub(), actor(), type, form.get("namespace", ""), form.get("name", "").strip(), private="private" in form
        )
    except GlasshubError as error:
        return _new_repo_page(error=error.message), 400
    return redirect(repo.path, code=303)


def _only_repos(text: str) -> list[str] | None:
    """Repo keys from lines such as ``ns/name`` or ``datasets/ns/name``; ``None`` when there are none."""
    keys = []
    for line in text.split():
        type: RepoType = "dataset" if line.startswith("datasets/") else "model"
        namespace, _, name = line.removeprefix("datasets/").partition("/")
        keys.append(repos.find_readable(hub(), actor(), type, namespace, name).key)
    return keys or None


def _tokens_page(*, secret: str = "", error: str = "") -> str:
    name = _self()
    return render_template("settings/tokens.html", tokens=accounts.tokens(hub(), name), secret=secret, error=error)


def _new_repo_page(*, error: str = "") -> str:
    name = user()
    spaces = [name, *(m.org for m in accounts.organisations_of(hub(), name) if m.role >= Role.CONTRIBUTOR)]
    return render_template(
        "settings/new_repo.html", namespaces=[(space, space) for space in spaces], form=request.form, error=error
    )
