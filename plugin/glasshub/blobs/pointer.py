"""Git LFS pointers: the small text that stands in git for a large file.

Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_POINTER = 1024  # bytes, as the specification says
VERSION = "https://git-lfs.github.com/spec/v1"
MIN_POINTER = len(VERSION) + 83  # bytes: with a size of one digit
_BEGIN = f"version {VERSION}\n".encode()
_TEXT = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n"
    rb"(?:ext-[0-9]-[A-Za-z0-9.-]+ [^\n]*\n)*"
    rb"oid sha256:([0-9a-f]{64})\n"
    rb"size (0|[1-9][0-9]{0,15})\n?"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A large file by the SHA-256 of its content (64 hex digits) and its size in bytes."""

    sha256: str
    size: int

    def text(self) -> bytes:
        """The pointer file, byte for byte as git-lfs writes it."""
        return f"version {VERSION}\noid sha256:{self.sha256}\nsize {self.size}\n".encode()


def parse_pointer(data: bytes) -> Pointer | None:
    """The pointer that ``data`` is, ``None`` when it is something else."""
    if len(data) > MAX_POINTER or not data.startswith(_BEGIN):
        return None
    found = _TEXT.fullmatch(data)
    return Pointer(found[1].decode("ascii"), int(found[2])) if found else None


def is_sha256(text: str) -> bool:
    """Whether ``text`` is 64 lower-case hex digits."""
    return _SHA256.fullmatch(text) is not None
