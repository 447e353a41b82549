"""Which paths a ``.gitignore`` excludes (https://git-scm.com/docs/gitignore). Pure.

Patterns come from strangers, so no pattern may take more than its length times the path's: after each ``*`` the first
place where the rest up to the next ``*`` fits is taken for good, which never misses a match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from glasshub.errors import Invalid

MAX_RULES = 1000
MAX_CHARACTERS = 100_000
_ANY = "**"
_CLASS = re.compile(r"\[([!^]?)(\]?[^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line: ``parts`` are its segments, ``None`` for ``**``."""

    parts: tuple[re.Pattern[str] | None, ...]
    includes: bool
    folders_only: bool


class Ignore:
    """The rules of a ``.gitignore`` at the root of a repo.

    Args:
        text: its content.

    Raises:
        Invalid: it is too long to be matched in good time.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise Invalid(f".gitignore has more than {MAX_CHARACTERS:,} characters. Shorten it.")
        rules = [rule for line in text.splitlines() if (rule := _rule(line)) is not None]
        if len(rules) > MAX_RULES:
            raise Invalid(f".gitignore has {len(rules):,} patterns; at most {MAX_RULES:,} are matched. Shorten it.")
        self._rules = rules[::-1]
        self._folders: dict[tuple[str, ...], bool] = {}

    def excludes(self, path: str) -> bool:
        """Whether the file at ``path`` is excluded, by itself or with a folder above it."""
        parts = tuple(path.split("/"))
        for depth in range(1, len(parts)):
            if self._excludes_folder(parts[:depth]):
                return True
        return self._verdict(parts, folder=False)

    def _excludes_folder(self, parts: tuple[str, ...]) -> bool:
        if parts not in self._folders:
            self._folders[parts] = self._verdict(parts, folder=True)
        return self._folders[parts]

    def _verdict(self, parts: tuple[str, ...], *, folder: bool) -> bool:
        """What the last rule that matches says."""
        for rule in self._rules:
            if (folder or not rule.folders_only) and _matches(rule.parts, parts):
                return not rule.includes
        return False


def _rule(line: str) -> Rule | None:
    if line.startswith("#"):
        return None
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    includes = line.startswith("!")
    line = line[1:] if includes else line
    folders_only = line.endswith("/")
    anchored = "/" in line.rstrip("/")
    segments = [segment for segment in line.split("/") if segment]
    if not segments:
        return None
    if not anchored:
        segments = [_ANY, *segments]
    parts: list[re.Pattern[str] | None] = []
    for segment in segments:
        part = None if segment == _ANY else _pattern(segment)
        if part is not None or not parts or parts[-1] is not None:
            parts.append(part)
    if parts[-1] is None:  # "folder/**": everything inside, but not the folder itself
        parts.append(_pattern("*"))
    return Rule(tuple(parts), includes, folders_only)


def _matches(rule: Sequence[re.Pattern[str] | None], parts: Sequence[str]) -> bool:
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
