"""Cards: metadata, and HTML that is safe whatever is in the README."""

from __future__ import annotations

import re
import time

import pytest

from glasshub.cards import parse_card, render_markdown

README = b"""\
---
license: apache-2.0
language: [en, de]
base_model: org/base
datasets: [org/data]
pipeline_tag: text-generation
library_name: transformers
pretty_name: A fine model
tags: [mteb, "benchmark:official"]
released: 2026-01-02
configs:
  - config_name: small
    data_files: small.jsonl
---
# The heading

![badge](x.png)

It *answers* [questions](docs/q.md), ~~not~~.
"""


def test_metadata():
    card = parse_card(README)
    assert (card.title, card.license, card.pipeline_tag) == ("A fine model", "apache-2.0", "text-generation")
    assert (card.languages, card.base_models, card.configs) == (("en", "de"), ("org/base",), ("small",))
    assert card.excerpt == "It answers questions, not."
    assert {"license:apache-2.0", "language:en", "base_model:org/base", "dataset:org/data", "mteb"} <= set(card.tags)
    assert card.front_matter["released"] == "2026-01-02"
    assert card.problems == ()


def test_tags_of_the_hub_cannot_be_claimed():
    assert not any(tag.startswith("benchmark:") for tag in parse_card(README).tags)


def test_broken_front_matter_is_a_problem_with_its_place_and_the_body_still_shows():
    card = parse_card(b"---\nlicense: mit\ntags: [a\n---\n# Title\n")
    assert card.title == "Title"
    assert card.problems[0].line >= 3


@pytest.mark.parametrize(
    "data", [b"", b"---", b"---\n---\n", b"# T", b"\xff\xfe", b"---\n- a\n---\nx", b"---\r\na: b\r\n---\r\nx"]
)
def test_odd_cards_are_read(data: bytes):
    parse_card(data)


def _html(text: str) -> str:
    return render_markdown(text, link=lambda target: f"/L/{target}", image=lambda target: f"/I/{target}")


def test_markdown_that_cards_use():
    html = _html(
        "# A b\n\n- [x] done\n\n| a |\n|---|\n| 1 |\n\n```python\nx = 1\n```\n\n$a<b$ ~~old~~ text[^1]\n\n[^1]: note\n"
    )
    assert '<h1 id="user-content-a-b">' in html
    assert 'type="checkbox"' in html
    assert '<table tabindex="0">' in html
    assert '<span class="n">x</span>' in html
    assert "<mi>a</mi><mo>&lt;</mo><mi>b</mi>" in html
    assert '<math display="block">' in _html("so $$c$$ holds")
    assert '<code class="math">\\frac</code>' in _html("no $\\frac$ here")
    assert "<s>old</s>" in html
    assert 'class="footnote-ref"' in html


def test_links_and_images_stay_in_the_repo():
    html = _html("[a](docs/a.md) [b](#part) [c](https://x.org) ![i](i.png) <img src='j.png'> [d](/abs)")
    assert 'href="/L/docs/a.md"' in html
    assert 'href="#user-content-part"' in html
    assert 'rel="nofollow noopener"' in html
    assert 'src="/I/i.png"' in html
    assert 'src="/I/j.png"' in html


def test_images_of_others_become_links():
    html = _html('![a chart](https://evil.example/t.png) <img src="//evil.example/u.gif">')
    assert "<img" not in html
    assert '<a href="https://evil.example/t.png"' in html


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "[x](data:text/html,<script>)",
    "<svg onload=alert(1)><circle/></svg>",
    "<math><mi xlink:href='javascript:alert(1)'>",
    "<iframe src=//evil.example></iframe>",
    "<style>body{display:none}</style>",
    "<p style='position:fixed'>x</p>",
    "<form action=/settings><input name=csrf_token></form>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "<object data=x></object>",
    "<embed src=x>",
    "<details ontoggle=alert(1) open>",
    "<img src='x' srcset='//evil.example/x 2x'>",
    "<div class='masthead'>x</div>",
    "<button formaction=javascript:alert(1)>x</button>",
    "<video src=x onerror=alert(1)>",
    '```"><script>alert(1)</script>\nx\n```',
    "$<img src=x onerror=alert(1)>$",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "<a id=main name=main href=#>x</a>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
]


FORBIDDEN = (
    "<script", "<style", "<svg", "<math", "<iframe", "<form", "<base", "<meta", "<object", "<embed", "<button",
    "<video", "onerror", "onload", "ontoggle", "javascript:", "data:", "srcset", "style=", "masthead",
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_come_out_harmless(attack: str):
    html = _html(attack)
    tags = " ".join(re.findall(r"<[^>]*>", html)).lower()
    tags = tags.replace('<math display="inline">', "").replace('<math display="block">', "")  # what the hub typeset
    for forbidden in FORBIDDEN:
        assert forbidden not in tags, html
    assert all(found.startswith("user-content-") for found in re.findall(r' id="([^"]*)"', html))


@pytest.mark.parametrize(
    "text", ["![" * 10_000, "[" * 20_000, "_*" * 10_000, "a\n" * 10_000, "`" * 20_000, "$" * 20_000, "$$a " * 20_000]
)
def test_hostile_markdown_costs_little(text: str):
    begin = time.process_time()
    _html(text)
    assert time.process_time() - begin < 2


def test_a_huge_card_is_shown_as_plain_text():
    html = _html("<b>x</b>" * 20_000)
    assert html.startswith("<pre>&lt;b&gt;")
