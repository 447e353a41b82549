"""Numbers of result files. Pure."""

from __future__ import annotations


def as_written(text: str, value: float) -> int | float:
    """``value`` as the file has it in ``text``: a whole number stays one."""
    digits = text.lstrip("+-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 300 else value
