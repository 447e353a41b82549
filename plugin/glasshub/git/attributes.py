"""What ``.gitattributes`` files say of paths (https://git-scm.com/docs/gitattributes). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from glasshub.errors import Invalid
from glasshub.git import patterns

NAME = ".gitattributes"
MAX_RULES = 1000  # with wildcards; others cost nothing
MAX_CHARACTERS = 1_000_000
MAX_LINE = 2047  # bytes; git passes over longer lines
_BLANK = " \t\r"
_WILD = re.compile(r"[*?\[\\]")
_ESCAPE = re.compile(r"\\([abfnrtv\"\\]|[0-3][0-7]{2})")
_ESCAPED = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, '"': 34, "\\": 92}
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[ \t\r]|$)')
_MACRO = "[attr]"
_ATTRIBUTE = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
State = str | bool | None
States = tuple[tuple[str, State], ...]
Macros = Mapping[str, States]


class Attributes:
    """The rules of one ``.gitattributes``.

    Args:
        text: its content.

    Raises:
        Invalid: it is too long to be matched in good time.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MAX_CHARACTERS:
            raise Invalid(f"{NAME} has more than {MAX_CHARACTERS:,} characters. Shorten it.")
        #: what ``[attr]`` lines define; git heeds those of the file at the root only
        self.macros: dict[str, States] = {}
        self._states: list[States] = []
        self._wild: list[tuple[int, patterns.Parts]] = []
        self._paths: dict[str, list[int]] = {}
        self._names: dict[str, list[int]] = {}
        for line in text.removeprefix("\ufeff").split("\n"):
            self._add(line)
        if len(self._wild) > MAX_RULES:
            raise Invalid(f"{NAME} has {len(self._wild):,} wildcards; at most {MAX_RULES:,} are matched. Shorten it.")

    def states(self, path: str) -> Iterator[States]:
        """What the lines that match a path (from the file's folder) say, the last line first."""
        parts = path.split("/")
        found = [*self._paths.get(path, ()), *self._names.get(parts[-1], ())]
        found += [number for number, wild in self._wild if patterns.matches(wild, parts)]
        return (self._states[number] for number in sorted(found, reverse=True))

    def _add(self, line: str) -> None:
        if len(line.encode("utf-8", "surrogateescape")) > MAX_LINE:
            return
        pattern, rest = _split(line.strip(_BLANK))
        states = tuple(map(_state, rest.split()))
        if not pattern or pattern.startswith("#") or not all(_ATTRIBUTE.fullmatch(name) for name, _ in states):
            return
        if pattern.startswith(_MACRO) and pattern != _MACRO:
            self.macros[pattern.removeprefix(_MACRO)] = states
            return
        if pattern.startswith("!") or pattern.endswith("/"):
            return  # git knows no exceptions here, and folders have no attributes
        number = len(self._states)
        self._states.append(states)
        if _WILD.search(pattern):
            self._wild.append((number, patterns.parse(pattern)))
        elif "/" in pattern:
            self._paths.setdefault(pattern.removeprefix("/"), []).append(number)
        else:
            self._names.setdefault(pattern, []).append(number)


def value(attribute: str, levels: Sequence[tuple[Attributes, str]]) -> State:
    """What an attribute is for a path: a text, ``True`` or ``False``, ``None`` where nothing is said.

    Args:
        attribute: its name.
        levels: the files that may speak of the path, the nearest to it first and the root's last, each with the path
            as seen from its folder.
    """
    macros = levels[-1][0].macros if levels else {}
    known: dict[str, State] = {}
    for attributes, path in levels:
        for states in attributes.states(path):
            _fill(known, states, macros)
            if attribute in known:
                return known[attribute]
    return None


def line_for(path: str, states: str) -> str:
    """A line that says something of the file at a path, and of nothing else."""
    text = "/" + re.sub(r"([*?\[\\])", r"\\\1", path)
    if any(char in text for char in ' \t"') or not text.isprintable():
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        text = '"' + "".join(f"\\{ord(c):03o}" if ord(c) < 32 or ord(c) == 127 else c for c in escaped) + '"'
    return f"{text} {states}\n"


def _fill(known: dict[str, State], states: States, macros: Macros) -> None:
    """What is not known yet; a macro that is set stands for what it was defined as."""
    for name, state in reversed(states):
        if name not in known:
            known[name] = state
            if state is True:
                _fill(known, macros.get(name, ()), macros)


def _split(line: str) -> tuple[str, str]:
    """The pattern of a line, and the rest."""
    if quoted := _QUOTED.match(line):
        raw = _ESCAPE.sub(_unescaped, quoted[1].encode("utf-8", "surrogateescape").decode("latin-1"))
        return raw.encode("latin-1").decode("utf-8", "surrogateescape"), line[quoted.end() :]
    pattern = re.split(r"[ \t\r]", line, maxsplit=1)[0]
    return pattern, line[len(pattern) :]


def _unescaped(found: re.Match[str]) -> str:
    return chr(_ESCAPED[found[1]] if found[1] in _ESCAPED else int(found[1], 8))


def _state(word: str) -> tuple[str, State]:
    if word.startswith("-"):
        return word[1:], False
    if word.startswith("!"):
        return word[1:], None
    name, equals, text = word.partition("=")
    return name, text if equals else True
