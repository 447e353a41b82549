"""Headers on every response: request id and browser security."""

from __future__ import annotations

import re
import uuid

from flask import Flask, Response, g, request

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SAFE_ID = re.compile(r"[A-Za-z0-9._=:-]{1,100}")


def request_id() -> str:
    """The id of this request: the client's own if it sent a sane one, else a fresh one."""
    if "request_id" not in g:
        sent = request.headers.get("X-Request-Id") or request.headers.get("X-Amzn-Trace-Id") or ""
        g.request_id = sent if _SAFE_ID.fullmatch(sent) else uuid.uuid4().hex
    return str(g.request_id)


def init_headers(app: Flask) -> None:
    """Register the hook that adds the headers a view has not set itself."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    defaults = {
        "Content-Security-Policy": PAGE_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if request.endpoint != "static":
        defaults["Cache-Control"] = "private, no-cache"
    for name, value in defaults.items():
        response.headers.setdefault(name, value)
    response.headers.add("Vary", "Cookie")
    response.headers.add("Vary", "Authorization")
    return response
