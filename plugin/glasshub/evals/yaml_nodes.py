"""Untrusted YAML as positioned nodes.

libyaml's events are composed here without recursion, so depth and count are bounded whatever the input.
Of YAML only what the files of this field need is understood: no aliases, anchors, tags, merge keys or
several documents; plain scalars resolve to null, true/false, integers and decimal numbers, everything
else is text (so ``no``, ``1:30`` and ``2026-01-02`` stay as written).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import yaml

from glasshub.evals.problems import Problem

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

MAX_DEPTH = 32
MAX_NODES = 50_000
MAX_PROBLEMS = 200
MAX_DIRECTIVES = 20
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
_MAX_DIGITS = 400
_MAYBE_DIRECTIVE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%")

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


@dataclass(slots=True)
class Scalar:
    """A scalar: its text, whether it stood without quotes, and where (from 1)."""

    text: str
    plain: bool
    line: int
    column: int

    @property
    def value(self) -> bool | int | float | str | None:
        """What the text means; quoted and block scalars are always text."""
        return _resolve(self.text) if self.plain else self.text


@dataclass(slots=True)
class Sequence:
    """A list of nodes."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """A mapping with text keys, each once; ``keys`` tells where each key stands."""

    line: int
    column: int
    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """The value of ``key``; ``None`` when it is missing."""
        return self.items.get(key)

    def at(self, key: str) -> Node:
        """Where to point for a problem with ``key``: its value if there is one, else the mapping."""
        return self.items.get(key, self)


Node = Scalar | Sequence | Mapping


class Problems:
    """Collects the problems of one file: the first ``MAX_PROBLEMS`` in full, and how many ``errors`` in all."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._found: list[Problem] = []
        self.errors = 0

    def error(self, node: Node, message: str) -> None:
        """Note that something does not count."""
        self.error_at(node.line, node.column, message)

    def warn(self, node: Node, message: str) -> None:
        """Note that something counts but deserves a look."""
        if len(self._found) < MAX_PROBLEMS:
            self._found.append(Problem(self.path, node.line, node.column, message, "warning"))

    def error_at(self, line: int, column: int, message: str) -> None:
        """Note an error at a place without a node."""
        self.errors += 1
        if len(self._found) < MAX_PROBLEMS:
            self._found.append(Problem(self.path, line, column, message))

    def add(self, problem: Problem) -> None:
        """Note what was found elsewhere."""
        self.errors += problem.severity == "error"
        if len(self._found) < MAX_PROBLEMS:
            self._found.append(problem)

    def all(self) -> tuple[Problem, ...]:
        """Everything found, in file order."""
        return tuple(sorted(self._found))


class _Stop(Exception):
    """The file cannot be read further; the problem has been noted."""


def compose(data: bytes, problems: Problems, *, max_bytes: int) -> Node | None:
    """The root node of one YAML document.

    Args:
        data: the file.
        problems: where problems are noted.
        max_bytes: larger files are refused.

    Returns:
        The root, or ``None`` when the file is empty or cannot be read (then ``problems`` says why).
        Never raises on bad input.
    """
    if len(data) > max_bytes:
        problems.error_at(1, 1, f"The file has {len(data):,} bytes; at most {max_bytes:,} are read. Split it up.")
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(data[: error.start].decode("utf-8", "replace"))
        problems.error_at(line, column, "The file is not UTF-8. Save it as UTF-8.")
        return None
    if place := _one_directive_too_many(text):
        problems.error_at(*place, f"More than {MAX_DIRECTIVES} lines begin with %, as directives do. Remove them.")
        return None
    try:
        return _Composer(problems).compose(text.removeprefix("\ufeff"))
    except yaml.reader.ReaderError as error:
        line, column = _place(text[: max(error.position, 0)])
        problems.error_at(line, column, "There is a control character that YAML does not allow. Remove it.")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        problems.error_at(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, f"This is not YAML: {what}.")
    except yaml.YAMLError as error:
        problems.error_at(1, 1, f"This is not YAML: {error}.")
    except _Stop:
        pass
    return None


def to_python(node: Node | None) -> Plain:
    """A node as plain, JSON-serialisable values (non-finite numbers become text, as JSON has none)."""
    if node is None:
        return None
    if isinstance(node, Sequence):
        return [to_python(item) for item in node.items]
    if isinstance(node, Mapping):
        return {key: to_python(value) for key, value in node.items.items()}
    value = node.value
    return node.text if isinstance(value, float) and not math.isfinite(value) else value


class _Composer:
    """Builds nodes from events with a stack of its own."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._stack: list[Sequence | Mapping] = []
        self._keys: list[Scalar | None] = []
        self._root: Node | None = None
        self._nodes = 0
        self._documents = 0

    def compose(self, text: str) -> Node | None:
        for event in _events(text):
            if isinstance(event, yaml.ScalarEvent):
                line, column = self._begin(event)
                self._place(Scalar(event.value, not event.style and event.implicit[0], line, column))
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._stack.pop()
                self._keys.pop()
            elif isinstance(event, yaml.AliasEvent):
                self._stop(event, "Aliases (*name) are not read. Write the value out.")
            elif isinstance(event, yaml.DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    self._stop(event, "There is a second document (---) in the file. Keep one document a file.")
        return self._root

    def _begin(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> tuple[int, int]:
        """Count a value and check what it may not have; where it starts."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(event, f"The file has more than {MAX_NODES:,} values. Split it up.")
        if event.anchor is not None:
            self._stop(event, "Anchors (&name) are not read. Remove it.")
        if event.tag is not None and event.tag != "!":
            self._stop(event, "Tags (!name) are not read. Remove it.")
        return _start(event)

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        line, column = self._begin(event)
        node = Mapping(line, column) if isinstance(event, yaml.MappingStartEvent) else Sequence(line, column)
        self._place(node)
        if len(self._stack) >= MAX_DEPTH:
            self._stop(event, f"Values are nested deeper than {MAX_DEPTH} levels.")
        self._stack.append(node)
        self._keys.append(None)

    def _place(self, node: Node) -> None:
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif (key := self._keys[-1]) is None:
            self._take_key(node)
        else:
            self._keys[-1] = None
            if key.text in parent.items:
                first = parent.keys[key.text].line
                self._problems.error(key, f"The key {_short(key.text)} stands here twice (first on line {first}).")
            else:
                parent.items[key.text], parent.keys[key.text] = node, key

    def _take_key(self, node: Node) -> None:
        if not isinstance(node, Scalar):
            self._problems.error(node, "A key must be plain text, not a list or mapping.")
            raise _Stop
        if node.text == "<<" and node.plain:
            self._problems.error(node, "Merge keys (<<) are not read. Write the values out.")
            raise _Stop
        self._keys[-1] = node

    def _stop(self, event: yaml.Event, message: str) -> None:
        self._problems.error_at(*_start(event), message)
        raise _Stop


def _one_directive_too_many(text: str) -> tuple[int, int] | None:
    """Where, for libyaml compares each directive with all before it."""
    if text.count("%") <= MAX_DIRECTIVES:
        return None
    found = next(islice(_MAYBE_DIRECTIVE.finditer(text), MAX_DIRECTIVES, None), None)
    return None if found is None else _place(text[: found.end()])


def _start(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _events(text: str) -> Iterator[yaml.Event]:
    loader = _Loader(text)
    try:
        while (event := loader.get_event()) is not None:
            yield event
    finally:
        loader.dispose()


def _resolve(text: str) -> bool | int | float | str | None:
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return _SPECIAL.get(text.lower(), text)


def _place(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
