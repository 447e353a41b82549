"""How clients and forms say that a request is the same as one before, so that sending it again does no harm."""

from __future__ import annotations

import hashlib

from flask import request

from glasshub.errors import Invalid
from glasshub.web.context import actor

FIELD = "once"  # of forms: each page that is shown has another one
LONGEST_KEY = 255
_NOT_SAID = {"csrf_token"}


def request_id() -> str:
    """24 hex digits for this request: the same if it comes again, of the same person with the same key and content.

    ``""`` when it has no key (the header ``Idempotency-Key``, or the form's own): then it stands for itself.

    Raises:
        Invalid: the key is too long.
    """
    form = request.form
    key = request.headers.get("Idempotency-Key", "") or form.get(FIELD, "")
    if not key:
        return ""
    if len(key) > LONGEST_KEY:
        raise Invalid(f"The Idempotency-Key has {len(key):,} characters; at most {LONGEST_KEY} are taken.")
    files = [f"{name}={file.filename}" for name, file in request.files.items(multi=True)]
    fields = [f"{name}={value}" for name, value in form.items(multi=True) if name not in _NOT_SAID]
    content = "\0".join([*fields, *files]).encode("utf-8", "replace") if form else request.get_data()
    said = "\0".join([actor().name or "", request.method, request.path, key]).encode("utf-8", "replace")
    return hashlib.sha256(said + b"\0\0" + content).hexdigest()[:24]
