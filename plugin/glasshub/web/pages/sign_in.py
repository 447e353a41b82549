"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import accounts
from glasshub.errors import TooManyRequests, Unauthenticated
from glasshub.web import auth
from glasshub.web.context import actor, hub

bp = Blueprint("sign_in", __name__)


@bp.get("/login")
def form() -> ResponseReturnValue:
    """The sign-in form; those who are signed in go on."""
    target = local_target(request.args.get("next", ""))
    if actor().signed_in:
        return redirect(target)
    return render_template("sign_in/form.html", next=target, name="", error="")


@bp.post("/login")
def submit() -> ResponseReturnValue:
    """Check the password and open a session."""
    name, target = request.form.get("name", "").strip(), local_target(request.form.get("next", ""))
    try:
        who = auth.sign_in(name, request.form.get("password", ""))
    except (Unauthenticated, TooManyRequests) as error:
        status = 429 if isinstance(error, TooManyRequests) else 401
        return render_template("sign_in/form.html", next=target, name=name, error=error.message), status
    response = make_response(redirect(target, code=303))
    auth.set_session(response, accounts.start_session(hub(), who.name or ""))
    return response


@bp.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    response = make_response(redirect("/", code=303))
    auth.end_session(response)
    return response


def local_target(target: str) -> str:
    """Where to go after signing in: only ever a path on this hub."""
    local = target.startswith("/") and not target.startswith("//")
    return target if local and "\\" not in target and all(ord(character) > 31 for character in target) else "/"
