"""The formats of exports: how each is written and called."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from glasshub.errors import Invalid
from glasshub.exports import csv_lines, every_eval_ever, json_lines, parquet_file
from glasshub.exports.records import Record

BLOCK = 64 * 1024
_AWKWARD = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Format:
    """One format. ``label`` is what pages call it; ``ending`` that of its files, by default its name."""

    name: str
    label: str
    type: str
    write: Callable[[Iterable[Record]], Iterator[bytes]]
    ending: str = ""


FORMATS = {
    found.name: found
    for found in (
        Format("csv", "CSV", "text/csv; charset=utf-8", csv_lines.write),
        Format("jsonl", "JSON", "application/jsonl", json_lines.write),
        Format("parquet", "Parquet", "application/vnd.apache.parquet", parquet_file.write),
        Format("eee", "Every Eval Ever", "application/jsonl", every_eval_ever.write, "eee.jsonl"),
    )
}


def find(name: str) -> Format:
    """The format of this name. Raises ``Invalid``, also where this hub cannot write it."""
    if name not in FORMATS:
        raise Invalid(f"There is no format {name[:50]!r}. Choose one of: {', '.join(FORMATS)}.")
    if name == "parquet":
        parquet_file.require()
    return FORMATS[name]


def offered() -> list[Format]:
    """The formats that this hub can write."""
    return [found for found in FORMATS.values() if found.name != "parquet" or parquet_file.available()]


def file_name(what: str, format: Format) -> str:
    """A name for the file that is sensible everywhere, from words such as ids."""
    return f"{_AWKWARD.sub('-', what).strip('-.')[:150] or 'results'}.{format.ending or format.name}"


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)
