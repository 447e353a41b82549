"""Who am I; users and organisations."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from glasshub import accounts
from glasshub.access import Action
from glasshub.errors import AccountNotFound, Unauthenticated
from glasshub.identity import Account
from glasshub.web.api.arguments import KIND, repo_type
from glasshub.web.auth import INVALID
from glasshub.web.context import actor, hub, load_repo, public_url

bp = Blueprint("api_accounts", __name__)


@bp.get("/api/whoami-v2")
def whoami() -> Response:
    """The account behind the token, as ``hf auth whoami`` shows it."""
    who = actor()
    if who.name is None:
        raise Unauthenticated(INVALID)
    account = accounts.find(hub(), who.name)
    orgs = [
        {"type": "org", "name": member.org, "roleInOrg": member.role.label}
        for member in accounts.organisations_of(hub(), account.name)
    ]
    authorization = request.authorization
    name = "session"
    if authorization is not None and authorization.type == "bearer":
        name = accounts.actor_from_token(hub(), authorization.token or "")[1].name
    token = {"displayName": name, "role": who.scope}
    return jsonify(
        {**account_json(account), "orgs": orgs, "auth": {"type": "access_token", "accessToken": token}, "isPro": False}
    )


@bp.get("/api/users/<name>/overview")
def user_overview(name: str) -> Response:
    """One user, with their organisations."""
    account = _find(name, "user")
    orgs = [account_json(accounts.find(hub(), m.org)) for m in accounts.organisations_of(hub(), account.name)]
    return jsonify({**account_json(account), "user": account.name, "orgs": orgs, "isPro": False})


@bp.get("/api/organizations/<name>/overview")
def organisation_overview(name: str) -> Response:
    """One organisation."""
    account = _find(name, "org")
    return jsonify({**account_json(account), "numUsers": len(accounts.members(hub(), account.name))})


@bp.get("/api/organizations/<name>/members")
def organisation_members(name: str) -> Response:
    """The members of an organisation."""
    members = accounts.members(hub(), _find(name, "org").name)
    return jsonify([{**account_json(a), "user": a.name} for a in (accounts.find(hub(), m.user) for m in members)])


@bp.get(f"/api/{KIND}/<ns>/<name>/auth-check", defaults={"action": "read"})
@bp.get(f"/api/{KIND}/<ns>/<name>/auth-check/<any('write'):action>")
def auth_check(kind: str, ns: str, name: str, action: str) -> Response:
    """200 when the caller may read (or write) the repo."""
    load_repo(repo_type(kind), ns, name, Action.WRITE if action == "write" else Action.READ_FILES)
    return jsonify({})


def account_json(account: Account) -> dict[str, Any]:
    """An account as clients read it; nothing in it is null (they stumble over null lists)."""
    return {
        "type": account.kind,
        "name": account.name,
        "fullname": account.full_name or account.name,
        "avatarUrl": f"{public_url()}/static/logo.svg",
    }


def _find(name: str, kind: str) -> Account:
    account = accounts.find(hub(), name)
    if account.kind != kind:
        raise AccountNotFound(f"There is no {'user' if kind == 'user' else 'organisation'} called {name}.")
    return account
