"""What older versions of the stock client cannot read."""

from __future__ import annotations

import re

from flask import request

_VERSION = re.compile(r"\bhf_hub/(\d{1,4})\.(\d{1,4})\b")
_KNOWS_ERRORS = (1, 33)


def knows_errors() -> bool:
    """Whether the caller can read ``{filename, error}`` among results; stock clients before 1.33 break off there."""
    found = _VERSION.search(request.headers.get("User-Agent", ""))
    return found is None or (int(found[1]), int(found[2])) >= _KNOWS_ERRORS
