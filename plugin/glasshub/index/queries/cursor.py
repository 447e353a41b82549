"""Cursors: the sort key of the last row, opaque to clients, checked when it comes back."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

from glasshub.errors import Invalid

MOST_ROWS = 1000


def encode(kind: str, *values: object) -> str:
    """The cursor after the row with this sort key; ``kind`` names the query and its order."""
    text = json.dumps([kind, *values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")


def decode(cursor: str, kind: str, *types: type) -> tuple[Any, ...]:
    """The sort key in a cursor made for the same ``kind``, its values of these types.

    Raises:
        Invalid: it was not made here, or for another list.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _bad() from error
    if not isinstance(found, list) or len(found) != len(types) + 1 or found[0] != kind:
        raise _bad()
    if not all(_is(value, wanted) for value, wanted in zip(found[1:], types, strict=True)):
        raise _bad()
    return tuple(found[1:])


def clamp(limit: int) -> int:
    """A page size within bounds."""
    return max(1, min(limit, MOST_ROWS))


def _is(value: object, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, float) and math.isfinite(value)
    if wanted is int:
        return type(value) is int and abs(value) < 2**63
    return isinstance(value, str) and value.isascii() | value.isprintable()


def _bad() -> Invalid:
    return Invalid("The cursor is not one that this list gave out. Start again from the first page.")
