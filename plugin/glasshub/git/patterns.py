"""Patterns of paths as ``.gitignore`` and ``.gitattributes`` have them (https://git-scm.com/docs/gitignore). Pure.

They come from strangers, so no pattern may take more than its length times the path's: after each ``*`` the first
place where the rest up to the next ``*`` fits is taken for good, which never misses a match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_ANY = "**"
_CLASS = re.compile(r"\[([!^]?)(\]?[^\]]*)\]")
Parts = tuple[re.Pattern[str] | None, ...]


def parse(text: str) -> Parts:
    """The segments of a pattern, ``None`` for ``**``; empty when it has none."""
    anchored = "/" in text.rstrip("/")
    segments = [segment for segment in text.split("/") if segment]
    if not segments:
        return ()
    if not anchored:
        segments = [_ANY, *segments]
    parts: list[re.Pattern[str] | None] = []
    for segment in segments:
        part = None if segment == _ANY else _pattern(segment)
        if part is not None or not parts or parts[-1] is not None:
            parts.append(part)
    if parts[-1] is None:  # "folder/**": everything inside, but not the folder itself
        parts.append(_pattern("*"))
    return tuple(parts)


def matches(rule: Sequence[re.Pattern[str] | None], parts: Sequence[str]) -> bool:
    """Whether the segments fit, ``None`` standing for any number of them."""
    runs: list[list[re.Pattern[str]]] = [[]]
    for part in rule:
        if part is None:
            runs.append([])
        else:
            runs[-1].append(part)
    first, last = runs[0], runs[-1]
    if len(runs) == 1:
        return len(first) == len(parts) and _fits(first, parts, 0)
    if len(first) + len(last) > len(parts) or not _fits(first, parts, 0):
        return False
    at, end = len(first), len(parts) - len(last)
    for run in runs[1:-1]:
        while at + len(run) <= end and not _fits(run, parts, at):
            at += 1
        at += len(run)
    return at <= end and _fits(last, parts, end)


def _fits(run: Sequence[re.Pattern[str]], parts: Sequence[str], at: int) -> bool:
    return all(pattern.fullmatch(parts[at + n]) for n, pattern in enumerate(run))


@lru_cache(maxsize=2000)
def _pattern(segment: str) -> re.Pattern[str]:
    """One segment of a pattern as an expression that never goes back on a ``*``."""
    chunks = [""]
    at = 0
    while at < len(segment):
        char = segment[at]
        found = _CLASS.match(segment, at) if char == "[" else None
        if found:
            chunks[-1] += _class(found[1], found[2])
            at = found.end()
            continue
        if char == "*":
            chunks.append("")
        elif char == "?":
            chunks[-1] += "."
        else:
            at += char == "\\" and at + 1 < len(segment)
            chunks[-1] += re.escape(segment[at])
        at += 1
    first, *middle, last = chunks if len(chunks) > 1 else [chunks[0], ""]
    if len(chunks) == 1:
        return re.compile(first, re.DOTALL)
    return re.compile(first + "".join(f"(?>.*?{chunk})" for chunk in middle if chunk) + f".*{last}", re.DOTALL)


def _class(negated: str, inside: str) -> str:
    """``[a-z]`` as an expression; what makes none matches nothing."""
    escaped = re.sub(r"([\\\[\]&~|^])", r"\\\1", inside)
    expression = f"[{'^' if negated else ''}{escaped}]"
    try:
        re.compile(expression)
    except re.error:
        return "(?!)"
    return expression
