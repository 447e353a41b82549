"""Which paths a ``.gitignore`` excludes (https://git-scm.com/docs/gitignore). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from glasshub.errors import Invalid
from glasshub.git import patterns

MAX_RULES = 1000
MAX_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One line."""

    parts: patterns.Parts
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
            if (folder or not rule.folders_only) and patterns.matches(rule.parts, parts):
                return not rule.includes
        return False


def _rule(line: str) -> Rule | None:
    if line.startswith("#"):
        return None
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    includes = line.startswith("!")
    line = line[1:] if includes else line
    parts = patterns.parse(line)
    return Rule(parts, includes, line.endswith("/")) if parts else None
