"""Who asks: bearer token, Basic (token or password) or the session cookie; and protection against forged forms."""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from glasshub import accounts
from glasshub.errors import TooManyRequests, Unauthenticated
from glasshub.identity import ANONYMOUS, Actor
from glasshub.web.context import hub

COOKIE = "glasshub_session"
INVALID = "Invalid credentials in Authorization header"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_GIT = "smart_http"
_csrf = CSRFProtect()
# Counted in each process: with N workers a guesser has N times as many tries, still far too few.
_failures = FixedWindowRateLimiter(MemoryStorage())
_FAILURES_ALLOWED = RateLimitItemPerMinute(10)


def init_auth(app: Flask) -> None:
    """Register the hook that finds the actor of every request."""
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)  # checked below, where it is known who asks
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    _csrf.init_app(app)
    app.before_request(load_actor)


def load_actor() -> None:
    """Set ``g.actor``.

    Raises:
        Unauthenticated: credentials were sent and are wrong.
        TooManyRequests: too many wrong passwords lately.
    """
    g.actor = ANONYMOUS
    if request.endpoint == "static":
        return
    if request.headers.get("Authorization"):
        g.actor = _from_header()
    elif request.blueprint != _GIT:  # a browser's cookie never speaks git
        g.actor = _from_cookie()
        # A forged form can only misuse what the browser adds by itself: the session, or a sign-in.
        if request.method not in _SAFE_METHODS and (g.actor.signed_in or request.endpoint == "sign_in.submit"):
            _csrf.protect()


def sign_in(name: str, password: str) -> Actor:
    """Check a password, slowly for those who guess.

    Raises:
        Unauthenticated: wrong name or password.
        TooManyRequests: ten wrong ones within a minute from this address for this name.
    """
    keys = (request.remote_addr or "", name.lower())
    if not _failures.test(_FAILURES_ALLOWED, *keys):
        raise TooManyRequests("Too many wrong passwords. Wait a minute and try again.")
    try:
        return accounts.actor_from_password(hub(), name, password)
    except Unauthenticated:
        _failures.hit(_FAILURES_ALLOWED, *keys)
        raise


def set_session(response: Response, secret: str) -> None:
    """Put the session's secret into a cookie that scripts and other sites cannot use."""
    settings = hub().settings
    response.set_cookie(
        COOKIE,
        secret,
        max_age=settings.session_seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.public_url.startswith("https://"),
    )


def end_session(response: Response) -> None:
    """End the session, here and in the browser."""
    secret = request.cookies.get(COOKIE)
    if secret:
        accounts.end_session(hub(), secret)
    response.delete_cookie(COOKIE)


def _from_header() -> Actor:
    authorization = request.authorization
    if authorization is None:
        raise Unauthenticated(INVALID)
    if authorization.type == "bearer":
        return accounts.actor_from_token(hub(), authorization.token or "")[0]
    if authorization.type != "basic":
        raise Unauthenticated(INVALID)
    password = authorization.password or ""
    try:
        return accounts.actor_from_token(hub(), password)[0]
    except Unauthenticated:
        if password.startswith("hf_"):
            raise
    try:
        return sign_in(authorization.username or "", password)
    except Unauthenticated as error:
        raise Unauthenticated(INVALID) from error


def _from_cookie() -> Actor:
    secret = request.cookies.get(COOKIE)
    return (accounts.actor_from_session(hub(), secret) if secret else None) or ANONYMOUS
