"""Weight files as tools write them: a header and as many bytes as it speaks of, made here without those tools."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from math import prod

SIZES = {"F32": 4, "BF16": 2, "F8_E4M3": 1, "I64": 8, "U8": 1}
Tensors = Mapping[str, tuple[str, list[int]]]


def header(tensors: Tensors, **metadata: str) -> dict[str, object]:
    """The header of a file with these tensors side by side."""
    found: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, (dtype, shape) in tensors.items():
        end = at + prod(shape) * SIZES[dtype]
        found[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, end]}
        at = end
    return found


def packed(head: object, data: int = 0) -> bytes:
    """A file with this header (text as it is, else as JSON) and so many bytes of data."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + bytes(data)


def safetensors(tensors: Tensors, **metadata: str) -> bytes:
    """A whole safetensors file."""
    return packed(header(tensors, **metadata), sum(prod(shape) * SIZES[dtype] for dtype, shape in tensors.values()))


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def gguf(shapes: list[list[int]], *, architecture: str = "llama", context: int = 4096, tokens: int = 3) -> bytes:
    """A GGUF file (version 3) with metadata, a list of tokens, and tensors of these shapes."""
    keys = [
        _text("general.architecture") + struct.pack("<I", 8) + _text(architecture),
        _text(f"{architecture}.context_length") + struct.pack("<II", 4, context),
        _text("general.file_type") + struct.pack("<II", 4, 2),
        _text("tokenizer.ggml.tokens")
        + struct.pack("<IIQ", 9, 8, tokens)
        + b"".join(_text("a") for _ in range(tokens)),
        _text("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, tokens) + bytes(4 * tokens),
    ]
    body = b"".join(keys)
    for number, shape in enumerate(shapes):
        body += _text(f"blk.{number}") + struct.pack(f"<I{len(shape)}Q", len(shape), *shape) + struct.pack("<IQ", 2, 0)
    return b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(keys)) + body + bytes(64)
