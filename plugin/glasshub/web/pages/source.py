"""Source code as HTML lines: highlighted by Pygments with classes only, every line an anchor (``#L12``). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.util import ClassNotFound

from glasshub.index.rows import ProblemRow

MOST_HIGHLIGHTED = 128 * 1024  # bytes; lexers take time that grows with the text, hostile text included
_LONGEST_LINE = 5_000
_BINARY_PROBE = 8_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, its HTML, and the problems found in it."""

    number: int
    html: Markup
    problems: Sequence[ProblemRow] = ()


def as_text(data: bytes) -> str | None:
    """The text of a file, or ``None`` if it is binary (a NUL near its start, or not UTF-8)."""
    if b"\0" in data[:_BINARY_PROBE]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def source_lines(text: str, path: str, problems: Sequence[ProblemRow] = ()) -> list[Line]:
    """The lines of a file, highlighted by what its name says it is, with problems at their lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    marked: dict[int, list[ProblemRow]] = {}
    rows = _highlighted(text, path) or [escape(row) for row in text.removesuffix("\n").split("\n")]
    for problem in problems:
        marked.setdefault(min(max(problem.line, 1), len(rows)), []).append(problem)
    return [Line(number, html, marked.get(number, ())) for number, html in enumerate(rows, 1)]


def language(path: str) -> str:
    """What a file is written in, judged by its name (``""`` when unknown)."""
    lexer = _lexer(path)
    return "" if isinstance(lexer, TextLexer) else lexer.name


def tokens_of(text: str, path: str) -> Iterator[tuple[str, str]]:
    """The pieces of a text with their CSS classes (``""`` for plain ones), as its name says what it is."""
    lexer = _lexer(path)
    if not may_highlight(text) or isinstance(lexer, TextLexer):
        yield "", text
        return
    for kind, value in lexer.get_tokens(text):
        yield _css(kind), value


def may_highlight(text: str) -> bool:
    """Whether a text is small enough for a lexer, and its lines short enough."""
    return len(text) <= MOST_HIGHLIGHTED and all(len(row) <= _LONGEST_LINE for row in text.split("\n"))


def _css(kind: _TokenType) -> str:
    while kind not in STANDARD_TYPES and kind.parent is not None:
        kind = kind.parent
    return STANDARD_TYPES.get(kind, "")


def _highlighted(text: str, path: str) -> list[Markup]:
    lexer = _lexer(path)
    if not may_highlight(text) or isinstance(lexer, TextLexer):
        return []
    html = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return [Markup(row) for row in html.removesuffix("\n").split("\n")]  # noqa: S704  Pygments escapes the text


def _lexer(path: str) -> Lexer:
    try:
        return get_lexer_for_filename(path.rpartition("/")[2], stripnl=False, ensurenl=True)
    except ClassNotFound:
        return TextLexer()
