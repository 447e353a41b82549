"""What people refer to in running text: @name, #12, commit and result ids, bare addresses. Pure.

What a reference leads to is the caller's to know; those without an address stay plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

Kind = Literal["person", "number", "id", "url"]
MOST = 200  # of one text; the rest stay plain
SHORT = 7  # digits of a commit id that are shown
ENV = "glasshub_addresses"  # where the parser finds the addresses
_REFERENCE = re.compile(
    r"(?<![\w/@#.&-])(?:@(?P<person>[A-Za-z0-9][\w.-]{0,38})|#(?P<number>[1-9][0-9]{0,8})(?![\w-])"
    r"|(?P<id>[0-9a-f]{7,40})(?![\w-])|(?P<url>https?://[^\s<>\"'`|\\^{}]{1,2000}))",
    re.ASCII,
)
_TRAILING = {"person": "._-", "url": ".,:;!?'"}


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference and where it stands in its text; ``text`` is as written, ``value`` without its mark."""

    kind: Kind
    text: str
    value: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def references(text: str) -> Iterator[Reference]:
    """The references in a text, in order."""
    for found in _REFERENCE.finditer(text):
        kind: Kind = found.lastgroup  # type: ignore[assignment]
        value = found[kind]
        if kind == "id" and value.isdigit() and len(value) < 40:
            continue  # a number like any other
        if kind in _TRAILING:
            value = _without_punctuation(value, _TRAILING[kind])
        start, end = found.start(), found.start(kind) + len(value)
        yield Reference(kind, text[start:end], value, start)


def candidates(text: str) -> list[Reference]:
    """What may be a reference in Markdown, each once; it may stand in code, where it is none."""
    found: dict[str, Reference] = {}
    for reference in references(text):
        found.setdefault(reference.text, reference)
        if len(found) == MOST:
            break
    return list(found.values())


def plugin(parser: MarkdownIt) -> None:
    """Make the parser link the references that its environment has addresses for, and bare addresses."""
    parser.core.ruler.push("references", _link_all)


def _link_all(state: StateCore) -> None:
    addresses = state.env.get(ENV)
    if addresses is None:
        return
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_linked(token.children, addresses))


def _linked(children: Sequence[Token], addresses: Mapping[str, str]) -> Iterator[Token]:
    depth = 0
    for token in children:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not depth:
            yield from _split(token.content, addresses)
        else:
            yield token


def _split(text: str, addresses: Mapping[str, str]) -> Iterator[Token]:
    at = 0
    for reference in references(text):
        address = reference.text if reference.kind == "url" else addresses.get(reference.text, "")
        if address:
            yield _text(text[at : reference.start])
            yield from _link(reference, address)
            at = reference.end
    yield _text(text[at:])


def _link(reference: Reference, address: str) -> Iterator[Token]:
    attributes: dict[str, Any] = {"href": address}
    if reference.kind == "id":
        attributes["title"] = reference.value
    yield Token("link_open", "a", 1, attrs=attributes)
    if reference.kind == "id":
        shown = reference.value[:SHORT] if len(reference.value) == 40 else reference.value
        yield Token("code_inline", "code", 0, content=shown, markup="`")
    else:
        yield _text(reference.text)
    yield Token("link_close", "a", -1)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _without_punctuation(value: str, marks: str) -> str:
    """Without what ends the sentence rather than the name or address; brackets are kept in pairs."""
    while value and (value[-1] in marks or _closes_too_much(value)):
        value = value[:-1]
    return value


def _closes_too_much(value: str) -> bool:
    opening = {")": "(", "]": "["}.get(value[-1])
    return opening is not None and value.count(value[-1]) > value.count(opening)
