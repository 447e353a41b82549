"""Text files in a web form and back: what the form cannot keep (line ends, a byte order mark) is put back. Pure."""

from __future__ import annotations

import re
from collections import Counter

MAX_BYTES = 512 * 1024
_BOM = b"\xef\xbb\xbf"
_ENDS = re.compile(r"(\r\n|\r|\n)")


def to_form(data: bytes) -> str | None:
    """The text of a file for a form, lines ending with ``\\n``; ``None`` if it is binary (a NUL, or not UTF-8)."""
    if b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return _ENDS.sub("\n", text)


def from_form(typed: str, before: bytes = b"") -> bytes:
    """The file that was typed, in the manner of the file ``before``.

    Lines that are as they were keep their ends; new ones get those that most lines have. So a form that is sent
    back unchanged changes nothing.
    """
    lines = _ENDS.sub("\n", typed.replace("\0", "")).split("\n")
    old = _ENDS.split(before.decode("utf-8-sig", "replace"))
    text = _joined(lines, old[0::2], old[1::2])
    return (_BOM if before.startswith(_BOM) else b"") + text.encode("utf-8", "replace")


def _joined(lines: list[str], old: list[str], ends: list[str]) -> str:
    usual = Counter(ends).most_common(1)[0][0] if ends else "\n"
    same, most = 0, min(len(lines), len(old))
    while same < most and lines[same] == old[same]:
        same += 1
    after = 0
    while after < most - same and lines[-1 - after] == old[-1 - after]:
        after += 1
    new_ends = [usual] * (len(lines) - 1)
    kept = min(same, len(ends), len(new_ends))
    new_ends[:kept] = ends[:kept]
    tail = min(after, len(ends) - kept, len(new_ends) - kept)
    if tail > 0:
        new_ends[-tail:] = ends[-tail:]
    text = "".join(line + end for line, end in zip(lines, [*new_ends, ""], strict=True))
    # Where "\r" and "\n" of different lines would meet, they would become one.
    return text if _ENDS.sub("\n", text) == "\n".join(lines) else usual.join(lines)
