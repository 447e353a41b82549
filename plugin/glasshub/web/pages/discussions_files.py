"""Files that come with a comment's form: kept as attachments, and named in the comment."""

from __future__ import annotations

import re

from flask import request

from glasshub import uploads
from glasshub.web.context import actor, hub
from glasshub.web.uploads import refuse_floods

FIELD = "attachment"
TAKEN = ",".join(uploads.SUFFIXES)  # for the form's file chooser
_NOT_IN_LABELS = re.compile(r"[^\w .()-]")


def with_attachment(text: str) -> str:
    """The text with a mark for the file that was sent along, if there was one; the file is kept.

    Raises:
        Invalid, TooLarge, TooManyRequests, Unauthenticated, Forbidden: as :func:`glasshub.uploads.store`.
    """
    file = request.files.get(FIELD)
    if file is None or not file.filename:
        return text
    refuse_floods()
    with file.stream as stream:
        name = uploads.store(hub(), actor(), file.mimetype, stream)
    label = _NOT_IN_LABELS.sub("", file.filename).strip()[:100] or "attachment"
    mark = "!" if file.mimetype.startswith("image/") else ""
    return f"{text.rstrip()}\n\n{mark}[{label}](/uploads/{name})".lstrip()
