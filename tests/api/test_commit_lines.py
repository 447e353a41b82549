"""Commits as lines of JSON, cut anywhere: small, huge, hostile; memory stays small."""

from __future__ import annotations

import base64
import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import GlasshubError, Invalid, TooLarge
from glasshub.web.api import commit_lines
from glasshub.web.api.commit_lines import CommitLines

PLENTY = 2**40


def file(data: bytes, path: str = "a", **more: object) -> bytes:
    value = {"content": base64.b64encode(data).decode(), "path": path, "encoding": "base64", **more}
    return json.dumps({"key": "file", "value": value}).encode() + b"\n"


def read(body: bytes, tmp_path, most: int = PLENTY):
    lines = []
    for key, value, content in CommitLines(io.BytesIO(body), most, tmp_path):
        lines.append((key, value, None if content is None else b"".join(content.pieces())))
    return lines


def test_lines_of_all_kinds(tmp_path):
    header = json.dumps({"key": "header", "value": {"summary": 'Say "hi"\n\\', "description": "ü\u2028"}}).encode()
    body = header + b"\n\n" + file(b"hello") + b'{"key":"deletedFile","value":{"path":"x\\"y"}}'
    assert read(body, tmp_path) == [
        ("header", {"summary": 'Say "hi"\n\\', "description": "ü\u2028"}, None),
        ("file", {"path": "a", "encoding": "base64"}, b"hello"),
        ("deletedFile", {"path": 'x"y'}, None),
    ]
    assert read(b"", tmp_path) == []


@settings(max_examples=80, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=5), st.integers(1, 40), st.integers(10, 90), st.booleans())
def test_whatever_the_pieces_the_contents_come_out(tmp_path_factory, files, piece, long, slashes):
    body = b"".join(file(data, f"p/{n}") for n, data in enumerate(files))
    body = body.replace(b"/", b"\\/") if slashes else body
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commit_lines, "PIECE", piece)
        patch.setattr(commit_lines, "_LONG", long)
        lines = read(body, folder)
    assert [content for _, _, content in lines] == files


def test_a_huge_file_takes_little_memory(tmp_path):
    data = bytes(range(256)) * 4096 * 24  # 24 MiB
    body = io.BytesIO(b'{"key":"header","value":{}}\n' + file(data) + file(b"x"))
    tracemalloc.start()
    sizes = [content.size for _, _, content in CommitLines(body, PLENTY, tmp_path) if content]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sizes == [len(data), 1]
    assert peak < 12_000_000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"nonsense\n", Invalid),
        (b"[" * 100_000, Invalid),
        (b'{"key": "file"}\n', Invalid),
        (b'{"key": 1, "value": {}}\n', Invalid),
        (b'{"key": "file", "value": {"content": "a"}}\n', Invalid),
        (b'{"key": "file", "value": {"content": 1}}\n', Invalid),
        (b'{"key": "file", "value": {"content": "YQ==YQ=="}}\n', Invalid),
        (b'{"key": "file", "value": {"content": "YQ", "encoding": "base64"}}\n', Invalid),
        (b'{"key": "file", "value": {"content": "YQ==", "encoding": "utf-8"}}\n', Invalid),
        (b'{"key": "file", "value": {"content": "' + b"A" * 3_000_000, Invalid),
        (b'{"key": "file", "value": {"content": "' + b"A" * 3_000_000 + b"\n", Invalid),
        (b'{"key": "file", "value": {"content": "' + b"A" * 2_000_000 + b'!AAA"}}\n', Invalid),
        (b'{"key": "file", "value": {"content": "' + b"A" * 2_000_000 + b'\\"AAA"}}\n', Invalid),
        (b'{"key": "file", "value": {"content": "' + b"A" * 1_999_998 + b'A=AAAAA"}}\n', Invalid),
        (b'{"key": "header", "value": {"summary": "' + b"A" * 2_000_000 + b'"}}\n', Invalid),
        (b'{"key": "file", "value": {"a": "' + b"A" * 2**21 + b'", "b": "' + b"A" * 2**22 + b'"}}\n', TooLarge),
        (b" " * 3_000_000, TooLarge),
        (b'""' * 2_000_000, Invalid),
        (b'"\\' + b"\\/" * 2_000_000, Invalid),
    ],
)
def test_hostile_lines_end_in_an_error_that_says_why(tmp_path, body, error):
    with pytest.raises(error) as raised:
        read(body, tmp_path)
    assert isinstance(raised.value, GlasshubError)
    assert len(raised.value.message) < 300


def test_the_body_has_a_limit(tmp_path):
    body = file(b"x" * 1000) * 10
    assert len(read(body, tmp_path, len(body))) == 10
    with pytest.raises(TooLarge, match="max_commit_bytes"):
        read(body, tmp_path, len(body) - 1)
