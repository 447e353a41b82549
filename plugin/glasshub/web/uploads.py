"""Attachments: taking them in, and giving them out so that no browser runs anything in the hub's origin."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, current_app, request, send_file
from flask.blueprints import BlueprintSetupState
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from glasshub import accounts, uploads
from glasshub.errors import TooManyRequests
from glasshub.web.auth import COOKIE
from glasshub.web.body import counted_body
from glasshub.web.context import actor, hub, public_url

bp = Blueprint("uploads", __name__)
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
_EXTENSION = "glasshub_uploads"
_FORMS = "discussion_changes"  # the blueprint whose forms take attachments
_PER_PERSON = RateLimitItemPerHour(200)


@bp.record_once
def _count_from_now_on(state: BlueprintSetupState) -> None:
    state.app.extensions[_EXTENSION] = FixedWindowRateLimiter(MemoryStorage())


@bp.post("/uploads")
def upload() -> Response:
    """Keep the body, a picture, film or sound as its ``Content-Type`` says; answers its address as plain text."""
    refuse_floods()
    name = uploads.store(hub(), actor(), request.mimetype, counted_body())
    return Response(f"{public_url()}/uploads/{name}", content_type="text/plain; charset=utf-8")


@bp.get("/uploads/<name>")
def uploaded(name: str) -> Response:
    """One attachment; ranges are answered, since players seek."""
    found = uploads.find(hub(), name)
    response = send_file(found.path, mimetype=found.type, conditional=True, max_age=365 * 24 * 3600, etag=False)
    response.headers.update(
        {
            "Cache-Control": "private, max-age=31536000, immutable",
            "Content-Security-Policy": POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Content-Disposition": f'inline; filename="{name}"',
        }
    )
    return response


def allow_attachments() -> None:
    """Let forms that may bring an attachment be as large as one may be; called before anything reads the form.

    Only of people who are signed in: nobody else's attachment is kept, so it need not come in either.
    """
    secret = request.cookies.get(COOKIE) if request.blueprint == _FORMS else None
    if secret and accounts.actor_from_session(hub(), secret) is not None:
        most = current_app.config["MAX_CONTENT_LENGTH"] + hub().settings.max_upload_bytes
        request.max_content_length = most


def refuse_floods() -> None:
    """Count one upload, in each process, like wrong passwords: one account must not fill the disk in no time.

    Raises:
        TooManyRequests: there were too many within the hour.
    """
    limiter = cast(FixedWindowRateLimiter, current_app.extensions[_EXTENSION])
    who = actor()
    if who.name is not None and not limiter.hit(_PER_PERSON, who.name.lower()):
        raise TooManyRequests("You have uploaded too many files lately. Wait an hour.")
