"""Who is mentioned in a text: ``@name``, as :mod:`glasshub.references` reads it, outside of code. Pure."""

from __future__ import annotations

import re

from glasshub.references import references

MOST = 50  # of one text
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_CODE = re.compile(r"`[^`\n]*`")


def mentioned(text: str) -> list[str]:
    """The lower-cased names, each once, in order; whether there are such users is not known here."""
    names = (found.value.lower() for found in references(_without_code(text)) if found.kind == "person")
    return list(dict.fromkeys(names))[:MOST]


def _without_code(text: str) -> str:
    lines, fenced = [], False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            lines.append(line)
    return _CODE.sub(" ", "\n".join(lines))
