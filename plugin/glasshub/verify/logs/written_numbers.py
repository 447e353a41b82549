"""Numbers in what a model wrote, as the scorer ``match(numeric: true)`` of Inspect finds them.

Follows ``inspect_ai.scorer._common`` and ``_unicode`` 0.3.285 for digits, signs and separators of any script. Numbers
in words or signs of their own (superscripts, fractions, Chinese numerals) are said to be unknown, and never guessed.
"""

from __future__ import annotations

import math
import re
import unicodedata

from glasshub.errors import Invalid

_AROUND = "!?:;()[]{}'\"`"  # what may stand around a number, and is not part of it
_SIGNS = dict.fromkeys(map(ord, "−﹣－"), "-") | dict.fromkeys(map(ord, "＋﹢"), "+")
_POINTS = dict.fromkeys(map(ord, "٫．"), ".")
_GROUPS = dict.fromkeys(map(ord, ",，﹐、٬\u00a0\u202f\u2009\u2007\u2008’ʼ＇"), "'")
_PLAIN = _SIGNS | _POINTS | _GROUPS
_DIGITS = re.compile(r"[0-9.'\s]*(?:[eE][+-]?[0-9.'\s]*)?")
_POSSIBLE = frozenset("0123456789.'+-eE点點负負正")
_PRECISION = 5


def without_decoration(text: str) -> str:
    """The text without currency signs, separators of thousands, marks of emphasis, and full stops after numbers."""
    text = re.sub(r"\\([$,£€*_])", r"\1", text)
    return re.sub(r"\.(?=\s|$|\D)", "", re.sub(r"[$,£€*_]", "", text))


def normal(text: str, *, trim: bool = True) -> str | None:
    """The number that a text is, to five digits (``None``: it is none).

    Args:
        text: one word, or more.
        trim: whether brackets, quotes and the like around it are passed over.

    Raises:
        Invalid: it may be a number that is written in a way that is not understood here.
    """
    number = _parsed(text.strip(_AROUND) if trim else text)
    return None if number is None else format(number, f".{_PRECISION}g")


def _parsed(text: str) -> float | None:
    try:
        number = float(text)
        if math.isfinite(number):
            return number
    except ValueError:
        pass  # it may be one that float() does not know
    plain = "".join(_ascii_digit(character) for character in text.translate(_PLAIN)).strip()
    unsigned = plain.lstrip("+- ")
    if _DIGITS.fullmatch(unsigned) and unsigned.count(".") <= 1:
        return _finite(unsigned, negative=plain[: len(plain) - len(unsigned)].count("-") % 2 == 1)
    if not unsigned.isascii() and _may_be_number(unsigned):
        raise Invalid(f"The number {text[:40]!r} is written in a way that is not graded again here.")
    return None


def _finite(digits: str, *, negative: bool) -> float | None:
    try:
        number = float(re.sub(r"[\s']", "", digits))
    except ValueError:
        return None
    return (-number if negative else number) if math.isfinite(number) else None


def _ascii_digit(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _may_be_number(text: str) -> bool:
    kinds = [unicodedata.numeric(character, None) is not None for character in text]
    known = all(
        numeric or character in _POSSIBLE or character.isspace() for character, numeric in zip(text, kinds, strict=True)
    )
    return known and (any(kinds) or any(character in "点點" for character in text))
