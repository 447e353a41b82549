"""Digests that bind an attestation to content; each can be made again from a clone with git and sha256sum."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, NamedTuple

import rfc8785

from glasshub.errors import Invalid

# What does not change what a model computes or which questions a benchmark asks. eval.yaml has a digest of its own.
# The endings are given, lest weights be called LICENSE.safetensors and change unseen.
_APART = re.compile(
    r"\.eval_results/[^/]*\.ya?ml|\.eval_logs/[^/]*\.(?:eval|json|md)|\.git(?:attributes|ignore)"
    r"|(?:README|LICENSE|NOTICE)(?:\.(?:md|txt|rst))?|eval\.yaml"
)


class TreeFile(NamedTuple):
    """A file of a commit: its path, its mode and the id of its blob in git (of the pointer, for a large file)."""

    path: str
    mode: int
    oid: str


def is_content(path: str) -> bool:
    """Whether a file is part of what a repo computes or asks, not of what is told about it."""
    return not _APART.fullmatch(path)


def content_sha256(files: Iterable[TreeFile]) -> str:
    """The digest of a repo's content at a commit: of weights, configuration and code, or of the data.

    It is the SHA-256 of one line ``<mode, six octal digits> <blob id> <path>`` per file, sorted by the bytes of the
    path, without README, LICENSE, NOTICE, eval.yaml, git's own files, and result files and logs. A large file's blob is
    its pointer, which holds the SHA-256 of the content.
    """
    found = sorted((file.path.encode("utf-8", "surrogateescape"), file) for file in files if is_content(file.path))
    digest = hashlib.sha256()
    for path, file in found:
        digest.update(b"%06o %s %s\n" % (file.mode, file.oid.encode(), path))
    return digest.hexdigest()


def spec_sha256(spec: Mapping[str, Any], data: Mapping[str, Any] | None) -> str:
    """The digest of what a task asks: SHA-256 of ``{"data": ..., "task": ...}`` as canonical JSON (RFC 8785).

    Args:
        spec: the task's entry in ``eval.yaml``.
        data: what the card's ``configs`` say of its config, which decides what files the split has (``None``: nothing).

    Raises:
        Invalid: it holds a number that JSON cannot carry exactly.
    """
    try:
        return hashlib.sha256(rfc8785.dumps({"task": dict(spec), "data": dict(data) if data else None})).hexdigest()
    except rfc8785.CanonicalizationError as error:
        raise Invalid(f"The task cannot be written as canonical JSON: {error}.") from error


def sha256(data: bytes) -> str:
    """The SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_of(file: BinaryIO) -> tuple[str, int]:
    """The SHA-256 of a whole open file, in hex, and its size in bytes."""
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1024 * 1024):
        digest.update(piece)
    return digest.hexdigest(), file.tell()
