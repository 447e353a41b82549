"""The members of an organisation."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import access, accounts
from glasshub.errors import AccountNotFound, Forbidden, GlasshubError, Invalid
from glasshub.identity import Account, Role
from glasshub.web.context import actor, hub
from glasshub.web.pages.settings import user

bp = Blueprint("org_settings", __name__)


@bp.get("/organizations/<org>/settings")
def show(org: str) -> ResponseReturnValue:
    """Members and their roles."""
    return _page(_load(org))


@bp.post("/organizations/<org>/settings/members")
def change_member(org: str) -> ResponseReturnValue:
    """Add a member, change a role, or remove."""
    group = _load(org)
    word = request.form.get("role", "")
    try:
        role = _role(word)
        accounts.set_member(hub(), actor(), group.name, request.form.get("user", "").strip(), role)
    except GlasshubError as error:
        return _page(group, error=error.message), 400
    flash("The members are saved.", "good")
    gave_up = role < Role.ADMIN and _is_self(request.form.get("user", ""))
    return redirect(f"/{group.name}" if gave_up else f"/organizations/{group.name}/settings", code=303)


def _is_self(name: str) -> bool:
    who = actor()
    return not who.is_hub_admin and who.name is not None and who.name.lower() == name.strip().lower()


def _role(word: str) -> Role:
    for role in Role:
        if role.label == word:
            return role
    raise Invalid("Choose a role: read, contributor, write, admin, or none to remove the member.")


def _load(org: str) -> Account:
    user()
    group = accounts.find(hub(), org)
    if group.kind != "org":
        raise AccountNotFound(f"There is no organisation called {org}.")
    if access.role_on(actor(), group.name) < Role.ADMIN:
        raise Forbidden(f"Only admins of {group.name} may see these settings.")
    return group


def _page(group: Account, *, error: str = "") -> str:
    members = accounts.members(hub(), group.name)
    return render_template("settings/org.html", group=group, members=members, roles=list(Role), error=error)
