"""CSV (RFC 4180, UTF-8) that a spreadsheet may open: no text of a stranger becomes a formula."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from glasshub.exports.plain_json import clean, to_json
from glasshub.exports.records import COLUMNS, Record

# Spreadsheets compute cells that begin like this, some after white space, some also with the wide forms.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def write(records: Iterable[Record]) -> Iterator[bytes]:
    """The lines of the file, the first with the names of the columns."""
    line = io.StringIO(newline="")
    writer = csv.writer(line)
    writer.writerow([column.name for column in COLUMNS])
    yield _taken(line)
    for record in records:
        writer.writerow([_cell(value) for value in record])
        yield _taken(line)


def _taken(line: io.StringIO) -> bytes:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text.encode()


def _cell(value: Any) -> object:
    if isinstance(value, str):
        return safe(clean(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return to_json(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return "" if value is None else value


def safe(text: str) -> str:
    """``text``, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
