"""A text file goes into a web form and back: what was not touched is the same, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshub.text_files import from_form, to_form

TEXTS = st.lists(st.sampled_from(["a", "b", "", "\r\n", "\n", "\r", "ü", "\f"]), max_size=30).map("".join)


@given(TEXTS, st.booleans())
def test_an_unchanged_file_comes_back_as_it_was(text: str, bom: bool):
    data = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    shown = to_form(data)
    assert shown is not None
    assert "\r" not in shown
    assert from_form(shown.replace("\n", "\r\n"), data) == data  # browsers send line ends this way


@given(TEXTS, TEXTS)
def test_what_is_typed_is_what_is_kept(before: str, typed: str):
    assert to_form(from_form(typed, before.encode())) == to_form(typed.encode())


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        (b"a\r\nb\r\n", "a\nnew\nb\n", b"a\r\nnew\r\nb\r\n"),
        (b"a\r\nb\nc\r\nd", "a\nB\nc\nd", b"a\r\nB\nc\r\nd"),
        (b"a\nb", "a\nb\n", b"a\nb\n"),
        (b"", "a\r\nb", b"a\nb"),
        (b"\xef\xbb\xbfa\n", "b\n", b"\xef\xbb\xbfb\n"),
        (b"a\n", "", b""),
    ],
)
def test_line_ends_follow_the_file(before: bytes, typed: str, after: bytes):
    assert from_form(typed, before) == after


@pytest.mark.parametrize("data", [b"\0", b"text" * 4000 + b"\0", b"\xff\xfe", "ü".encode("latin-1")])
def test_binary_files_are_no_text(data: bytes):
    assert to_form(data) is None
