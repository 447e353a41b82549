"""Untrusted Markdown -> HTML that is safe to show: rendered, then cleaned by nh3, always in that order."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from glasshub import references
from glasshub.mathml import typeset

MAX_CHARACTERS = 120_000  # the slowest input known takes some 50 microseconds a character
_MAX_HIGHLIGHTED = 50_000
_LONGEST_LINE = 2_000  # characters of text that a title or excerpt is made of
_ID_PREFIX = "user-content-"
_TAGS = nh3.ALLOWED_TAGS - {"center", "bdo"} | {"input", "section", "details", "summary", "figure", "figcaption"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"id"},
    "a": {"href", "title", "class"},
    "img": {"src", "alt", "title", "width", "height"},
    "input": {"type", "checked", "disabled"},
    "code": {"class"},
    "span": {"class"},
    "div": {"class"},
    "pre": {"class"},
    "section": {"class"},
    "li": {"class"},
    "ul": {"class"},
    "sup": {"class"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
    "details": {"open"},
}
_MATH = re.compile(r'<code class="(math|math-block)">([^<]*)</code>')
_MOST_FORMULAS = 500
_CLASS = re.compile(r"math|math-block|task-list-item|contains-task-list|footnote[a-z-]*")
_CODE_CLASS = re.compile(r"[a-z]{1,3}\d?")  # Pygments' own, on spans only
_SCHEMES = {"http", "https", "mailto"}
_FORMATTER = HtmlFormatter(nowrap=True)

Resolve = Callable[[str], str]


def render_markdown(
    text: str,
    *,
    link: Resolve,
    image: Resolve,
    own: str = "",
    ids: str = "",
    addresses: Mapping[str, str] | None = None,
) -> str:
    """Markdown to sanitised HTML (after nh3 only math is typeset, from a list of tags).

    Args:
        text: Markdown with tables, task lists, footnotes, math (MathML; what is no TeX stays as text in
            ``<code class="math">``).
        link: maps a relative link target in the repo to an address on the hub.
        image: maps a relative image target to an address on the hub.
        own: the hub's address; images below it are its own.
        ids: begins the ids of this text, for pages with several.
        addresses: for comments, what :mod:`glasshub.references` lead to by their text; line ends are kept then.

    Images from elsewhere become links: a page must not tell a third party who reads it.
    """
    if len(text) > MAX_CHARACTERS:
        return f"<pre>{html.escape(text)}</pre>"
    rendered = _parser(breaks=addresses is not None).render(text, {references.ENV: addresses})
    if own:
        rendered = rendered.replace(f'src="{own}/', 'src="/')
    return _typeset(_sanitise(rendered, link, image, f"{_ID_PREFIX}{ids}"))


def _typeset(clean: str) -> str:
    return _MATH.sub(
        lambda found: typeset(html.unescape(found[2]), block=found[1] == "math-block") or found[0],
        clean,
        _MOST_FORMULAS,
    )


def plain_text(markdown: str) -> str:
    """A line of Markdown without its marks, for titles and excerpts (of its beginning, if it is long)."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown[:_LONGEST_LINE])
    text = re.sub(r"<[^>]*>", "", text)
    return html.unescape(re.sub(r"[*_`]{1,3}|~~", "", text)).strip()


@lru_cache(maxsize=2)
def _parser(*, breaks: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "highlight": _highlight, "breaks": breaks})
    parser.enable(["table", "strikethrough"])
    parser.use(footnote_plugin).use(tasklists_plugin)
    parser.use(dollarmath_plugin, renderer=_math, allow_digits=False, double_inline=True)
    parser.use(anchors_plugin, max_level=4, permalink=False).use(references.plugin)
    parser.add_render_rule("math_block_label", _math_block)
    return parser


def _math(content: str, options: Mapping[str, Any]) -> str:
    kind = "math-block" if options.get("display_mode") else "math"
    return f'<code class="{kind}">{html.escape(content)}</code>'


def _math_block(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: Mapping[str, Any], _env: Mapping[str, Any]
) -> str:
    return _math(tokens[at].content, {"display_mode": True})


def _highlight(code: str, language: str, _attributes: str) -> str:
    if not language or len(code) > _MAX_HIGHLIGHTED:
        return html.escape(code)
    try:
        lexer = get_lexer_by_name(language.split(",")[0].strip())
    except ClassNotFound:
        return html.escape(code)
    return highlight(code, lexer, _FORMATTER)


def _sanitise(rendered: str, link: Resolve, image: Resolve, prefix: str) -> str:
    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return value if value.startswith(prefix) else f"{prefix}{value}"
        if name == "class":
            words = [word for word in value.split() if _allowed_class(tag, word)]
            return " ".join(words) or None
        if (tag, name) == ("a", "href"):
            return _target(value, link, prefix)
        if (tag, name) == ("img", "src"):
            return _image_source(value, image)
        if (tag, name) == ("input", "type"):
            return "checkbox"
        return value

    without_foreign = re.sub(r"<img\b[^>]*>", _mended_image, rendered, flags=re.IGNORECASE)
    return nh3.clean(
        without_foreign,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        url_schemes=_SCHEMES,
        link_rel="nofollow noopener",
        set_tag_attribute_values={
            "input": {"disabled": "", "type": "checkbox", "aria-label": "Task"},
            # Wide ones scroll, which must be possible by keyboard too.
            "pre": {"tabindex": "0"},
            "table": {"tabindex": "0"},
        },
    )


def _allowed_class(tag: str, word: str) -> bool:
    return _CLASS.fullmatch(word) is not None or (tag == "span" and _CODE_CLASS.fullmatch(word) is not None)


def _target(value: str, link: Resolve, prefix: str) -> str | None:
    if value.startswith("#"):
        return f"#{prefix}{value[1:].removeprefix(prefix)}"
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if parts.scheme:
        return value if parts.scheme.lower() in _SCHEMES else None
    return value if parts.netloc or value.startswith("/") else link(value)


def _image_source(value: str, image: Resolve) -> str | None:
    if _is_foreign(value) or value.lower().startswith(("javascript:", "data:", "vbscript:")):
        return None
    return value if value.startswith("/") else image(value)


def _is_foreign(value: str) -> bool:
    return re.match(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", value, re.IGNORECASE) is not None


def _mended_image(found: re.Match[str]) -> str:
    """``<img>`` of another host -> a link to it; one without a text -> with an empty one. It is cleaned afterwards."""
    attributes = dict(re.findall(r"""([a-z]+)\s*=\s*["']([^"']*)["']""", found[0], re.IGNORECASE))
    source = attributes.get("src", "")
    if not _is_foreign(source):
        return found[0] if re.search(r"\salt\b", found[0], re.IGNORECASE) else f'<img alt="" {found[0][4:]}'
    label = attributes.get("alt") or "image"
    return f'<a href="{source}">{label}</a>'
