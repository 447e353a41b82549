"""``.eval`` files: ZIP archives of JSON, deflated or packed with Zstandard, from people we do not know.

Python's own ``zipfile`` reads the directory but cannot unpack method 93 (Zstandard) before 3.14, so members are
unpacked here. Format: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header) and 4.4.5 (methods).
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

import zstandard

from glasshub.errors import Invalid, TooLarge

STORED, DEFLATED, ZSTANDARD = 0, 8, 93
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED, _UTF8 = 0x1, 0x800
_BLOCK = 256 * 1024
_WINDOW = 2**27  # what Zstandard's own tool accepts by default


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an untrusted archive is read: bytes of the file, of one member, of all members, and members."""

    file: int = 1024 * 1024 * 1024
    member: int = 64 * 1024 * 1024
    total: int = 4 * 1024 * 1024 * 1024
    members: int = 200_000


class _Source(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(slots=True)
class Archive:
    """An open archive. ``names`` are its members in order; nothing is ever written to disk."""

    file: BinaryIO
    limits: Limits
    members: dict[str, zipfile.ZipInfo]
    _left: int = field(default=0)

    @property
    def names(self) -> list[str]:
        """The names of all members."""
        return list(self.members)

    def read(self, name: str) -> bytes:
        """The content of a member.

        Raises:
            Invalid: there is none of that name, or it is damaged or packed in a way that logs are not.
            TooLarge: it or all that was read so far is larger than is read.
        """
        info = self.members.get(name)
        if info is None:
            raise Invalid(f"The log has no {name}: it is no complete log of Inspect.")
        limit = min(self.limits.member, self._left)
        if max(info.file_size, info.compress_size) > limit:
            raise TooLarge(f"{name} of the log is larger than the {limit:,} bytes that are read.")
        try:
            data = _unpack(self._packed(info), info.compress_type, info.file_size)
        except (zlib.error, zstandard.ZstdError, struct.error, EOFError) as error:
            raise Invalid(f"{name} of the log is damaged: {error}.") from error
        if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
            raise Invalid(f"{name} of the log is damaged: its size or checksum is not what the archive says.")
        self._left -= len(data)
        return data

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        self.file.seek(info.header_offset)
        magic, *_, name_length, extra_length = _LOCAL.unpack(self.file.read(_LOCAL.size))
        encoding = "utf-8" if info.flag_bits & _UTF8 else "cp437"
        if magic != b"PK\x03\x04" or self.file.read(name_length) != info.orig_filename.encode(encoding):
            raise Invalid(f"{info.filename} of the log is damaged: its two headers disagree.")
        self.file.seek(extra_length, io.SEEK_CUR)
        packed = self.file.read(info.compress_size)
        if len(packed) != info.compress_size:
            raise EOFError("the file is cut off")
        return packed


def open_archive(file: BinaryIO, limits: Limits | None = None) -> Archive:
    """Open an ``.eval`` file.

    Args:
        file: seekable; stays open as long as the archive is used.
        limits: how much is read at most.

    Raises:
        Invalid: it is no ZIP archive, names a member twice, or has members that logs do not have (encrypted ones, paths
            that lead elsewhere, other ways of packing).
        TooLarge: the file or the number of its members.
    """
    limits = limits or Limits()
    size = file.seek(0, io.SEEK_END)
    if size > limits.file:
        raise TooLarge(f"The log has {size:,} bytes; at most {limits.file:,} are read.")
    try:
        with zipfile.ZipFile(file) as directory:
            infos = directory.infolist()
    except (zipfile.BadZipFile, struct.error, UnicodeDecodeError, NotImplementedError, ValueError) as error:
        raise Invalid("The log is no ZIP archive, as .eval files are.") from error
    if len(infos) > limits.members:
        raise TooLarge(f"The log has {len(infos):,} members; at most {limits.members:,} are read.")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _refuse(info, members)
        members[info.filename] = info
    return Archive(file, limits, members, limits.total)


def _refuse(info: zipfile.ZipInfo, before: dict[str, zipfile.ZipInfo]) -> None:
    name = info.filename
    if name in before:
        raise Invalid(f"The log holds {name!r} twice.")
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise Invalid(f"The log holds a member with an impossible name: {name!r}.")
    if info.flag_bits & _ENCRYPTED or info.compress_type not in (STORED, DEFLATED, ZSTANDARD):
        raise Invalid(f"{name!r} of the log is encrypted, or packed in a way that logs are not.")


def _unpack(packed: bytes, method: int, size: int) -> bytes:
    """The unpacked bytes, one more than ``size`` at most: enough to see that there are too many."""
    if method == STORED:
        return packed[: size + 1]
    if method == DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        return inflater.decompress(packed, size + 1)
    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    with unpacker.stream_reader(packed, read_across_frames=True) as reader:
        return b"".join(_blocks(reader, size + 1))


def _blocks(source: _Source, limit: int) -> Iterator[bytes]:
    while limit > 0 and (block := source.read(min(_BLOCK, limit))):
        limit -= len(block)
        yield block
