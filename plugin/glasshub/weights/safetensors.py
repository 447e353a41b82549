"""The header of a safetensors file: how many parameters there are of each data type.

Format: https://huggingface.co/docs/safetensors/index#format. A header is read entry by entry with a grammar as narrow
as the format, never as JSON at large: so a hostile one takes no more memory than its own bytes, and claims nothing
that its file has no bytes for.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from glasshub.errors import Invalid
from glasshub.weights.pieces import Pieces

MAX_HEADER = 25_000_000  # bytes; the format allows four times as much, which no known model comes near
MAX_TENSORS = 250_000
METADATA = "__metadata__"
_LENGTH = 8
# How many bits one value has. Of types that came later it is only known that a value has at least one.
_BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F6_E3M2": 6, "F6_E2M3": 6,
    "F4": 4, "C64": 64, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16, "U8": 8, "BOOL": 8,
}  # fmt: skip
_GAP = rb"[ \t\r\n]*+"
_TEXT = rb'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"'
_ESCAPE = re.compile(rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_NUMBER = rb"(?:0|[1-9][0-9]{0,17})"
_PAIR = _GAP + _TEXT + _GAP + b":" + _GAP + _TEXT + _GAP
_NAME = re.compile(_GAP + b"(" + _TEXT + b")" + _GAP + b":" + _GAP + rb"\{")
_NEXT = re.compile(_GAP + rb"(,|\})")
_EMPTY = re.compile(_GAP + rb"\}" + _GAP)
_METADATA = re.compile(b"(?:%s(?:,%s)*+)?+%s\\}" % (_PAIR, _PAIR, _GAP))
_DIMENSIONS = b"%s(?:%s%s(?:,%s%s%s){0,63}+)?+" % (_GAP, _NUMBER, _GAP, _GAP, _NUMBER, _GAP)
_DTYPE = b'"dtype"%s:%s"(?P<dtype>[A-Z0-9_]{1,20})"' % (_GAP, _GAP)
_SHAPE = b'"shape"%s:%s\\[(?P<shape>%s)\\]' % (_GAP, _GAP, _DIMENSIONS)
_OFFSETS = b'"data_offsets"%s:%s\\[%s(?P<begin>%s)%s,%s(?P<end>%s)%s\\]' % (
    _GAP, _GAP, _GAP, _NUMBER, _GAP, _GAP, _NUMBER, _GAP,
)  # fmt: skip
# What nearly all writers write, in one go; and one member of whatever else is allowed.
_USUAL = re.compile((b"%s,%s" % (_GAP, _GAP)).join([_GAP + _DTYPE, _SHAPE, _OFFSETS]) + _GAP + rb"\}")
_PART = re.compile(b"%s(?:%s|%s|%s)%s(?P<more>,|\\})" % (_GAP, _DTYPE, _SHAPE, _OFFSETS, _GAP))


@dataclass(frozen=True, slots=True)
class _Tensor:
    dtype: str
    values: int
    begin: int
    end: int


def count_parameters(pieces: Pieces, size: int) -> Mapping[str, int]:
    """Parameters per data type of the file that ``pieces`` begins, which has ``size`` bytes.

    Raises:
        Invalid: it is no sound safetensors file; the message completes "the file cannot be read: ...".
    """
    return _counted(_header(pieces, size), size)


def read_header(pieces: Pieces, size: int) -> bytes:
    """The header itself, sound JSON. Raises ``Invalid`` as :func:`count_parameters`."""
    text = _header(pieces, size)
    _counted(text, size)
    if b"\\" in _ESCAPE.sub(b"", text) or not _is_utf8(text):  # what is counted needs no look at these
        raise Invalid("its header is no JSON")
    return text.strip()


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _header(pieces: Pieces, size: int) -> bytes:
    length = int.from_bytes(pieces.take(_LENGTH), "little")
    if length > MAX_HEADER:
        raise Invalid(f"its header is said to have {length:,} bytes; at most {MAX_HEADER:,} are read")
    if length < 2 or _LENGTH + length > size:
        raise Invalid(f"its header is said to have {length:,} bytes, the file has {size:,}")
    return pieces.take(length)


def _counted(text: bytes, size: int) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    places: list[tuple[int, int]] = []
    for tensor in _tensors(text):
        counts[tensor.dtype] += tensor.values
        places.append((tensor.begin, tensor.end))
    _require_whole(places, size - _LENGTH - len(text))
    return {dtype: counts[dtype] for dtype in sorted(counts)}


def _tensors(text: bytes) -> Iterator[_Tensor]:
    if not text.startswith(b"{"):
        raise Invalid("its header is not a JSON object")
    at, more = 1, b"}" if _EMPTY.fullmatch(text, 1) else b","
    names: set[str] = set()
    while more == b",":
        found = _match(_NAME, text, at)
        name = _plain(found[1], at)
        if name in names:
            raise Invalid(f"its header has the name {name[:60]!r} twice")
        names.add(name)
        if len(names) > MAX_TENSORS:
            raise Invalid(f"it has more than the {MAX_TENSORS:,} tensors that are counted")
        if name == METADATA:
            at = _match(_METADATA, text, found.end()).end()
        else:
            parts, at = _parts(text, found.end(), name)
            yield _checked(name, *parts)
        after = _match(_NEXT, text, at)
        at, more = after.end(), after[1]
    if names and text[at:].strip():
        raise _malformed(at)


def _match(pattern: re.Pattern[bytes], text: bytes, at: int) -> re.Match[bytes]:
    found = pattern.match(text, at)
    if found is None:
        raise _malformed(at)
    return found


def _plain(quoted: bytes, at: int) -> str:
    """The text that a JSON text stands for."""
    if b"\\" not in quoted and quoted.isascii():
        return quoted[1:-1].decode("ascii")
    try:
        return str(json.loads(quoted))
    except ValueError as error:
        raise _malformed(at) from error


def _parts(text: bytes, at: int, name: str) -> tuple[tuple[bytes, ...], int]:
    """The data type, shape, begin and end of a tensor whose description starts at ``at``, and where that ends."""
    if usual := _USUAL.match(text, at):
        return usual.groups(), usual.end()
    parts: dict[str, bytes] = {}
    more = b","
    while more == b",":
        found = _match(_PART, text, at)
        said = {key: value for key, value in found.groupdict().items() if value is not None}
        more = said.pop("more")
        if parts.keys() & said.keys():
            raise _malformed(at)
        parts |= said
        at = found.end()
    if parts.keys() != {"dtype", "shape", "begin", "end"}:
        raise Invalid(f"the tensor {name[:60]!r} lacks dtype, shape or data_offsets")
    return (parts["dtype"], parts["shape"], parts["begin"], parts["end"]), at


def _checked(name: str, type: bytes, shape: bytes, first: bytes, last: bytes) -> _Tensor:
    dtype, begin, end = type.decode("ascii"), int(first), int(last)
    values = prod(map(int, shape.split(b","))) if shape.strip() else 1
    bits, known = (end - begin) * 8, _BITS.get(dtype)
    if end < begin:
        raise Invalid(f"the tensor {name[:60]!r} ends before it begins")
    if values > bits if known is None else -(-values * known // 8) * 8 != bits:
        raise Invalid(f"the tensor {name[:60]!r} has {end - begin:,} bytes, which its shape and type do not make")
    return _Tensor(dtype, values, begin, end)


def _require_whole(places: list[tuple[int, int]], size: int) -> None:
    """Tensors lie side by side: they neither overlap nor leave holes, and end where the file does."""
    at = 0
    for begin, end in sorted(places):
        if begin != at:
            raise Invalid("its tensors overlap" if begin < at else "there are holes between its tensors")
        at = end
    if at != size:
        raise Invalid(f"its header speaks of {at:,} bytes of tensors, the file has {size:,}")


def _malformed(at: int) -> Invalid:
    return Invalid(f"its header is malformed at byte {at + _LENGTH:,}")
