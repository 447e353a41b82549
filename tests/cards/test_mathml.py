"""TeX becomes MathML of a few tags, whatever it says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshub.mathml import MAX_CHARACTERS, typeset

WORDS = st.sampled_from(
    [
        r"\frac", r"\sqrt", r"\text", r"\href", r"\style", r"\class", r"\color", r"\left(", r"\right)",
        r"\begin{matrix}", r"\end{matrix}", "{", "}", "^", "_", "&", r"\\", "x", "<script>", "javascript:alert(1)",
        '"onload=x', "&lt;b&gt;", "]]>",
    ]
)  # fmt: skip
ALLOWED = re.compile(r"(?:</?m[a-z]+(?: [a-z]+=\"[A-Za-z0-9 .+-]+\")*>|[^<>\"]|&[a-z0-9#]+;)*")


def test_formulas_are_typeset():
    assert typeset(r"\frac{a}{b}", block=False).startswith('<math display="inline">')
    assert "<mfrac>" in typeset(r"\frac{a}{b}", block=True)
    assert typeset("a<b", block=False).count("&lt;") == 1


@pytest.mark.parametrize("tex", [r"\frac", "{", "x^x^x", r"\left(", "x" * (MAX_CHARACTERS + 1), "{" * 900])
def test_what_is_no_tex_is_left_to_the_caller(tex: str):
    assert typeset(tex, block=False) == ""


@given(st.lists(WORDS, max_size=12).map("".join) | st.text(max_size=60))
def test_nothing_but_the_listed_tags_comes_out(tex: str):
    assert ALLOWED.fullmatch(typeset(tex, block=False))


@pytest.mark.parametrize(
    "tex", [r"\href{javascript:alert(1)}{x}", r"\text{<script>alert(1)</script>}", r"\style{background:url(x)}{y}",
            r'\color{red"onload="x}{y}', r"\class{x}{y}"]
)  # fmt: skip
def test_arguments_of_strangers_stay_words(tex: str):
    made = typeset(tex, block=False)
    assert "javascript:" not in re.sub(r">[^<]*<", "><", made)
    assert ALLOWED.fullmatch(made)
