"""JSON that every reader takes: what files may hold beyond it (NaN, halves of characters) is replaced."""

from __future__ import annotations

import json
import math
from typing import Any

import orjson


def to_json(value: Any) -> bytes:
    """JSON text of mappings, sequences and plain values; numbers that are not finite become ``null``."""
    try:
        return orjson.dumps(value)
    except TypeError:  # numbers beyond 64 bits, text that is no Unicode
        return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), default=str).encode()


def clean(text: str) -> str:
    """``text`` with what is no Unicode character replaced by ``?``."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {clean(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return clean(value) if isinstance(value, str) else value
