"""JSON of strangers: read within limits, and looked at without trust in any of its types."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from glasshub import clock
from glasshub.evals.entry_text import clean
from glasshub.evals.eval_results import normalise_date

MAX_JSON = 20 * 1024 * 1024
MAX_VALUES = 1_000_000  # each takes memory many times its size in the file
MAX_TEXT = 300
_REPO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d{1,9})?")


def parse_json(data: bytes) -> Any:
    """The JSON in a file; ``None`` if it is none, or larger than is read."""
    if len(data) > MAX_JSON or sum(data.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def mapping(value: Any) -> Mapping[str, Any]:
    """``value`` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """``value`` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """``value`` as a single line if it is text, else ``""``; what is too long is cut."""
    return " ".join(clean(value[: 4 * limit]).split())[:limit] if isinstance(value, str) else ""


def number(value: Any) -> str:
    """``value`` as it stands in a result file if it is a finite number, else ``""``. Truth values are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return repr(value) if math.isfinite(float(value)) else ""
    except OverflowError:  # an integer beyond what a float takes
        return ""


def whole(value: Any) -> int | None:
    """``value`` if it is a whole number that is not negative."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def repo_id(value: Any) -> str:
    """``value`` if it is written like ``namespace/name``, else ``""``."""
    return value if isinstance(value, str) and _REPO_ID.fullmatch(value) else ""


def commit(value: Any) -> str:
    """``value`` if it is written like a commit id, else ``""``: the name of a branch says nothing for later."""
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else ""


def moment(value: Any) -> str:
    """A time in the hub's form: of seconds since 1970 (a number, or as text), or ISO-8601. ``""``: it is none."""
    if isinstance(value, str) and _EPOCH.fullmatch(value):
        value = float(value)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return clock.iso(datetime.fromtimestamp(int(value), UTC)) if value > 0 else ""
        return normalise_date(value) if isinstance(value, str) else ""
    except (ValueError, OverflowError, OSError):
        return ""


def conditions(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Settings by name as text; those that are empty, or neither text, number nor truth value, are left out."""
    found: dict[str, str] = {}
    for name, value in pairs:
        said = str(value).lower() if isinstance(value, bool) else number(value) or text(value)
        if said:
            found[name] = said
    return found
