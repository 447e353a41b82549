"""Hand-made packs, honest and hostile."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Iterable

from dulwich.objects import Blob, Commit, ShaFile, Tag, Tree

COMMIT, TREE, BLOB, TAG, OFS_DELTA, REF_DELTA = 1, 2, 3, 4, 6, 7
KINDS = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob", TAG: b"tag"}
PERSON = b"Ada <ada@example.org> 1700000000 +0000"


def oid(kind: int, data: bytes) -> bytes:
    """The 20-byte id of an object."""
    return hashlib.sha1(b"%s %d\0" % (KINDS[kind], len(data)) + data).digest()


def tree(*entries: tuple[bytes, bytes, bytes]) -> bytes:
    """A tree's bytes from (mode, name, 20-byte id), as they come."""
    return b"".join(mode + b" " + name + b"\0" + target for mode, name, target in entries)


def commit(tree_id: bytes, *parents: bytes, author: bytes = PERSON) -> bytes:
    """A commit's bytes."""
    lines = [b"tree " + tree_id.hex().encode(), *(b"parent " + p.hex().encode() for p in parents)]
    return b"\n".join([*lines, b"author " + author, b"committer " + PERSON, b"", b"Message\n"])


def tag(kind: bytes, target: bytes) -> bytes:
    """An annotated tag's bytes."""
    return b"object %s\ntype %s\ntag v\ntagger %s\n\nMessage\n" % (target.hex().encode(), kind, PERSON)


def header(kind: int, size: int) -> bytes:
    """The header of a pack entry."""
    out = bytearray()
    byte = kind << 4 | size & 15
    size >>= 4
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    return bytes(out) + bytes([byte])


def distance(value: int) -> bytes:
    """The base offset of an OFS_DELTA entry."""
    out = [value & 0x7F]
    while value := value >> 7:
        value -= 1
        out.insert(0, 0x80 | value & 0x7F)
    return bytes(out)


def entry(kind: int, data: bytes, *, size: int | None = None, base: bytes = b"", level: int = 6) -> bytes:
    """A whole pack entry; ``size`` may lie."""
    return header(kind, len(data) if size is None else size) + base + zlib.compress(data, level)


def varint(value: int) -> bytes:
    """A size at the start of a delta."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def copy(offset: int, size: int) -> bytes:
    """A delta's copy instruction."""
    op, out = 0x80, bytearray()
    for bit, value in enumerate([*offset.to_bytes(4, "little"), *(size & 0xFFFFFF).to_bytes(3, "little")]):
        if value:
            op |= 1 << bit
            out.append(value)
    return bytes([op, *out])


def insert(data: bytes) -> bytes:
    """A delta's insert instruction (at most 127 bytes)."""
    return bytes([len(data)]) + data


def delta(base: int, result: int, *instructions: bytes) -> bytes:
    """A delta between objects of these sizes."""
    return varint(base) + varint(result) + b"".join(instructions)


def pack(*entries: bytes, count: int | None = None) -> bytes:
    """A pack of ready-made entries, with a right checksum."""
    body = b"PACK\0\0\0\x02" + (len(entries) if count is None else count).to_bytes(4, "big") + b"".join(entries)
    return body + hashlib.sha1(body).digest()


def pack_of(*objects: tuple[int, bytes]) -> bytes:
    """A pack of whole objects."""
    return pack(*(entry(kind, data) for kind, data in objects))


def sound_commit(text: bytes = b"hello\n", *parents: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A commit with one file: its 20-byte id, and the three objects."""
    content = tree((b"100644", b"a.txt", oid(BLOB, text)))
    objects = [(BLOB, text), (TREE, content), (COMMIT, commit(oid(TREE, content), *parents))]
    return oid(*objects[-1]), objects


def push_body(updates: Iterable[tuple[str, str, str]], sent: bytes, capabilities: str = "report-status") -> bytes:
    """The body of a POST to git-receive-pack."""
    lines = [f"{old} {new} {ref}".encode() for old, new, ref in updates]
    lines[0] += b"\0 " + capabilities.encode()
    return b"".join(b"%04x%s" % (len(line) + 4, line) for line in lines) + b"0000" + sent


class Slowly(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a network does."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._data, self._piece, self._at = data, piece, 0

    def read(self, count: int = -1) -> bytes:
        count = min(count, self._piece)
        self._at += count
        return self._data[self._at - count : self._at]


def as_objects(objects: Iterable[tuple[int, bytes]]) -> list[ShaFile]:
    """The same as dulwich objects."""
    classes = {COMMIT: Commit, TREE: Tree, BLOB: Blob, TAG: Tag}
    return [classes[kind].from_raw_string(kind, data) for kind, data in objects]
