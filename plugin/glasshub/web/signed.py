"""Addresses that carry their own permission: for one method, one path, one purpose and a limited time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from flask import current_app, request

from glasshub.errors import Forbidden, Unauthenticated
from glasshub.web.context import public_url

SECONDS = 12 * 3600  # a large file over a slow line takes its time
_EXPIRES, _SIGNATURE = "expires", "signature"


def sign(method: str, path: str, claims: Mapping[str, str], *, seconds: int = SECONDS) -> str:
    """The absolute address of ``path`` with ``claims`` in its query, good for ``method`` until it expires."""
    query = {**claims, _EXPIRES: str(int(time.time()) + seconds)}
    return f"{public_url()}{path}?{urlencode({**query, _SIGNATURE: _signature(method, path, query)})}"


def claims() -> Mapping[str, str]:
    """The claims of a signed request.

    Raises:
        Forbidden: the signature does not fit, or has expired.
    """
    query = request.args.to_dict()
    given = query.pop(_SIGNATURE, "")
    method = "GET" if request.method == "HEAD" else request.method
    if not hmac.compare_digest(given, _signature(method, request.path, query)):
        raise Forbidden("This address is not one that the hub gave out. Ask for a new one.")
    if not query.get(_EXPIRES, "").isdigit() or int(query[_EXPIRES]) < time.time():
        raise Forbidden("This address has expired. Ask for a new one.")
    return query


def seal(said: Mapping[str, str], *, seconds: int) -> tuple[str, int]:
    """A token that carries ``said``, and when it expires (seconds since the epoch)."""
    expires = int(time.time()) + seconds
    text = base64.urlsafe_b64encode(json.dumps({**said, _EXPIRES: str(expires)}).encode()).rstrip(b"=").decode("ascii")
    return f"{text}.{_signature('token', text, {})}", expires


def unseal(token: str) -> Mapping[str, str]:
    """What a token carries. Raises ``Unauthenticated`` when it is not one of ours, or has expired."""
    text, _, signature = token.partition(".")
    if not hmac.compare_digest(signature, _signature("token", text, {})):
        raise Unauthenticated("This token is not one that the hub gave out. Ask for a new one.")
    said: dict[str, str] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if int(said.pop(_EXPIRES)) < time.time():
        raise Unauthenticated("This token has expired. Ask for a new one.")
    return said


def derived_key(purpose: str) -> bytes:
    """32 bytes that only this hub can make, the same for the same purpose."""
    return hmac.new(hashlib.sha256(b"derived keys" + _secret()).digest(), purpose.encode(), hashlib.sha256).digest()


def _signature(method: str, path: str, query: Mapping[str, str]) -> str:
    text = "\n".join([method, path, *(f"{name}={value}" for name, value in sorted(query.items()))])
    return hmac.new(hashlib.sha256(b"signed addresses" + _secret()).digest(), text.encode(), hashlib.sha256).hexdigest()


def _secret() -> bytes:
    key = current_app.secret_key
    assert isinstance(key, bytes)
    return key
