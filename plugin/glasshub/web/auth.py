"""Who asks: bearer token, Basic (token or password) or the session cookie; and protection against forged forms."""

from __future__ import annotations

import re
from typing import cast

from flask import Flask, Response, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from glasshub import accounts
from glasshub.credentials import INVALID, PREFIX
from glasshub.errors import Forbidden, TooManyRequests, Unauthenticated
from glasshub.identity import ANONYMOUS, Actor
from glasshub.web.context import hub

__all__ = ["COOKIE", "INVALID", "end_session", "in_session", "init_auth", "load_actor", "set_session", "sign_in"]

COOKIE = "glasshub_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_WITHOUT_COOKIES = frozenset({"smart_http", "lfs", "feeds"})  # blueprints of programs that are no browsers
_OWN_TOKENS = frozenset({"cas", "oauth"})  # blueprints that look at their tokens themselves
_API = re.compile(r"/(?:api|uploads)(?:/|$)")
_API_HEADER = "X-CSRFToken"
_EXTENSION = "glasshub_wrong_passwords"
_PER_NAME = RateLimitItemPerMinute(10)
_PER_ADDRESS = RateLimitItemPerMinute(60)
_csrf = CSRFProtect()


class _FormTokens(SecureCookieSessionInterface):
    """The cookie that binds form tokens to a browser: for HTTPS alone wherever the session's is."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask asks with the application
        return _over_https()


def init_auth(app: Flask) -> None:
    """Register the hook that finds the actor of every request."""
    app.session_interface = _FormTokens()
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)  # checked below, where it is known who asks
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # as long as the browser's session, which it is bound to
    _csrf.init_app(app)
    # Counted in each process: with N workers a guesser has N times as many tries, still far too few.
    app.extensions[_EXTENSION] = FixedWindowRateLimiter(MemoryStorage())
    app.before_request(load_actor)


def load_actor() -> None:
    """Set ``g.actor``.

    Raises:
        Unauthenticated: credentials were sent and are wrong.
        Forbidden: a browser sent a form that no page of this hub made.
        TooManyRequests: too many wrong passwords lately.
    """
    g.actor, g.in_session = ANONYMOUS, False
    if request.endpoint == "static" or request.blueprint in _OWN_TOKENS:
        return
    if request.headers.get("Authorization"):
        _refuse_remembered_credentials()
        g.actor = _from_header()
    elif request.blueprint not in _WITHOUT_COOKIES:
        _load_from_cookie()


def in_session() -> bool:
    """Whether the actor signed in with a password in this browser, rather than with a token."""
    return bool(g.get("in_session", False))


def sign_in(name: str, password: str) -> Actor:
    """Check a password, slowly for those who guess.

    Raises:
        Unauthenticated: wrong name or password.
        TooManyRequests: within a minute there were ten wrong ones from this address for this name, or sixty from
            this address.
    """
    wrong = cast(FixedWindowRateLimiter, current_app.extensions[_EXTENSION])
    address = request.remote_addr or ""
    counted = ((_PER_NAME, "name", address, name.lower()), (_PER_ADDRESS, "address", address))
    if not all(wrong.test(limit, *keys) for limit, *keys in counted):
        raise TooManyRequests("Too many wrong passwords. Wait a minute and try again.")
    try:
        return accounts.actor_from_password(hub(), name, password)
    except Unauthenticated:
        for limit, *keys in counted:
            wrong.hit(limit, *keys)
        raise


def set_session(response: Response, secret: str) -> None:
    """Put the session's secret into a cookie that scripts and other sites cannot use."""
    session.clear()  # form tokens of before the sign-in are void
    response.set_cookie(
        COOKIE,
        secret,
        max_age=hub().settings.session_seconds,
        httponly=True,
        samesite="Lax",
        secure=_over_https(),
    )


def end_session(response: Response) -> None:
    """End the session, here and in the browser."""
    secret = request.cookies.get(COOKIE)
    if secret:
        accounts.end_session(hub(), secret)
    session.clear()
    response.delete_cookie(COOKIE)


def _over_https() -> bool:
    return request.is_secure or hub().settings.public_url.startswith("https://")


def _load_from_cookie() -> None:
    if request.method not in _SAFE_METHODS:
        if _API.match(request.path) and _API_HEADER not in request.headers:
            return  # programs send tokens; what comes with a cookie alone may be another site's doing
        if not _is_own_form():
            raise Forbidden("This form is too old or was not made by this hub. Allow cookies, reload it and try again.")
    secret = request.cookies.get(COOKIE)
    found = accounts.actor_from_session(hub(), secret) if secret else None
    if found is not None:
        g.actor, g.in_session = found, True


def _refuse_remembered_credentials() -> None:
    # A browser that once asked for a name and password sends them along with whatever another site makes it send.
    # Unlike git and scripts it names the origin when it writes.
    basic = request.authorization is not None and request.authorization.type == "basic"
    if not basic or request.method in _SAFE_METHODS or "Origin" not in request.headers:
        return
    if request.blueprint in _WITHOUT_COOKIES or not _is_own_form():
        raise Forbidden("This request came from a web page. Push with git; write to the API with a bearer token.")


def _is_own_form() -> bool:
    try:
        _csrf.protect()
    except CSRFError:
        return False
    return True


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
        if password.startswith(PREFIX):
            raise
    try:
        return sign_in(authorization.username or "", password)
    except Unauthenticated as error:
        raise Unauthenticated(INVALID) from error
