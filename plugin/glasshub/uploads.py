"""Pictures, films and sounds that people add to what they write: files of their own, under names nobody guesses.

They are public to whoever has the address, also when they were made for a private repo.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from glasshub.errors import Forbidden, Invalid, NotFound, TooLarge, Unauthenticated
from glasshub.git.durable import sync_folder
from glasshub.hub import Hub
from glasshub.identity import Actor

FOLDER = "uploads"
SUFFIXES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
}
TYPES = {suffix: type for type, suffix in SUFFIXES.items()}
_NAME = re.compile(r"([0-9a-f]{32})\.([a-z0-9]{3,4})")
_PIECE = 256 * 1024
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """A stored file and the media type it is sent with."""

    path: Path
    type: str


def store(hub: Hub, actor: Actor, type: str, stream: IO[bytes]) -> str:
    """Keep what ``stream`` gives; returns its name, ``<32 hex>.<suffix>``.

    Args:
        hub: the hub.
        actor: who uploads.
        type: the media type they say it has; it is sent with that type and no other.
        stream: ``read(n)`` gives ``b""`` at the end.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or with a token that may only read.
        Invalid: a type that is not taken, or nothing in it.
        TooLarge: it has more bytes than the setting ``max_upload_bytes`` allows.
    """
    if not actor.signed_in:
        raise Unauthenticated("Sign in to upload files.")
    if actor.scope != "write":
        raise Forbidden("This token is read-only; use one with scope write to upload files.")
    if type not in SUFFIXES:
        raise Invalid(f"Files of type {type[:60]!r} are not taken. Taken are: {', '.join(SUFFIXES)}.")
    name = f"{secrets.token_hex(16)}.{SUFFIXES[type]}"
    folder = hub.settings.data / FOLDER / name[:2]
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    with _fresh(folder / f".{name}") as file:
        _copy(stream, file, hub.settings.max_upload_bytes)
        file.flush()
        os.fsync(file.fileno())
        (folder / f".{name}").rename(folder / name)
    sync_folder(folder)
    _log.info("%s uploaded %s", actor.name, name)
    return name


def find(hub: Hub, name: str) -> Upload:
    """A stored file by its name. Raises ``NotFound``."""
    parts = _NAME.fullmatch(name)
    path = hub.settings.data / FOLDER / name[:2] / name
    if parts is None or parts[2] not in TYPES or not path.is_file():
        raise NotFound("There is no upload of that name.")
    return Upload(path, TYPES[parts[2]])


@contextmanager
def _fresh(path: Path) -> Iterator[IO[bytes]]:
    """A new file that is removed unless it is renamed before the end."""
    try:
        with path.open("xb") as file:
            yield file
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def _copy(stream: IO[bytes], file: IO[bytes], most: int) -> None:
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > most:
            raise TooLarge(f"The file has more than {most:,} bytes, the most that are taken. Make it smaller.")
        file.write(piece)
    if not size:
        raise Invalid("The file is empty.")
