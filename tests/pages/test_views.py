"""The pure parts of the pages: numbers, axes, addresses, source lines."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from glasshub.web import links
from glasshub.web.pages.plots import Scale
from glasshub.web.pages.source import as_text, source_lines
from glasshub.web.templating import day, decimals, printable, size

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (999_950, "1.0 MB"), (27 * 10**9, "27 GB")]
)
def test_sizes(value: int, text: str):
    assert size(value) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (0.5, 4, "0.5000"),
        (47.25, 2, "47.25"),
        (1234.5, 1, "1,234.5"),
        (1e-9, 4, "1e-09"),
        (0, 0, "0"),
        (1e20, 2, "1e+20"),
    ],
)
def test_scores_keep_their_decimals(value: float, places: int, text: str):
    assert decimals(value, places) == text


def test_dates_that_are_none_stay_as_they_were_written():
    assert "2 Jan 2026" in str(day("2026-01-02"))
    assert "1 Jan 2026" in str(day("2026-01-02T01:00:00+05:00"))
    assert day("<soon>") == "<soon>"


@settings(max_examples=60)
@given(FINITE, FINITE, FINITE)
@example(0.0, -1.0000000530262262e18, 0.0)
def test_every_value_lies_on_its_axis(a: float, b: float, value: float):
    scale = Scale(min(a, b), max(a, b))
    assert 0 <= float(scale.at(value).rstrip("%")) <= 100
    assert len(scale.ticks) <= 12
    assert all(math.isfinite(tick) for tick in scale.ticks)
    assert all(len(label) < 20 for _, label in scale.labels)


@settings(max_examples=60, deadline=None)  # the first one loads the highlighter
@given(st.text(max_size=200), st.sampled_from(["a.py", "b.yaml", "c", "d.md", "e.json"]))
def test_source_has_one_numbered_line_for_each_line_and_is_escaped(text: str, path: str):
    lines = source_lines(text, path)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert len(lines) >= text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").count("\n") + 1
    assert all("<script" not in line.html for line in lines)


def test_text_and_binary_are_told_apart():
    assert as_text(b"\xef\xbb\xbfplain") == "plain"
    assert as_text(b"a\0b") is None
    assert as_text(b"\xff\xfe") is None


def test_addresses_are_quoted_once_and_survive_odd_names():
    assert links.blob_url("/a/b", "draft/one", "a b/ä?#.md") == "/a/b/blob/draft/one/a%20b/%C3%A4%3F%23.md"
    assert links.tree_url("/a/b", "main") == "/a/b/tree/main"
    assert links.tree_url("/a/b", "main", "bad\udcff") == "/a/b/tree/main/bad%FF"
    assert links.with_query("/models", search="", filter=["x:1", "y"]) == "/models?filter=x:1&filter=y"
    assert printable("bad\udcff\x1b") == "bad\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
