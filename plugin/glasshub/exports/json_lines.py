"""JSON Lines: an object a line, with every column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from glasshub.exports.plain_json import to_json
from glasshub.exports.records import COLUMNS, Record

_NAMES = [column.name for column in COLUMNS]


def write(records: Iterable[Record]) -> Iterator[bytes]:
    """The lines of the file."""
    for record in records:
        yield to_json(dict(zip(_NAMES, record, strict=True))) + b"\n"
