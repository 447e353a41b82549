"""Pointers: what git-lfs writes is read, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from glasshub.blobs.pointer import Pointer, parse_pointer

SHA = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
TEXT = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA}\nsize 12345\n".encode()


def test_a_pointer_reads_back_as_written():
    assert parse_pointer(TEXT) == Pointer(SHA, 12345)
    assert Pointer(SHA, 12345).text() == TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"", b"version https://git-lfs.github.com/spec/v1\n", TEXT.replace(b"12345", b"-1"), TEXT + b"x\n",
        TEXT.replace(b"sha256:4d", b"sha256:4D"), TEXT.replace(b"\n", b"\r\n"), b" " + TEXT, TEXT + b" " * 2000,
        TEXT.replace(b"size 12345", b"size 012345"), b"\xff" * 100,
    ],
)  # fmt: skip
def test_what_only_looks_like_one_is_an_ordinary_file(data: bytes):
    assert parse_pointer(data) is None


def test_extensions_are_passed_over():
    text = TEXT.replace(b"oid", b"ext-0-foo sha256:" + SHA.encode() + b"\noid")
    assert parse_pointer(text) == Pointer(SHA, 12345)
