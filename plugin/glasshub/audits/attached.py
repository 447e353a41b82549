"""Finding and opening a log that lies in a repo: in git itself, in Git LFS, or in Xet."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from glasshub import large_files, repos
from glasshub.audits.references import ENDINGS, Said, file_of
from glasshub.blobs.pointer import MAX_POINTER, Pointer, parse_pointer
from glasshub.errors import NotFound, TooLarge
from glasshub.git import read
from glasshub.git.read import open_repo
from glasshub.hub import Hub
from glasshub.identity import Repo

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class AttachedLog:
    """A log in a repo at a commit; ``pointer`` leads to its content when that is not in git."""

    repo: Repo
    commit: str
    path: str
    blob: str
    size: int
    pointer: Pointer | None = None


def repo_of(hub: Hub, said: Said) -> tuple[Repo, str, str]:
    """The repo that has the log, the commit (``""``: it is the first part of the path) and the path there.

    Nobody's rights are looked at.

    Raises:
        NotFound: there is no such repo, or the address is none of a file of this hub.
    """
    if not said.log.startswith(("http://", "https://")):
        return repos.by_key(hub, said.model), said.commit, said.log
    file = file_of(said.log, hub.settings.public_url)
    if file is None:
        raise NotFound("The address leads to no log (.eval or .json) on this hub.")
    return repos.find(hub, file.type, file.namespace, file.name), "", file.rest


def locate(hub: Hub, repo: Repo, commit: str, path: str) -> AttachedLog:
    """The log at a path of a repo at a commit; without one, the path begins with a revision.

    Raises:
        NotFound: there is none, or it is no log by its name.
    """
    with open_repo(hub.git_dir(repo)) as git:
        if not commit:
            revision, path = read.split_revision_path(git, path)
            commit = revision.commit
        found = read.entry(git, commit, path)
        if found.kind != "file" or not path.endswith(ENDINGS):
            raise NotFound(f"{path[:200]} is no log: a file that ends in .eval or .json was expected.")
        pointer = parse_pointer(read.read_blob(git, found.oid)) if found.size <= MAX_POINTER else None
    return AttachedLog(repo, commit, path, found.oid, pointer.size if pointer else found.size, pointer)


@contextmanager
def opened(hub: Hub, log: AttachedLog, *, limit: int) -> Iterator[BinaryIO]:
    """The log as a seekable file.

    Args:
        hub: the hub.
        log: from :func:`locate`.
        limit: bytes that it may have.

    Raises:
        TooLarge: it has more.
        NotFound: its content is not on the hub.
    """
    if log.size > limit:
        raise TooLarge(f"The log has {log.size:,} bytes; at most {limit:,} are read here.")
    if log.pointer is None:
        with open_repo(hub.git_dir(log.repo)) as git:
            data = read.read_blob(git, log.blob, limit=limit)
        yield io.BytesIO(data)
        return
    path = large_files.local_path(hub, large_files.require(hub, log.repo, log.pointer))
    if path is not None:
        with path.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as file:
        for block in large_files.stream(hub, log.repo, log.pointer):
            file.write(block)
        yield file


def digest(file: BinaryIO) -> str:
    """The SHA-256 of a file that is open."""
    file.seek(0)
    found = hashlib.sha256()
    while block := file.read(_BLOCK):
        found.update(block)
    return found.hexdigest()
