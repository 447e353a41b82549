"""Xorbs and shards as clients make them, built by hand, and a hub with two people."""

from __future__ import annotations

import io
import struct

from glasshub import accounts, repos, xet
from glasshub.blobs.xet.hashes import chunk_hash, file_hash, from_text, merkle_root, to_text, verification_hash
from glasshub.blobs.xet.shard import TAG
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo

CHUNKS = [b"secret weights" * 800, b"and more of them" * 900]


def xorb_of(chunks: list[bytes]) -> tuple[str, bytes]:
    """The hash and the bytes of a xorb."""
    body = b"".join(b"\0" + len(c).to_bytes(3, "little") + b"\0" + len(c).to_bytes(3, "little") + c for c in chunks)
    return to_text(merkle_root([(chunk_hash(c), len(c)) for c in chunks])), body


def shard_of(
    chunks: list[bytes], *, xorb: str = "", proof: bytes = b"", name: bytes = b"", sha256: bytes = b"", start: int = 0
) -> bytes:
    """A shard with one file of one term: chunks of a xorb from ``start`` on."""
    hashes = [chunk_hash(c) for c in chunks]
    raw = from_text(xorb or xorb_of(chunks)[0])
    found = name or file_hash([(chunk_hash(c), len(c)) for c in chunks])
    flags = 1 << 31 | (1 << 30 if sha256 else 0)
    bookend = b"\xff" * 32 + bytes(16)
    return b"".join(
        [
            struct.pack("<32sQQ", TAG, 2, 0),
            struct.pack("<32sII8x", found, flags, 1),
            struct.pack("<32sIIII", raw, 0, sum(map(len, chunks)), start, start + len(chunks)),
            struct.pack("<32s16x", proof or verification_hash(hashes)),
            struct.pack("<32s16x", sha256) if sha256 else b"",
            bookend,
            bookend,
        ]
    )


def shard_of_terms(terms: list[tuple[str, list[bytes], int]]) -> bytes:
    """A shard with one file of several terms: xorb, its chunks, and the place of the first."""
    leaves = [(chunk_hash(c), len(c)) for _, chunks, _ in terms for c in chunks]
    rows = [struct.pack("<32sIIII", from_text(x), 0, sum(map(len, c)), n, n + len(c)) for x, c, n in terms]
    proofs = [struct.pack("<32s16x", verification_hash([chunk_hash(c) for c in chunks])) for _, chunks, _ in terms]
    head = struct.pack("<32sQQ", TAG, 2, 0) + struct.pack("<32sII8x", file_hash(leaves), 1 << 31, len(terms))
    return head + b"".join(rows + proofs) + (b"\xff" * 32 + bytes(16)) * 2


def repo(hub: Hub, owner: str, name: str, *, private: bool = False) -> Repo:
    return repos.create(hub, accounts.actor_for(hub, owner), "model", owner, name, private=private)


def person(hub: Hub, name: str) -> Actor:
    return accounts.actor_for(hub, name)


def bring(hub: Hub, to: Repo, chunks: list[bytes]) -> str:
    name, body = xorb_of(chunks)
    xet.add_xorb(hub, to, person(hub, to.namespace), name, io.BytesIO(body))
    xet.register(hub, to, person(hub, to.namespace), shard_of(chunks))
    return to_text(file_hash([(chunk_hash(c), len(c)) for c in chunks]))
