"""Approving the login of a program that shows a code, such as ``hf auth login``."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, current_app, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from glasshub import device_flow
from glasshub.device_flow import Waiting
from glasshub.errors import Forbidden, NotFound, TooManyRequests, Unauthenticated
from glasshub.web import auth
from glasshub.web.context import actor, hub

bp = Blueprint("device", __name__)
_EXTENSION = "glasshub_wrong_codes"
_PER_PERSON, _PER_ADDRESS = RateLimitItemPerMinute(10), RateLimitItemPerMinute(60)


@bp.record_once
def _count_from_now_on(state: BlueprintSetupState) -> None:
    state.app.extensions[_EXTENSION] = FixedWindowRateLimiter(MemoryStorage())


@bp.get("/oauth/device")
def form() -> ResponseReturnValue:
    """The form for the code; with ``code``, what asks for approval under it."""
    _self()
    code = request.args.get("code", "").strip()[:40]
    if not code:
        return render_template("sign_in/device.html", code="", waiting=None, error="", done="")
    return _look(code)


@bp.post("/oauth/device/code")
def look() -> ResponseReturnValue:
    """What asks for approval under the code that was typed."""
    _self()
    return _look(request.form.get("code", "").strip()[:40])


@bp.post("/oauth/device/decision")
def decide() -> ResponseReturnValue:
    """Approve the login, or deny it."""
    name, code = _self(), request.form.get("code", "")[:40]
    approve = request.form.get("decision") == "approve"
    try:
        _find(code)
        device_flow.decide(hub(), name, code, approve=approve)
    except (NotFound, TooManyRequests) as error:
        return _wrong(code, error)
    done = "approved" if approve else "denied"
    return render_template("sign_in/device.html", code=code, waiting=None, error="", done=done)


def _look(code: str) -> ResponseReturnValue:
    try:
        found = _find(code)
    except (NotFound, TooManyRequests) as error:
        return _wrong(code, error)
    return render_template("sign_in/device.html", code=code.upper(), waiting=found, error="", done="")


def _wrong(code: str, error: NotFound | TooManyRequests) -> ResponseReturnValue:
    page = render_template("sign_in/device.html", code=code, waiting=None, error=error.message, done="")
    return page, 429 if isinstance(error, TooManyRequests) else 404


def _find(code: str) -> Waiting:
    """The login that shows this code, slowly for those who guess (counted in each process).

    Raises:
        NotFound: there is none.
        TooManyRequests: this person sent ten wrong codes within a minute, or this address sixty.
    """
    wrong = cast(FixedWindowRateLimiter, current_app.extensions[_EXTENSION])
    counted = ((_PER_PERSON, "name", actor().name or ""), (_PER_ADDRESS, "address", request.remote_addr or ""))
    if not all(wrong.test(limit, *keys) for limit, *keys in counted):
        raise TooManyRequests("Too many wrong codes. Wait a minute and try again.")
    try:
        return device_flow.waiting(hub(), code)
    except NotFound:
        for limit, *keys in counted:
            wrong.hit(limit, *keys)
        raise


def _self() -> str:
    """Who signed in with a password here: a token must not make others. Raises ``Unauthenticated``, ``Forbidden``."""
    name = actor().name
    if name is None:
        raise Unauthenticated("Sign in to approve a login.")
    if not auth.in_session():
        raise Forbidden("A token may not approve a login. Sign in with your password in a browser.")
    return name
