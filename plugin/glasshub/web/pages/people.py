"""The page of a user or an organisation."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from glasshub import access, accounts, collecting
from glasshub.identity import Role
from glasshub.index import queries
from glasshub.web.context import actor, hub
from glasshub.web.pages.repo_view import see

bp = Blueprint("people", __name__)
SHOWN = 30


@bp.get("/<ns>")
def page(ns: str) -> ResponseReturnValue:
    """Who this is, their repos that the reader may see, and members or organisations."""
    account = accounts.find(hub(), ns)
    db, reader = hub().index.read(), see()
    listed = {
        type: queries.repos(db, reader, type=type, namespace=account.name, sort="last_modified", limit=SHOWN)
        for type in ("model", "dataset")
    }
    is_org = account.kind == "org"
    return render_template(
        "people/account.html",
        account=account,
        listed=listed,
        members=accounts.members(hub(), account.name) if is_org else [],
        organisations=[] if is_org else accounts.organisations_of(hub(), account.name),
        may_keep=collecting.may_write(actor(), account.name),
        may_create=access.may_create_in(actor(), account.name),
        may_administer=access.role_on(actor(), account.name) >= Role.ADMIN and actor().signed_in,
    )
