"""Files that somebody uploaded and has not decided about yet: kept for a day, for nobody else, and never served."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from glasshub.errors import Forbidden, Invalid, NotFound, TooLarge, Unauthenticated
from glasshub.evals.importers.proposal import LogFile
from glasshub.hub import Hub
from glasshub.identity import Actor

FOLDER = "imports"
MAX_STAGED = 12 * 1024 * 1024
MOST_FILES = 20  # of one person; the oldest go first
KEPT_SECONDS = 24 * 3600
_DIGEST = re.compile(r"[0-9a-f]{64}")


def stage(hub: Hub, actor: Actor, file: LogFile) -> str:
    """Keep a file for the person who uploaded it; returns its SHA-256, which names it for them.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or with a token that may only read.
        Invalid: it is empty.
        TooLarge: it has more bytes than are kept.
    """
    if not actor.signed_in:
        raise Unauthenticated("Sign in to import files.")
    if actor.scope != "write":
        raise Forbidden("This token is read-only; use one with scope write to import files.")
    if not file.data:
        raise Invalid("Choose a file; this one is empty.")
    if len(file.data) > MAX_STAGED:
        raise TooLarge(
            f"The file has more than {MAX_STAGED // 1024**2} MB. Import it with the command glasshub import log."
        )
    folder = _folder(hub, actor)
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    fresh = folder / f".{secrets.token_hex(8)}"
    head = json.dumps({"name": file.name[:200]}).encode()
    try:
        fresh.write_bytes(head + b"\n" + file.data)
        fresh.replace(folder / file.sha256)
    finally:
        fresh.unlink(missing_ok=True)
    _clear_up(hub, folder)
    return file.sha256


def staged(hub: Hub, actor: Actor, digest: str) -> LogFile:
    """The file that this person uploaded. Raises ``NotFound`` if they did not, or it was a day ago."""
    path = _folder(hub, actor) / digest
    try:
        if not _DIGEST.fullmatch(digest) or not actor.signed_in or _is_old(path):
            raise FileNotFoundError(digest)
        head, _, data = path.read_bytes().partition(b"\n")
    except FileNotFoundError as error:
        raise NotFound("You have uploaded no such file, or it was more than a day ago. Upload it again.") from error
    file = LogFile(json.loads(head)["name"], data)
    if file.sha256 != digest:
        raise NotFound("The file was damaged on the disk of the hub. Upload it again.")
    return file


def forget(hub: Hub, actor: Actor, digest: str) -> None:
    """Remove a file that was decided about."""
    if _DIGEST.fullmatch(digest):
        (_folder(hub, actor) / digest).unlink(missing_ok=True)


def _folder(hub: Hub, actor: Actor) -> Path:
    name = hashlib.sha256((actor.name or "").lower().encode()).hexdigest()[:32]
    return hub.settings.data / FOLDER / name


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > KEPT_SECONDS


def _clear_up(hub: Hub, mine: Path) -> None:
    """Remove what is old of everybody, and the oldest of this person beyond what one may have."""
    for folder in list((hub.settings.data / FOLDER).iterdir()):
        for path in list(_files(folder)):
            with suppress(FileNotFoundError):
                if _is_old(path):
                    path.unlink()
    for path in sorted(_files(mine), key=_age)[MOST_FILES:]:
        path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        yield from (Path(entry.path) for entry in os.scandir(folder))


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
