"""The colours of the design system: WCAG 2.2 AA in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import glasshub

STATIC = Path(glasshub.__file__).parent / "web" / "static"
GROUNDS = ("ground", "ground-soft", "ground-sunk")
PAIRS = [
    *((text, ground, 4.5) for text in ("text", "text-soft") for ground in GROUNDS),
    *(("accent", ground, 4.5) for ground in GROUNDS),
    *(("accent-strong", ground, 4.5) for ground in (*GROUNDS, "accent-soft")),
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5),
    *((name, f"{name}-soft", 4.5) for name in ("good", "warn", "bad", "info", "rare")),
    *((name, "ground", 4.5) for name in ("good", "warn", "bad", "info", "rare")),
    *(("text", f"{name}-soft", 4.5) for name in ("good", "warn", "bad", "info")),
    *(
        (f"code-{name}", ground, 4.5)
        for name in ("word", "name", "text", "number", "comment")
        for ground in GROUNDS[:2]
    ),
    *((f"code-{name}", "warn-soft", 4.5) for name in ("word", "name", "text", "number", "comment")),
    *(("line-strong", ground, 3.0) for ground in GROUNDS[:2]),
    *(("mark", ground, 3.0) for ground in GROUNDS[:2]),
]


def _tokens(scheme: str) -> dict[str, str]:
    css = (STATIC / "tokens.css").read_text("utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6});", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6});", dark))


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_every_ground_it_stands_on(scheme: str):
    tokens = _tokens(scheme)
    low = {
        f"{text} on {ground}": round(ratio, 2)
        for text, ground, wanted in PAIRS
        if (ratio := contrast(tokens[text], tokens[ground])) < wanted
    }
    assert low == {}


def test_the_dark_scheme_changes_every_colour():
    light, dark = _tokens("light"), _tokens("dark")
    assert [name for name in light if light[name] == dark[name]] == []


def test_colours_live_in_one_file_and_every_token_is_known():
    known = set(re.findall(r"--([a-z0-9-]+):", (STATIC / "tokens.css").read_text("utf-8")))
    for path in STATIC.glob("*.css"):
        css = path.read_text("utf-8")
        assert set(re.findall(r"var\(--([a-z0-9-]+)\)", css)) <= known
        if path.name != "tokens.css":
            assert re.findall(r"#[0-9a-f]{3,8}\b(?!\s*{)", css) in ([], ["#ffffff"])


def test_every_class_a_template_names_has_a_rule():
    css = "".join(path.read_text("utf-8") for path in STATIC.glob("*.css"))
    styled = set(re.findall(r"\.([a-z][a-z0-9-]*)", css))
    templates = Path(glasshub.__file__).parent / "templates"
    used = {
        name
        for path in templates.rglob("*.html")
        for value in re.findall(r'class="([^"{}]+)"', path.read_text("utf-8"))
        for name in value.split()
    }
    assert used - styled == set()
