"""How a file is put together, as Xet clients read it: terms in order, and signed addresses of the chunks they need."""

from __future__ import annotations

from typing import Any

from flask import request

from glasshub.blobs.xet import content
from glasshub.blobs.xet.content import Part, Recipe
from glasshub.errors import Invalid, RangeNotSatisfiable
from glasshub.web.context import hub
from glasshub.web.xorb_bytes import MOST_RANGES, Reader, address

Run = tuple[int, int, int, int]  # first and last (exclusive) chunk, first and last (inclusive) byte


def first_version(recipe: Recipe, reader: Reader) -> dict[str, Any]:
    """A reconstruction with one address for each run of chunks."""
    terms, parts = _terms(recipe)
    info = {
        xorb: [
            {
                "range": {"start": start, "end": end},
                "url": address(xorb, [(first, last)], reader),
                "url_range": {"start": first, "end": last},
            }
            for start, end, first, last in runs
        ]
        for xorb, runs in _runs(parts).items()
    }
    return {**terms, "fetch_info": info}


def second_version(recipe: Recipe, reader: Reader) -> dict[str, Any]:
    """A reconstruction with one address for many runs of chunks of a xorb."""
    terms, parts = _terms(recipe)
    xorbs = {
        xorb: [_fetch(xorb, runs[at : at + MOST_RANGES], reader) for at in range(0, len(runs), MOST_RANGES)]
        for xorb, runs in _runs(parts).items()
    }
    return {**terms, "xorbs": xorbs}


def _fetch(xorb: str, runs: list[Run], reader: Reader) -> dict[str, Any]:
    ranges = [
        {"chunks": {"start": start, "end": end}, "bytes": {"start": first, "end": last}}
        for start, end, first, last in runs
    ]
    return {"url": address(xorb, [(first, last) for _, _, first, last in runs], reader), "ranges": ranges}


def _terms(recipe: Recipe) -> tuple[dict[str, Any], list[Part]]:
    start, end = _asked(recipe.size)
    parts, offset = _overlapping(recipe, start, end)
    terms = [{"hash": p.xorb, "unpacked_length": p.length, "range": {"start": p.start, "end": p.end}} for p in parts]
    return {"offset_into_first_range": start - offset, "terms": terms}, parts


def _asked(size: int) -> tuple[int, int]:
    """Start and end (exclusive) of the range that is asked for: of the whole file by default."""
    asked = request.range
    if asked is None or size == 0:
        return 0, size
    if len(asked.ranges) != 1:
        raise Invalid("Ask for one range at a time.")
    start, stop = asked.ranges[0]
    if start is None or start < 0 or start >= size:
        raise RangeNotSatisfiable(f"The file has {size} bytes; the range starts past its end.")
    return start, size if stop is None else min(stop, size)


def _overlapping(recipe: Recipe, start: int, end: int) -> tuple[list[Part], int]:
    """The parts that hold bytes of a range, and where the first of them begins."""
    found: list[Part] = []
    first = offset = 0
    for part in recipe.parts:
        if offset < end and offset + part.length > start:
            first = first if found else offset
            found.append(part)
        offset += part.length
    return found, first


def _runs(parts: list[Part]) -> dict[str, list[Run]]:
    """The runs of chunks that the parts need, those that overlap as one: clients know a run by where it begins."""
    joined: dict[str, list[tuple[int, int]]] = {}
    for xorb, start, end in sorted({(part.xorb, part.start, part.end) for part in parts}):
        runs = joined.setdefault(xorb, [])
        if runs and start < runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], end))
        else:
            runs.append((start, end))
    found: dict[str, list[Run]] = {}
    for xorb, runs in joined.items():
        chunks = content.chunks_of(hub().blobs, xorb)
        found[xorb] = [(start, end, chunks[start].offset, chunks[end - 1].end - 1) for start, end in runs]
    return found
