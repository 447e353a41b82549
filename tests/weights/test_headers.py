"""Headers of weight files: what they say is counted, and nothing hostile gets further than a sentence."""

from __future__ import annotations

import json
import struct
import time
import tracemalloc
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import Invalid
from glasshub.weights import gguf, safetensors
from glasshub.weights.pieces import Pieces
from tests.weights import files


def count(data: bytes, size: int | None = None) -> dict[str, int]:
    half = len(data) // 2
    pieces = Pieces(iter([data[:half], data[half:]]), most=safetensors.MAX_HEADER + 8)
    return dict(safetensors.count_parameters(pieces, len(data) if size is None else size))


def refusal(data: bytes, size: int | None = None) -> str:
    with pytest.raises(Invalid) as caught:
        count(data, size)
    return caught.value.message


def test_parameters_are_counted_by_type():
    tensors = {"a": ("F32", [2, 3]), "b": ("BF16", [7]), "scalar": ("F32", []), "none": ("U8", [0, 4])}
    assert count(files.safetensors(tensors, format="pt")) == {"BF16": 7, "F32": 7, "U8": 0}
    assert count(files.safetensors({})) == {}


def test_any_json_that_the_format_allows_is_read():
    text = (
        b'{ "\\u00e9\\"x" : {"data_offsets":[ 0 , 8 ] , "shape" : [ 1 , 2 ], "dtype":"F32" } ,\n'
        b'"__metadata__":{"k" : "v\\n{}", "l":"\xc3\xa9"} }   '
    )
    assert count(files.packed(text, 8)) == {"F32": 2}


@pytest.mark.parametrize(
    ("head", "data", "words"),
    [
        ({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, 4, "malformed"),
        ({"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, 4, "malformed"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, 4, "do not make"),
        ({"a": {"dtype": "F32", "shape": [10**17] * 60, "data_offsets": [0, 4]}}, 4, "do not make"),
        ({"a": {"dtype": "NEW", "shape": [10**9], "data_offsets": [0, 4]}}, 4, "do not make"),
        ({"a": {"dtype": "F32", "shape": [1] * 65, "data_offsets": [0, 4]}}, 4, "malformed"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, 4, "ends before"),
        ({"a": {"dtype": "F32", "shape": [1]}}, 4, "lacks"),
        ({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
          "b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}, 3, "overlap"),
        ({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
          "b": {"dtype": "U8", "shape": [1], "data_offsets": [2, 3]}}, 3, "holes"),
        ({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, 9, "speaks of 1 bytes"),
        ([], 0, "not a JSON object"),
        (b'{"a":1}', 0, "malformed"),
        (b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
         0, "twice"),
        (b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}x', 0, "malformed"),
        (b'{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0, "malformed"),
        (b'{"\xff":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}', 0, "malformed"),
        (b'{"__metadata__":{"a":{"b":"c"}}}', 0, "malformed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(head: object, data: int, words: str):
    assert words in refusal(files.packed(head, data))


def test_a_header_that_is_passed_on_is_json():
    def passed_on(head: bytes) -> bytes:
        data = files.packed(head, 0)
        return safetensors.read_header(Pieces(iter([data]), most=safetensors.MAX_HEADER + 8), len(data))

    plain = b'{"__metadata__":{"k":"v\\u00e9\\\\\\" \xc3\xa9"}}'
    assert json.loads(passed_on(plain + b" \x0b")) == json.loads(plain)
    for head in (b'{"__metadata__":{"k":"\\q"}}', b'{"__metadata__":{"k":"\\u00e"}}', b'{"__metadata__":{"k":"\xff"}}'):
        with pytest.raises(Invalid, match="no JSON"):
            passed_on(head)


def test_lengths_that_lie_are_refused_before_anything_is_read():
    assert "at most 25,000,000" in refusal(struct.pack("<Q", 2**63) + b"{}", 2**63)
    assert "the file has 20" in refusal(struct.pack("<Q", 1000) + b"{}" * 6, 20)
    assert "ends in the middle" in refusal(struct.pack("<Q", 1000) + b"{}" * 6, 5000)
    assert "ends in the middle" in refusal(b"abc")


@pytest.mark.parametrize(
    "bomb",
    [
        b'{"a":' * 40_000,
        b'{"a":{"dtype":"U8","shape":[' + b"1," * 100_000,
        b'{"__metadata__":{' + b'"a":"b",' * 25_000,
        b"[" * 200_000,
        b'{"a' + b"\\u" * 100_000,
        b"{" + b" " * 200_000,
    ],
)
def test_bombs_take_neither_time_nor_memory(bomb: bytes):
    data = files.packed(bomb)
    tracemalloc.start()
    began = time.perf_counter()
    assert "malformed" in refusal(data, 10**9) or "object" in refusal(data, 10**9)
    took, peak = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 3
    assert peak < 8 * len(data)


names = st.text(max_size=12).filter(lambda name: name != "__metadata__")
tensors = st.dictionaries(
    names,
    st.tuples(st.sampled_from(sorted(files.SIZES)), st.lists(st.integers(0, 4), max_size=3)),
    max_size=6,
)


@settings(max_examples=40, deadline=None)
@given(tensors)
def test_what_was_written_is_what_is_counted(written):
    expected: dict[str, int] = {}
    for dtype, shape in written.values():
        expected[dtype] = expected.get(dtype, 0) + prod(shape)
    # The format knows no halves of surrogate pairs, and neither does JSON in UTF-8.
    assert count(files.safetensors(written)) == dict(sorted(expected.items()))


@settings(max_examples=60, deadline=None)
@given(tensors, st.integers(0, 400), st.integers(0, 255))
def test_one_wrong_byte_never_raises_anything_else(written, place: int, byte: int):
    data = bytearray(files.safetensors(written))
    data[place % len(data)] = byte
    try:
        found = count(bytes(data))
    except Invalid:
        return
    assert sum(found.values()) <= 8 * len(data)


ONE_KEY = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"k"


def read(data: bytes) -> tuple[int, dict[str, object]]:
    return gguf.read_gguf(Pieces(iter([data]), most=gguf.MAX_HEADER))


def test_gguf_tells_architecture_context_and_parameters():
    assert read(files.gguf([[4, 8], [16]])) == (48, {"architecture": "llama", "context_length": 4096})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GGML" + bytes(40), "does not begin"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 1), "more than are read"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62), "a text of"),
        (ONE_KEY + struct.pack("<IIQ", 9, 0, 2**61), "items"),
        (ONE_KEY + struct.pack("<I", 99), "unknown kind"),
        (ONE_KEY + struct.pack("<IIQ", 9, 9, 1) * 1000, "items"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + struct.pack("<Q", 1) + b"t" + struct.pack("<IQQ", 2, 2**40, 2**40)
         + bytes(12), "values"),
        (files.gguf([[4, 8]])[:60], "ends in the middle"),
    ],
)  # fmt: skip
def test_a_hostile_gguf_is_refused(data: bytes, words: str):
    with pytest.raises(Invalid) as caught:
        read(data)
    assert words in caught.value.message


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_one_wrong_byte_in_a_gguf_never_raises_anything_else(place: int, byte: int):
    data = bytearray(files.gguf([[4, 8], [16]]))
    data[place % len(data)] = byte
    try:
        total, told = read(bytes(data))
    except Invalid:
        return
    json.dumps([total, told])
