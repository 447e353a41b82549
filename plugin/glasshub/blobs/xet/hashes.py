"""Hashes of the Xet protocol: chunks, xorbs, files, and proofs that somebody knows a run of chunks.

Hashes are 32 bytes. As text they are four little-endian 64-bit numbers of 16 hex digits each, which is not the
order of the bytes. Specification: https://huggingface.co/docs/xet/hashing; how nodes are grouped is what clients do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from blake3 import blake3

from glasshub.errors import Invalid

SIZE = 32
DATA_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
VERIFICATION_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")
FILE_KEY = bytes(SIZE)
EMPTY = bytes(SIZE)
_TEXT = re.compile(r"[0-9a-f]{64}")
_MOST_CHILDREN = 9
_FEW = 2
_MEAN = 4  # one node in four ends a group

Node = tuple[bytes, int]  # hash, and how many bytes of the file (or xorb) are below it


def to_text(raw: bytes) -> str:
    """A hash as it stands in addresses and JSON."""
    return "".join(f"{int.from_bytes(raw[at : at + 8], 'little'):016x}" for at in range(0, SIZE, 8))


def from_text(text: str) -> bytes:
    """A hash from its text. Raises ``Invalid``."""
    if not _TEXT.fullmatch(text):
        raise Invalid("A Xet hash has 64 hex digits.")
    return b"".join(int(text[at : at + 16], 16).to_bytes(8, "little") for at in range(0, 64, 16))


def chunk_hash(data: bytes) -> bytes:
    """The hash of a chunk's content."""
    return blake3(data, key=DATA_KEY).digest()


def merkle_root(leaves: Sequence[Node]) -> bytes:
    """The root over chunks in order: of a xorb its hash; of a file what :func:`file_hash` seals."""
    nodes = list(leaves)
    while len(nodes) > 1:
        nodes = list(_level(nodes))
    return nodes[0][0] if nodes else EMPTY


def file_hash(leaves: Sequence[Node]) -> bytes:
    """The hash of a file with these chunks."""
    return blake3(merkle_root(leaves), key=FILE_KEY).digest() if leaves else EMPTY


def verification_hash(chunk_hashes: Iterable[bytes]) -> bytes:
    """What shows that somebody knows the hashes of a run of chunks."""
    return blake3(b"".join(chunk_hashes), key=VERIFICATION_KEY).digest()


def _level(nodes: Sequence[Node]) -> Iterable[Node]:
    at = 0
    while at < len(nodes):
        end = at + _group(nodes, at)
        yield _join(nodes[at:end])
        at = end


def _group(nodes: Sequence[Node], at: int) -> int:
    """How many nodes from ``at`` on make a group: the hashes themselves decide, so that insertions stay local."""
    left = len(nodes) - at
    if left <= _FEW:
        return left
    for place in range(_FEW, min(_MOST_CHILDREN, left)):
        if int.from_bytes(nodes[at + place][0][24:32], "little") % _MEAN == 0:
            return place + 1
    return min(_MOST_CHILDREN, left)


def _join(nodes: Sequence[Node]) -> Node:
    lines = "".join(f"{to_text(hash)} : {length}\n" for hash, length in nodes)
    return blake3(lines.encode(), key=NODE_KEY).digest(), sum(length for _, length in nodes)
