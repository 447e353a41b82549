"""TeX of strangers -> MathML, which browsers typeset without scripts. Only what is listed here comes out.

The converter copies text and arguments of some commands into its output as they are, so nothing of its serialisation
is used: its elements are written anew, by a list of tags and of attribute values.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element  # only the class; nothing is parsed

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element

MAX_CHARACTERS = 1000
_TAGS = frozenset(
    {
        "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mroot", "mrow",
        "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder", "munderover",
    }
)  # fmt: skip
_ATTRIBUTES = frozenset(
    {
        "accent", "columnalign", "columnspacing", "display", "displaystyle", "fence", "form", "linethickness", "lspace",
        "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowspacing", "rspace", "scriptlevel",
        "stretchy", "width",
    }
)  # fmt: skip
_VALUE = re.compile(r"[A-Za-z0-9 .+-]{1,40}")
_NO_TEX: tuple[type[Exception], ...] = (
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    ArithmeticError, AttributeError, LookupError, RecursionError, RuntimeError, StopIteration, TypeError, ValueError,
)  # fmt: skip


@lru_cache(maxsize=2000)
def typeset(tex: str, *, block: bool) -> str:
    """MathML for TeX; ``""`` when it is too long, or no TeX that is understood.

    Args:
        tex: without dollar signs.
        block: whether it stands on a line of its own.
    """
    if len(tex) > MAX_CHARACTERS:
        return ""
    try:
        return _written(convert_to_element(tex, display="block" if block else "inline"))
    except _NO_TEX:
        return ""


def _written(element: Element) -> str:
    inside = _text(element.text) + "".join(_written(child) + _text(child.tail) for child in element)
    if element.tag not in _TAGS:
        return inside
    attributes = "".join(
        f' {name}="{value}"'
        for name, value in sorted(element.attrib.items())
        if name in _ATTRIBUTES and _VALUE.fullmatch(value)
    )
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"


def _text(text: str | None) -> str:
    return html.escape(html.unescape(text)) if text else ""
