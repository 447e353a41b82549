"""Reading what a model's files tell from git and the store of large files: headers only, each of them once."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

from cachetools import LRUCache
from dulwich.repo import Repo as GitRepo

from glasshub.blobs.pointer import Pointer
from glasshub.errors import GlasshubError, NotFound, TooLarge
from glasshub.evals.problems import Problem
from glasshub.git import read
from glasshub.git.blob import blob_size, stream_blob
from glasshub.git.pointers import pointer_at
from glasshub.git.read import TreeEntry
from glasshub.result_files import DAMAGE
from glasshub.weights import gguf, safetensors
from glasshub.weights.config import CONFIG_FILES, MAX_BYTES, read_config
from glasshub.weights.facts import Header, ModelFacts, ModelFiles, known_as
from glasshub.weights.pieces import Pieces
from glasshub.weights.shards import INDEX, MAX_SHARDS, gguf_files, safetensors_files, shards

MAX_INDEX = 32_000_000  # bytes
MAX_HEADERS = 100_000_000  # bytes of the headers of one model
Found = tuple[ModelFiles, tuple[Problem, ...]]
Content = Callable[[Pointer], Iterator[bytes]]
"""The bytes of a large file; raises ``NotFound`` when it is not there."""
# What a commit holds never changes, and every event in a repo asks for it again.
_remembered: LRUCache[tuple[str, str], Found] = LRUCache(512)
_guard = Lock()


@dataclass(frozen=True, slots=True)
class _Reading:
    """One look at a model: its repository and files, what is known already, and the problems and lost files met."""

    repo: GitRepo
    files: Mapping[str, str]
    known: Mapping[str, Header]
    content: Content
    problems: list[Problem] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def read_model_files(repo: GitRepo, head: str, known: Mapping[str, Header], content: Content) -> Found:
    """What the files of a model at a commit tell, and what is wrong with them.

    Args:
        repo: the repository.
        head: the commit.
        known: headers that were read before, by what they are known as: those are not read again.
        content: gives the bytes of a large file.

    Raises:
        OSError: the disk failed.
    """
    key = (repo.path, head)
    with _guard:
        remembered = _remembered.get(key)
    if remembered is not None:
        return remembered
    reading = _Reading(repo, read.root_files(repo, head), known, content)
    found = _found(reading), tuple(reading.problems)
    if not reading.lost:  # else what is missing may come back
        with _guard:
            _remembered[key] = found
    return found


def _found(reading: _Reading) -> ModelFiles:
    config = read_config({name: data for name in CONFIG_FILES if (data := _small(reading, name)) is not None})
    parts = safetensors_files(reading.files)
    index = [_index(reading)] if parts == [INDEX] else []
    weights = _headers(reading, _listed(reading, index[0]) if index else parts)
    quantized = _headers(reading, gguf_files(reading.files))
    facts = _facts(weights, quantized, config)
    return ModelFiles(facts, (*index, *weights, *quantized), frozenset(reading.files))


def _facts(weights: list[Header], quantized: list[Header], config: Mapping[str, object]) -> ModelFacts:
    parameters: dict[str, int] = {}
    for header in weights if not any(header.fault for header in weights) else ():
        for dtype, count in header.parameters.items():
            parameters[dtype] = parameters.get(dtype, 0) + count
    total = sum(parameters.values()) or None
    told: dict[str, object] = {}
    if quantized and not any(header.fault for header in quantized):
        told = {**quantized[0].metadata, "total": sum(sum(header.parameters.values()) for header in quantized)}
        total = total or int(str(told["total"])) or None
    return ModelFacts(dict(sorted(parameters.items())), total, told, config)


def _index(reading: _Reading) -> Header:
    """``model.safetensors.index.json``: the names of files in it are kept as those of a header."""
    blob = reading.files[INDEX]
    known = reading.known.get(known_as(INDEX, blob))
    if known is not None:
        return known
    try:
        data = _whole(reading, INDEX, most=MAX_INDEX)
    except DAMAGE as error:
        return Header(INDEX, blob, fault=_reason(reading, INDEX, error))
    return Header(INDEX, blob, metadata={"files": shards(data)[: MAX_SHARDS + 1]})


def _listed(reading: _Reading, index: Header) -> list[str]:
    """The files that an index names, ``[]`` when they cannot be counted."""
    names: list[str] = index.metadata.get("files", [])
    missing = [name for name in names if name not in reading.files]
    fault = index.fault
    if missing:
        fault = f"it names {missing[0][:100]}, which is not there"
    elif not names and not fault:
        fault = "it names no files"
    elif len(names) > MAX_SHARDS:
        fault = f"it names more than {MAX_SHARDS:,} files"
    if fault:
        _tell(reading, INDEX, fault)
    return [] if fault else names


def _headers(reading: _Reading, names: list[str]) -> list[Header]:
    found: list[Header] = []
    for name in names:
        blob = reading.files[name]
        known = reading.known.get(known_as(name, blob))
        if sum(header.size for header in found) > MAX_HEADERS:
            header = Header(name, blob, fault=f"the headers of all files have more than {MAX_HEADERS:,} bytes")
        elif known is not None and not known.fault:
            header = Header(name, blob, known.size, known.parameters, known.metadata)
        else:
            header = _read(reading, name)
        found.append(header)
        if header.fault:
            _tell(reading, name, header.fault)
            break
    return found


def _read(reading: _Reading, name: str) -> Header:
    blob, is_gguf = reading.files[name], name.endswith(".gguf")
    most = gguf.MAX_HEADER if is_gguf else safetensors.MAX_HEADER + 8
    try:
        size, stream = _open(reading, name)
        pieces = Pieces(stream, most=most)
        if is_gguf:
            total, metadata = gguf.read_gguf(pieces)
            return Header(name, blob, pieces.taken, {"": total}, metadata)
        counts = safetensors.count_parameters(pieces, size)
        return Header(name, blob, pieces.taken, counts)
    except DAMAGE as error:
        return Header(name, blob, fault=_reason(reading, name, error))


def _open(reading: _Reading, name: str) -> tuple[int, Iterator[bytes]]:
    """The size of a file and its bytes, wherever they lie. Raises ``NotFound`` when they are not there."""
    blob = reading.files[name]
    entry = TreeEntry(name, "file", blob, blob_size(reading.repo, blob), stat.S_IFREG)
    pointer = pointer_at(reading.repo, entry)
    if pointer:
        return pointer.size, reading.content(pointer)
    return entry.size, stream_blob(reading.repo, blob)


def _whole(reading: _Reading, name: str, *, most: int) -> bytes:
    """All bytes of a file. Raises ``TooLarge`` when they are more than ``most``, ``NotFound`` when not there."""
    size, stream = _open(reading, name)
    if size > most:
        raise TooLarge(f"it has {size:,} bytes; at most {most:,} are read")
    return b"".join(stream)


def _small(reading: _Reading, name: str) -> bytes | None:
    """A small file, ``None`` when there is none, or none that can be read."""
    if name not in reading.files:
        return None
    try:
        return _whole(reading, name, most=MAX_BYTES)
    except DAMAGE as error:
        _reason(reading, name, error)
        return None


def _reason(reading: _Reading, name: str, error: Exception) -> str:
    if isinstance(error, NotFound):
        reading.lost.append(name)
    return error.message.rstrip(".") if isinstance(error, GlasshubError) else f"it is damaged ({type(error).__name__})"


def _tell(reading: _Reading, path: str, reason: str) -> None:
    message = f"The parameters of this model are not counted: {reason}."
    reading.problems.append(Problem(path, 1, 1, message, "warning"))
