"""Commits as stock clients send them: NDJSON, one operation a line, contents inside as base64.

The stream is read piece by piece. Of a long text within a line (a file's content) only the base64 decoder sees all; it
goes to disk, so that a commit of a gigabyte takes a few megabytes of memory, whatever order its fields come in.
"""

from __future__ import annotations

import binascii
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from glasshub.errors import Invalid, TooLarge

PIECE = 256 * 1024
LONGEST_LINE = 2 * 1024**2  # without the long text in it
MOST_TEXTS = 100  # in one line
_LONG = 1024**2  # texts longer than this are not kept in memory
_QUOTE_OR_END = re.compile(rb'["\n]')
_QUOTE_ESCAPE_OR_END = re.compile(rb'["\\\n]')
_CUT_OFF = "A line of the commit ends in the middle of a text. Send it again, whole."
_PLACE = "\0content"  # stands in a line for the long text; JSON texts of clients hold no NUL that is not escaped
_SPOOLED = 1024**2


class Content:
    """The bytes of one file, decoded as they come: in memory while they are few, else in a nameless file."""

    def __init__(self, folder: Path) -> None:
        self.size = 0
        self._file = tempfile.SpooledTemporaryFile(_SPOOLED, dir=str(folder))  # noqa: SIM115 - see close
        self._rest = b""
        self._ended = False

    def feed(self, text: bytes) -> None:
        """Take more base64. Raises ``Invalid`` when it is none."""
        text = self._rest + text
        whole = len(text) - len(text) % 4
        text, self._rest = text[:whole], text[whole:]
        if not text:
            return
        if self._ended:
            raise Invalid("The content of a file goes on after the end of its base64.")
        self._ended = text.endswith(b"=")
        try:
            data = binascii.a2b_base64(text, strict_mode=True)
        except binascii.Error as error:
            raise Invalid(f"The content of a file is not valid base64 ({error}).") from error
        self.size += len(data)
        self._file.write(data)

    def finish(self) -> None:
        """The base64 is over. Raises ``Invalid`` when it was cut off."""
        if self._rest:
            raise Invalid("The content of a file is cut off: its base64 has no whole number of groups of four.")

    def pieces(self) -> Iterator[bytes]:
        """The decoded bytes, from the start."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def stream(self) -> IO[bytes]:
        """The decoded bytes as a file, at the start."""
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Forget the bytes."""
        self._file.close()


class CommitLines:
    """The lines of one commit.

    Args:
        stream: the body; ``read(n)`` gives ``b""`` at the end.
        most: how many bytes of body may come.
        folder: where contents lie while their line is dealt with.
    """

    def __init__(self, stream: IO[bytes], most: int, folder: Path) -> None:
        self._stream, self._left, self._most, self._folder = stream, most, most, folder
        self._buffer, self._at = b"", 0
        self._begun = b""  # what was read of the text that is to be lifted out
        self._over = False

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any], Content | None]]:
        """Each line's key, value, and the content of its file, which lasts until the next line is asked for.

        Raises:
            Invalid: a line is no JSON object of ``key`` and ``value``, or a content is no base64.
            TooLarge: the body, or a line without its content, is too long.
        """
        while True:
            content = Content(self._folder)
            try:
                line, lifted = self._line(content)
                if line.strip():
                    yield _parsed(line, content, lifted=lifted)
                elif self._over:
                    return
            finally:
                content.close()

    def _line(self, content: Content) -> tuple[bytes, bool]:
        """The next line, with one long text lifted out of it into ``content``; and whether there was one."""
        kept, lifted, texts = bytearray(), False, 0
        while self._until(_QUOTE_OR_END, kept) == b'"':
            kept += b'"'
            texts += 1
            if texts > MOST_TEXTS:
                raise Invalid(f"A line of the commit has more than {MOST_TEXTS} texts; an operation needs but a few.")
            if not self._text(kept, may_lift=not lifted):
                lifted = True
                self._lift(kept, content)
        return bytes(kept), lifted

    def _text(self, kept: bytearray, *, may_lift: bool) -> bool:
        """Add the rest of a text after its opening mark; ``False`` if it is so long that it is to be lifted out."""
        begin = len(kept)
        while True:
            mark = self._until(_QUOTE_ESCAPE_OR_END, kept, most=begin + _LONG if may_lift else 0)
            if may_lift and len(kept) - begin > _LONG:
                self._at -= len(mark)
                self._begun = bytes(kept[begin:])
                del kept[begin:]
                return False
            kept += mark
            if mark == b'"':
                return True
            if mark != b"\\":
                raise Invalid(_CUT_OFF)
            kept += self._one()

    def _lift(self, kept: bytearray, content: Content) -> None:
        """Feed the rest of a long text to ``content`` and put a short one in its place."""
        text = self._begun
        while True:
            piece = bytearray(text)
            mark = self._until(_QUOTE_OR_END, piece, most=1)
            text = b"\\" if not mark and piece.endswith(b"\\") else b""
            # Base64 needs no escapes, but some writers of JSON escape every slash.
            content.feed(bytes(piece[: len(piece) - len(text)]).replace(b"\\/", b"/"))
            if mark == b'"':
                kept += json.dumps(_PLACE)[1:].encode()
                return
            if mark or self._over:
                raise Invalid(_CUT_OFF)

    def _until(self, marks: re.Pattern[bytes], kept: bytearray, *, most: int = 0) -> bytes:
        """Add what comes before the next mark to ``kept``, and pass over the mark.

        Returns:
            The mark; ``b""`` at the end, and once ``kept`` has more than ``most`` bytes (if that is not 0).
        """
        while True:
            found = marks.search(self._buffer, self._at)
            kept += self._buffer[self._at : found.start() if found else None]
            self._at = found.end() if found else len(self._buffer)
            if found:
                return found[0]
            if most and len(kept) > most:
                return b""
            if len(kept) > LONGEST_LINE:
                raise TooLarge(f"A line of the commit has more than {LONGEST_LINE:,} bytes beside a file's content.")
            if not self._more():
                return b""

    def _one(self) -> bytes:
        if self._at == len(self._buffer) and not self._more():
            raise Invalid(_CUT_OFF)
        self._at += 1
        return self._buffer[self._at - 1 : self._at]

    def _more(self) -> bool:
        """Read more, when all that was read is used up; ``False`` at the end."""
        self._buffer, self._at = (b"" if self._over else self._stream.read(PIECE)), 0
        self._over = not self._buffer
        self._left -= len(self._buffer)
        if self._left < 0:
            raise TooLarge(
                f"The commit has more than {self._most:,} bytes. Commit fewer files at a time, push with git, "
                "or ask an admin to raise the setting max_commit_bytes."
            )
        return not self._over


def _parsed(line: bytes, content: Content, *, lifted: bool) -> tuple[str, dict[str, Any], Content | None]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"A line of the commit is no JSON: {line[:60].decode('utf-8', 'replace')!r}.") from error
    value = found.get("value") if isinstance(found, dict) else None
    key = found.get("key") if isinstance(found, dict) else None
    if not isinstance(key, str) or not isinstance(value, dict):
        raise Invalid("Each line of a commit is a JSON object with key and value.")
    if lifted and value.get("content") != _PLACE:
        raise Invalid("A line of the commit has a text that is too long, and is no file's content.")
    return key, value, _content(value, content, lifted=lifted)


def _content(value: dict[str, Any], content: Content, *, lifted: bool) -> Content | None:
    text = value.pop("content", None)
    if text is None:
        return None
    if not isinstance(text, str) or value.get("encoding", "base64") != "base64":
        raise Invalid("Send the content of a file as base64, and say so in encoding.")
    if not lifted:
        content.feed(text.encode("utf-8", "replace"))
    content.finish()
    return content
