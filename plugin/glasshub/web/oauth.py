"""Logging in from a terminal: what programs ask for (RFC 8628, RFC 6749). ``pages/device.py`` has the page."""

from __future__ import annotations

from typing import NoReturn, cast

from flask import Blueprint, Response, current_app, g, jsonify, request
from flask.blueprints import BlueprintSetupState
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from glasshub import device_flow
from glasshub.device_flow import Refused
from glasshub.errors import Invalid, NotFound, TooManyRequests
from glasshub.web.context import hub, public_url

bp = Blueprint("oauth", __name__)
PAGE = "/oauth/device"
_EXTENSION = "glasshub_logins"
_PER_ADDRESS = RateLimitItemPerMinute(20)
_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_MOST_CHARACTERS = 200
_KNOWN = {"26be6b09-91c5-47da-9861-d2d2bb7a7e36": "hf auth login"}  # as clients call themselves; any may say so


@bp.record_once
def _count_from_now_on(state: BlueprintSetupState) -> None:
    state.app.extensions[_EXTENSION] = FixedWindowRateLimiter(MemoryStorage())


@bp.post("/oauth/device")
def start() -> Response:
    """Begin a login: a code for the program, and one that it shows."""
    limiter = cast(FixedWindowRateLimiter, current_app.extensions[_EXTENSION])
    address = request.remote_addr or ""
    if not limiter.hit(_PER_ADDRESS, address):
        raise TooManyRequests("Too many logins were begun from this address. Wait a minute and try again.")
    client = _client()
    program = " with ".join(filter(None, (_KNOWN.get(client, ""), request.headers.get("User-Agent", ""))))
    started = device_flow.start(hub(), client=client, program=program, address=address)
    return jsonify(
        {
            "device_code": started.device_code,
            "user_code": started.user_code,
            "verification_uri": f"{public_url()}{PAGE}",
            "verification_uri_complete": f"{public_url()}{PAGE}?code={started.user_code}",
            "expires_in": device_flow.SECONDS,
            "interval": device_flow.INTERVAL,
        }
    )


@bp.post("/oauth/token")
def token() -> Response:
    """The tokens of a login that was approved, or new ones for one that renews."""
    kind = request.form.get("grant_type", "")
    if kind == _DEVICE_CODE:
        answer = device_flow.redeem(hub(), request.form.get("device_code", ""), _client())
    elif kind == "refresh_token":
        answer = device_flow.refresh(hub(), request.form.get("refresh_token", ""), _client())
    else:
        _refuse("unsupported_grant_type", "This hub knows the grants device_code and refresh_token.")
    if isinstance(answer, Refused):
        _refuse(answer.reason, answer.message)
    response = jsonify(
        {
            "access_token": answer.access_token,
            "token_type": "Bearer",
            "expires_in": answer.seconds,
            "refresh_token": answer.refresh_token,
            "scope": "write",
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.route("/oauth/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing(rest: str) -> NoReturn:
    """Whatever else programs look for here: this hub signs in nobody on behalf of other sites."""
    raise NotFound(
        f"There is nothing at /oauth/{rest[:100]}. Log in with `hf auth login`, or give a token as HF_TOKEN."
    )


def _client() -> str:
    client = request.form.get("client_id", "")
    if not client or len(client) > _MOST_CHARACTERS:
        _refuse("invalid_client", "Send client_id, the name by which the program calls itself.")
    return client


def _refuse(reason: str, message: str) -> NoReturn:
    g.error_fields = {"error": reason, "error_description": message}
    raise Invalid(message)
