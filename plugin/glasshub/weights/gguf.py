"""The header of a GGUF file: architecture, context length, and how many parameters there are.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Only what is told is kept; the long lists of a
tokenizer are passed over.
"""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from glasshub.errors import Invalid
from glasshub.weights.pieces import Pieces

MAGIC = b"GGUF"
MAX_HEADER = 40_000_000  # bytes; tokenizers make most of it
MAX_KEYS = 5_000
MAX_TENSORS = 100_000
MAX_ITEMS = 2_000_000  # items of lists, in the whole header
MAX_TEXT = 1_000_000
MAX_VALUES = 10**15
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_SIZES = {kind: struct.calcsize(form) for kind, form in _NUMBERS.items()}
_STRING, _ARRAY = 8, 9


def read_gguf(pieces: Pieces) -> tuple[int, dict[str, Any]]:
    """The number of parameters, and ``architecture`` and ``context_length`` where told.

    Raises:
        Invalid: it is no sound GGUF file; the message completes "the file cannot be read: ...".
    """
    if pieces.take(4) != MAGIC:
        raise Invalid("it does not begin as a GGUF file does")
    version, tensors, keys = struct.unpack("<IQQ", pieces.take(20))
    if version not in (2, 3):
        raise Invalid(f"it is of version {version} of the format; 2 and 3 are read")
    if keys > MAX_KEYS or tensors > MAX_TENSORS:
        raise Invalid(f"it is said to have {keys:,} keys and {tensors:,} tensors, more than are read")
    reader = _Reader(pieces)
    told: dict[str, Any] = {}
    for _ in range(keys):
        key = reader.text()
        kind = reader.u32()
        if key == "general.architecture" or key.endswith(".context_length"):
            told[key] = reader.value(kind)
        else:
            reader.skip(kind)
    total = sum(reader.tensor() for _ in range(tensors))
    return total, _metadata(told)


def _metadata(told: dict[str, Any]) -> dict[str, Any]:
    architecture = told.get("general.architecture")
    if not isinstance(architecture, str) or not 0 < len(architecture) <= 100:
        return {}
    length = told.get(f"{architecture}.context_length")
    found: dict[str, Any] = {"architecture": architecture}
    return {**found, "context_length": length} if isinstance(length, int) and length > 0 else found


class _Reader:
    """Values one after another."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces, self._items = pieces, 0

    def u32(self) -> int:
        return int(_U32.unpack(self._pieces.take(4))[0])

    def u64(self) -> int:
        return int(_U64.unpack(self._pieces.take(8))[0])

    def text(self) -> str:
        return self._pieces.take(self._length()).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        """A number or text; ``None`` for a list."""
        if kind == _STRING:
            return self.text()
        if kind not in _NUMBERS:
            self.skip(kind)
            return None
        return struct.unpack(_NUMBERS[kind], self._pieces.take(_SIZES[kind]))[0]

    def skip(self, kind: int, depth: int = 0) -> None:
        if kind == _STRING:
            self._pieces.skip(self._length())
        elif kind in _SIZES:
            self._pieces.skip(_SIZES[kind])
        elif kind == _ARRAY and depth < 3:
            self._skip_array(depth)
        else:
            raise Invalid(f"it has a value of the unknown kind {kind}")

    def tensor(self) -> int:
        """Pass over the description of one tensor; returns how many values it has."""
        self._pieces.skip(self._length())
        dimensions = self.u32()
        if dimensions > 8:
            raise Invalid(f"it has a tensor of {dimensions:,} dimensions")
        values = prod(self.u64() for _ in range(dimensions))
        self._pieces.skip(12)  # its type, and where it lies
        if values > MAX_VALUES:
            raise Invalid(f"it has a tensor of {values:,} values")
        return values

    def _skip_array(self, depth: int) -> None:
        kind, count = self.u32(), self.u64()
        self._items += count
        if self._items > MAX_ITEMS:
            raise Invalid(f"its lists have more than the {MAX_ITEMS:,} items that are read")
        if kind in _SIZES:
            self._pieces.skip(count * _SIZES[kind])
            return
        for _ in range(count):
            self.skip(kind, depth + 1)

    def _length(self) -> int:
        length = self.u64()
        if length > MAX_TEXT:
            raise Invalid(f"it has a text of {length:,} bytes")
        return length
