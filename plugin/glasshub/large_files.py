"""Large files of repos: who may bring and read them, and what a push needs to have been brought.

A repo *has* a file when somebody brought its content to that very repo. Knowing a hash gives nothing: what another repo
has must be brought again (and is then stored once), and is read only through a repo that has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from glasshub import access, clock
from glasshub.access import Action
from glasshub.blobs.pointer import Pointer
from glasshub.blobs.xet import content
from glasshub.errors import Invalid, NotFound, TooLarge
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.registry import large_files as rows
from glasshub.registry.large_files import LargeFile

__all__ = [
    "FILES",
    "LargeFile",
    "add",
    "deleted",
    "faults",
    "find",
    "local_path",
    "missing",
    "receive",
    "require",
    "require_may_add",
    "size",
    "stream",
    "total_size",
    "touch_all",
]

FILES = "files"


def find(hub: Hub, repo: Repo, pointers: Collection[Pointer]) -> dict[str, LargeFile]:
    """Those of the files that the repo has, by SHA-256. (The caller has checked that the reader may see the repo.)

    A file whose content was lost on the disk counts as one that it does not have, so that it can be brought again.
    """
    if not pointers:
        return {}
    with hub.registry.read() as db:
        found = rows.find(db, repo.key, [pointer.sha256 for pointer in pointers])
    wanted = {(pointer.sha256, pointer.size) for pointer in pointers}
    return {
        sha256: file
        for sha256, file in found.items()
        if (sha256, file.size) in wanted and _stored(hub, file) is not None
    }


def size(hub: Hub, repo: Repo, sha256: str) -> int | None:
    """How large the file with this hash is, ``None`` when the repo does not have it."""
    with hub.registry.read() as db:
        found = rows.find(db, repo.key, [sha256]).get(sha256)
    return found.size if found else None


def total_size(hub: Hub, key: str) -> int:
    """How many bytes the large files have that the repo of this key has."""
    with hub.registry.read() as db:
        return rows.total_size(db, key)


def missing(hub: Hub, repo: Repo, pointers: Collection[Pointer]) -> list[Pointer]:
    """Those of the files that the repo does not have."""
    found = find(hub, repo, pointers)
    sizes = {sha256: file.size for sha256, file in found.items()}
    return [pointer for pointer in pointers if sizes.get(pointer.sha256) != pointer.size]


def deleted(hub: Hub, repo: Repo) -> set[str]:
    """The SHA-256 of files that an admin deleted from the repo for good."""
    with hub.registry.read() as db:
        return set(rows.deleted(db, repo.key))


def faults(hub: Hub, repo: Repo) -> Iterator[str]:
    """A sentence for every file that the repo has and whose content is not on the disk, or not whole."""
    with hub.registry.read() as db:
        known = rows.every(db, repo.key)
    for file in known:
        stored = _stored(hub, file)
        if stored is None:
            yield f"the content of the large file {file.sha256} is missing; restore it below {hub.settings.data}/blobs"
        elif stored != file.size:
            yield f"the large file {file.sha256} has {stored:,} bytes on the disk, not {file.size:,}; restore it"


def _stored(hub: Hub, file: LargeFile) -> int | None:
    if not file.xet_hash:
        return hub.blobs.size(FILES, file.sha256)
    return file.size if hub.blobs.size(content.RECIPES, file.xet_hash) is not None else None


def require_may_add(hub: Hub, actor: Actor, repo: Repo, size: int) -> None:
    """Return if the actor may bring a file of this size: whoever may open a pull request may.

    Raises:
        TooLarge: it is above the setting ``max_file_bytes``.
        Forbidden, Unauthenticated, RepoNotFound: as the permission table says.
    """
    access.require(actor, Action.DISCUSS, repo)
    if size > hub.settings.max_file_bytes:
        raise TooLarge(f"The file has {size:,} bytes; this hub takes files of at most {hub.settings.max_file_bytes:,}.")


def receive(hub: Hub, repo: Repo, by: str, pointer: Pointer, stream: IO[bytes]) -> None:
    """Store the content of a file for a repo. The caller has checked the right to do so.

    Raises:
        Invalid, TooLarge: the content is not what the pointer says. Nothing is kept.
    """
    hub.blobs.receive(FILES, pointer.sha256, stream, size=pointer.size)
    add(hub, repo, by, pointer)


def add(hub: Hub, repo: Repo, by: str, pointer: Pointer, *, xet_hash: str = "") -> None:
    """Note that a repo has a file whose content is stored. Raises ``Invalid`` when it is not there (any more)."""
    kind, name = (content.RECIPES, xet_hash) if xet_hash else (FILES, pointer.sha256)
    if not hub.blobs.touch(kind, name):
        raise Invalid(f"The content of {pointer.sha256} is not on the hub any more. Upload it again.")
    file = LargeFile(pointer.sha256, pointer.size, xet_hash, clock.now(), by)
    with hub.registry.write() as db:
        rows.add(db, repo.key, file)


def touch_all(hub: Hub, repo: Repo) -> None:
    """Let the grace of all content of a repo begin now: it is about to give it up."""
    with hub.registry.read() as db:
        known = rows.every(db, repo.key)
    for file in known:
        if not file.xet_hash:
            hub.blobs.touch(FILES, file.sha256)
        elif hub.blobs.touch(content.RECIPES, file.xet_hash):
            for xorb in {part.xorb for part in content.load_recipe(hub.blobs, file.xet_hash).parts}:
                hub.blobs.touch(content.XORBS, xorb)


def require(hub: Hub, repo: Repo, pointer: Pointer) -> LargeFile:
    """The file as the repo has it. Raises ``NotFound`` when it does not."""
    found = find(hub, repo, [pointer]).get(pointer.sha256)
    if found is None:
        with hub.registry.read() as db:
            deleted = rows.deleted(db, repo.key).get(pointer.sha256, "")
        if deleted:
            raise NotFound(f"The content of this file was deleted from {repo.repo_id} on {deleted[:10]}, for good.")
        raise NotFound(f"{repo.repo_id} does not have the content of this file. Whoever pushed it should push again.")
    return found


def local_path(hub: Hub, file: LargeFile) -> Path | None:
    """Where the content lies as one file on this machine (``None`` when it does not)."""
    return hub.blobs.local_path(FILES, file.sha256) if not file.xet_hash else None


def stream(hub: Hub, repo: Repo, pointer: Pointer, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes ``start`` to ``end`` (exclusive) of a file that the repo has.

    Raises:
        NotFound: it does not have it.
    """
    file = require(hub, repo, pointer)
    if file.xet_hash:
        return content.stream(hub.blobs, content.load_recipe(hub.blobs, file.xet_hash), start, end)
    return hub.blobs.stream(FILES, pointer.sha256, start, end)
