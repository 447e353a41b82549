"""The headers of the weight files that an index names: all of them at once, for clients that would fetch each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson
from dulwich.repo import Repo as GitRepo

from glasshub.errors import EntryNotFound, Invalid, TooLarge
from glasshub.git.blob import stream_blob
from glasshub.git.pointers import pointer_at
from glasshub.git.read import entry
from glasshub.model_files import Content
from glasshub.weights.pieces import Pieces
from glasshub.weights.safetensors import MAX_HEADER, read_header
from glasshub.weights.shards import MAX_SHARDS, shards

_MAX_INDEX = 8_000_000  # bytes: it is parsed as a whole
_MAX_HEADERS = 25_000_000  # bytes in one answer; the largest models that are known have half of that


@dataclass(frozen=True, slots=True)
class IndexedHeaders:
    """What an index says of itself, and the header (JSON) of each file that it names."""

    metadata: Mapping[str, object]
    headers: Mapping[str, bytes]


def read_indexed(repo: GitRepo, commit: str, path: str, content: Content) -> IndexedHeaders:
    """The headers of the files that the index at ``path`` names.

    Args:
        repo: the repository.
        commit: where the files stand.
        path: of a ``model.safetensors.index.json``; the files lie beside it.
        content: gives the bytes of a large file.

    Raises:
        EntryNotFound: there is no such index, or no file of a name in it.
        Invalid: it is no index, or a file is none of safetensors.
        TooLarge: the index, or the headers together, have too many bytes for one answer.
    """
    size, stream = _open(repo, commit, path, content)
    if size > _MAX_INDEX:
        raise TooLarge(f"{path} has {size:,} bytes; at most {_MAX_INDEX:,} are read. Download it instead.")
    data = b"".join(stream)
    metadata, names = _metadata(data, path), shards(data)
    if not 0 < len(names) <= MAX_SHARDS:
        raise Invalid(f"{path} names {len(names):,} safetensors files; an index names 1 to {MAX_SHARDS:,}.")
    folder = path.rpartition("/")[0]
    headers: dict[str, bytes] = {}
    for name in names:
        headers[name] = _header(repo, commit, f"{folder}/{name}" if folder else name, content)
        if sum(map(len, headers.values())) > _MAX_HEADERS:
            raise TooLarge(f"The headers have more than {_MAX_HEADERS:,} bytes. Read them file by file instead.")
    return IndexedHeaders(metadata, headers)


def _metadata(data: bytes, path: str) -> Mapping[str, object]:
    try:
        index = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{path} is no JSON.") from error
    found = index.get("metadata") if isinstance(index, dict) else None
    return found if isinstance(found, dict) else {}


def _header(repo: GitRepo, commit: str, path: str, content: Content) -> bytes:
    size, stream = _open(repo, commit, path, content)
    try:
        return read_header(Pieces(stream, most=MAX_HEADER + 8), size)
    except Invalid as error:
        raise Invalid(f"{path} cannot be read: {error.message}.") from error


def _open(repo: GitRepo, commit: str, path: str, content: Content) -> tuple[int, Iterator[bytes]]:
    found = entry(repo, commit, path)
    if found.kind != "file":
        raise EntryNotFound(f"Entry Not Found: {path!r} is not a file.")
    pointer = pointer_at(repo, found)
    if pointer is not None:
        return pointer.size, content(pointer)
    return found.size, stream_blob(repo, found.oid)
