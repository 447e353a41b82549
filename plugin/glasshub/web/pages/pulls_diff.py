"""Differences for the eye: highlighted by Pygments, the changed part of a line marked, one column or two. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from markupsafe import Markup, escape

from glasshub.blobs.pointer import Pointer, parse_pointer
from glasshub.git.diff import DiffLine, FileChange, Hunk
from glasshub.web.pages.source import tokens_of

LONGEST_LINE = 4_000  # characters of a line that are shown
_ALIKE = 0.35  # of a line must stay for its change to be marked within it
# Control characters, and marks that change the direction of text: shown by name, so that nobody is misled by them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WORD = re.compile(r"[\w.]")
Pieces = Sequence[tuple[str, str]]  # the CSS class (may be empty) and text of each piece of a line


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line of a difference. ``bare`` tells that the file ends here without a line end."""

    kind: str
    old_no: int
    new_no: int
    html: Markup
    bare: bool


@dataclass(frozen=True, slots=True)
class ShownHunk:
    """Neighbouring lines; ``rows`` are the same side by side, either side may be missing."""

    header: str
    lines: Sequence[ShownLine]

    @property
    def rows(self) -> list[tuple[ShownLine | None, ShownLine | None]]:
        """Old and new lines beside each other."""
        return list(_rows(self.lines))


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A changed file. ``withheld`` tells that its lines are left for a page of their own.

    ``pointers`` are the large files that its two sides stand for, if they do.
    """

    change: FileChange
    hunks: Sequence[ShownHunk] = ()
    withheld: bool = False
    pointers: tuple[Pointer | None, Pointer | None] = (None, None)


def show_files(
    changes: Sequence[FileChange], texts: Mapping[str, str], *, most_lines: int | None = None
) -> list[ShownFile]:
    """The files in order, as many of them with their lines as fit.

    Args:
        changes: from :func:`glasshub.git.diff.diff_commits`.
        texts: by blob id the whole text of those files that are to be highlighted.
        most_lines: lines to show in all (the first file with lines is shown in any case).
    """
    shown: list[ShownFile] = []
    left = most_lines
    for change in changes:
        if left is not None and change.lines > left and left != most_lines:
            shown.append(ShownFile(change, withheld=True))
            continue
        if left is not None:
            left -= change.lines
        old, new = (_highlighted(texts.get(oid), path) for oid, path in _sides(change))
        before, after = (_pointer(texts.get(oid)) for oid, _ in _sides(change))
        hunks = [_hunk(hunk, old, new) for hunk in change.hunks]
        shown.append(ShownFile(change, hunks, pointers=(before, after)))
    return shown


def _sides(change: FileChange) -> tuple[tuple[str, str], tuple[str, str]]:
    return (change.old_id, change.old_path), (change.new_id, change.path)


def _pointer(text: str | None) -> Pointer | None:
    return parse_pointer(text.encode("utf-8", "replace")) if text is not None else None


def _highlighted(text: str | None, path: str) -> list[Pieces]:
    """The pieces of every line of a text (nothing when it cannot be highlighted)."""
    if text is None:
        return []
    lines: list[list[tuple[str, str]]] = [[]]
    for css, value in tokens_of(re.sub("\r(?!\n)", "\N{SYMBOL FOR CARRIAGE RETURN}", text), path):
        first, *others = value.split("\n")
        lines[-1].append((css, first))
        lines += [[(css, part)] for part in others]
    return list(lines)


def _hunk(hunk: Hunk, old: Sequence[Pieces], new: Sequence[Pieces]) -> ShownHunk:
    partners = dict(_partners(hunk.lines))
    lines = []
    for place, line in enumerate(hunk.lines):
        number, source = (line.old_no, old) if line.kind == "-" else (line.new_no, new)
        text = _seen(line.text.removesuffix("\r"))
        partner = hunk.lines[partners[place]] if place in partners else None
        marked = _changed_part(text, _seen(partner.text.removesuffix("\r"))) if partner else (0, 0)
        html = _html(_pieces(source, number, text), marked)
        if partner and line.text.endswith("\r") and not partner.text.endswith("\r"):
            html += Markup("<mark>\N{SYMBOL FOR CARRIAGE RETURN}</mark>")
        lines.append(ShownLine(line.kind, line.old_no, line.new_no, html, line.bare))
    return ShownHunk(hunk.header, lines)


def _partners(lines: Sequence[DiffLine]) -> Iterator[tuple[int, int]]:
    """Places of removed and added lines that stand for each other, both ways."""
    place = 0
    while place < len(lines):
        removed = _run(lines, place, "-")
        added = _run(lines, place + removed, "+")
        for n in range(min(removed, added)):
            yield place + n, place + removed + n
            yield place + removed + n, place + n
        place += removed + added or 1


def _run(lines: Sequence[DiffLine], start: int, kind: str) -> int:
    end = start
    while end < len(lines) and lines[end].kind == kind:
        end += 1
    return end - start


def _changed_part(text: str, other: str) -> tuple[int, int]:
    """From where to where ``text`` differs from ``other``; (0, 0) when too little of it stays."""
    shorter = min(len(text), len(other))
    begin = next((n for n in range(shorter) if text[n] != other[n]), shorter)
    end = next((n for n in range(shorter - begin) if text[-1 - n] != other[-1 - n]), shorter - begin)
    stays = len((text[:begin] + text[len(text) - end :]).replace(" ", ""))
    if stays < _ALIKE * len(max(text, other, key=len)):
        return 0, 0
    return _whole_words(text, begin, len(text) - end)


def _whole_words(text: str, begin: int, end: int) -> tuple[int, int]:
    """The part widened to whole words and numbers: 47.25 is marked, not 7.2."""
    while begin and _WORD.fullmatch(text[begin - 1]) and begin < len(text) and _WORD.fullmatch(text[begin]):
        begin -= 1
    while end < len(text) and end and _WORD.fullmatch(text[end]) and _WORD.fullmatch(text[end - 1]):
        end += 1
    return begin, end


def _pieces(source: Sequence[Pieces], number: int, text: str) -> Pieces:
    if 0 < number <= len(source):
        pieces = [(css, _seen(part)) for css, part in source[number - 1]]
        if "".join(part for _, part in pieces) == text:
            return pieces
    return [("", text)]


def _html(pieces: Pieces, marked: tuple[int, int]) -> Markup:
    made: list[str] = []
    at = 0
    for css, text in pieces:
        cuts = sorted({0, len(text), *(min(max(edge - at, 0), len(text)) for edge in marked)})
        for begin, end in pairwise(cuts):
            part = escape(text[begin:end][: max(0, LONGEST_LINE - at - begin)])
            inner = f'<span class="{css}">{part}</span>' if css else part
            made.append(f"<mark>{inner}</mark>" if marked[0] <= at + begin < marked[1] else inner)
        at += len(text)
        if at > LONGEST_LINE:
            made.append("\N{HORIZONTAL ELLIPSIS}")
            break
    return Markup("".join(made))  # noqa: S704  every part is escaped, classes are Pygments' own


def _seen(text: str) -> str:
    return _UNSEEN.sub(
        lambda found: f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{ord(found[0]):04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}",
        text,
    )


def _rows(lines: Sequence[ShownLine]) -> Iterator[tuple[ShownLine | None, ShownLine | None]]:
    removed: list[ShownLine] = []
    added: list[ShownLine] = []
    for line in lines:
        if line.kind == "-" and not added:
            removed.append(line)
            continue
        if line.kind == "+":
            added.append(line)
            continue
        yield from zip_longest(removed, added)
        removed, added = ([line], []) if line.kind == "-" else ([], [])
        if line.kind == " ":
            yield line, line
    yield from zip_longest(removed, added)
