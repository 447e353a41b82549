"""Content that lies in xorbs: storing them with an index of their chunks, and reading files by their recipes."""

from __future__ import annotations

import io
import json
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from threading import Lock
from typing import IO, cast

from cachetools import LRUCache, cached

from glasshub.blobs.store import BlobStore
from glasshub.blobs.xet.hashes import to_text
from glasshub.blobs.xet.xorb import (
    HEADER,
    MAX_CHUNKS,
    MAX_XORB,
    Chunk,
    Chunks,
    decode,
    pack_index,
    read_chunks,
    xorb_hash,
)
from glasshub.errors import Invalid, NotFound, TooLarge

XORBS, INDEXES, RECIPES = "xorbs", "xorb_indexes", "recipes"
MISSING = (
    "A xorb is not on the hub, or not for you: {}. Remove the folder xet below HF_HOME "
    "(~/.cache/huggingface/xet), where clients remember what they uploaded, and upload again."
)
_MOST_INDEX = MAX_CHUNKS * 64
_MOST_RECIPE = 256 * 1024**2
_REMEMBERED = 200_000  # chunks in one process


@dataclass(frozen=True, slots=True)
class Part:
    """A run of chunks of a xorb, ``start`` to ``end`` (exclusive), and how many bytes of the file it makes."""

    xorb: str
    length: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file is made of xorbs: its Xet hash as text, size, SHA-256, and parts in order."""

    hash: str
    size: int
    sha256: str
    parts: tuple[Part, ...]


def store_xorb(store: BlobStore, name: str, stream: IO[bytes]) -> bool:
    """Store a xorb under its hash (text), after a look at every chunk; whether it is new.

    Raises:
        Invalid: it is damaged, or not the one that it is said to be. Nothing is kept.
        TooLarge: it has too many bytes or chunks.
    """
    reader = _Reader(stream, name)
    new = store.receive(XORBS, name, cast(IO[bytes], reader), size=MAX_XORB, check=reader, exact=False)
    index = pack_index(reader.chunks)
    store.receive(INDEXES, name, io.BytesIO(index), size=len(index), check=_Anything())
    return new


def chunks_of(store: BlobStore, name: str) -> Chunks:
    """The chunks of a stored xorb. Raises ``NotFound``."""
    if store.size(INDEXES, name) is None or store.size(XORBS, name) is None:
        raise NotFound(MISSING.format(name))
    return _index(store, name)


def store_recipe(store: BlobStore, recipe: Recipe) -> None:
    """Store a recipe under its file's hash. One whose xorbs were lost makes way."""
    with suppress(NotFound):
        known = load_recipe(store, recipe.hash)
        if any(store.size(XORBS, xorb) is None for xorb in {part.xorb for part in known.parts}):
            store.remove((RECIPES,), recipe.hash, before=time.time() + 1)
    parts = [[part.xorb, part.length, part.start, part.end] for part in recipe.parts]
    data = json.dumps({"size": recipe.size, "sha256": recipe.sha256, "parts": parts}).encode()
    store.receive(RECIPES, recipe.hash, io.BytesIO(data), size=len(data), check=_Anything())


def load_recipe(store: BlobStore, name: str) -> Recipe:
    """The recipe of a file. Raises ``NotFound``."""
    if store.size(RECIPES, name) is None:
        raise NotFound(f"The file {name} is not on the hub.")
    said = json.loads(b"".join(store.stream(RECIPES, name)))
    return Recipe(name, said["size"], said["sha256"], tuple(Part(*part) for part in said["parts"]))


def stream(store: BlobStore, recipe: Recipe, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes ``start`` to ``end`` (exclusive) of a file, chunk by chunk."""
    end = recipe.size if end is None else min(end, recipe.size)
    offset = 0
    for part in recipe.parts:
        if offset < end and offset + part.length > start:
            yield from _stream_part(store, part, max(start - offset, 0), min(end - offset, part.length))
        offset += part.length


def _stream_part(store: BlobStore, part: Part, start: int, end: int) -> Iterator[bytes]:
    chunks = chunks_of(store, part.xorb)[part.start : part.end]
    begins = [0, *accumulate(chunk.length for chunk in chunks)]
    first = bisect_right(begins, start) - 1
    last = bisect_right(begins, end - 1)
    wanted = chunks[first:last]
    stored = _Pull(store.stream(XORBS, part.xorb, wanted[0].offset, wanted[-1].end)) if wanted else None
    for place, chunk in enumerate(wanted, start=first):
        assert stored is not None
        data = decode(stored.read(HEADER + chunk.stored)[HEADER:], chunk.scheme, chunk.length)
        yield data[max(start - begins[place], 0) : end - begins[place]]


@cached(LRUCache(_REMEMBERED, getsizeof=len), key=lambda store, name: (id(store), name), lock=Lock())
def _index(store: BlobStore, name: str) -> Chunks:
    return Chunks(b"".join(store.stream(INDEXES, name)))


class _Pull:
    """Pieces as a stream that is read by lengths."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def read(self, size: int) -> memoryview:
        """Exactly ``size`` bytes, fewer at the end."""
        parts: list[memoryview] = []
        while size:
            if not self._left:
                self._left = memoryview(next(self._pieces, b""))
                if not self._left:
                    break
            parts.append(self._left[:size])
            self._left = self._left[size:]
            size -= len(parts[-1])
        return parts[0] if len(parts) == 1 else memoryview(b"".join(parts))


class _Reader:
    """A xorb that is looked at while it is read; also the check that all of it was right."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._chunks = read_chunks(stream)
        self._name, self._left = name, memoryview(b"")
        self.chunks: list[Chunk] = []

    def readinto(self, buffer: memoryview) -> int:
        """Fill ``buffer`` with the next bytes, or some of it; 0 at the end."""
        while not self._left:
            found = next(self._chunks, None)
            if found is None:
                return 0
            self.chunks.append(found[0])
            if len(self.chunks) > MAX_CHUNKS:
                raise TooLarge(f"The xorb has more than {MAX_CHUNKS:,} chunks.")
            self._left = memoryview(found[1])
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def update(self, data: memoryview) -> None:
        """Nothing is left to look at."""

    def finish(self) -> None:
        """Raises ``Invalid`` when it is another xorb."""
        found = to_text(xorb_hash(self.chunks))
        if found != self._name:
            raise Invalid(f"This xorb has the hash {found}, not {self._name}. Upload it again.")


class _Anything:
    """Content that the hub made itself."""

    def update(self, data: memoryview) -> None:
        """Takes the next bytes."""

    def finish(self) -> None:
        """It is right."""
