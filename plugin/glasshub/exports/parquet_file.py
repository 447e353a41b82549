"""Parquet, where ``pyarrow`` is installed. ``extra`` and ``other`` are JSON texts in it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from itertools import islice
from typing import Any

from glasshub.errors import Invalid
from glasshub.exports.plain_json import clean, to_json
from glasshub.exports.records import COLUMNS, Kind, Record

GROUP = 10_000  # rows that are in memory at a time


@cache
def available() -> bool:
    """Whether this hub can write Parquet."""
    return find_spec("pyarrow") is not None


def require() -> None:
    """Return if this hub can write Parquet. Raises ``Invalid``."""
    if not available():
        raise Invalid(
            "Parquet needs pyarrow, which is not installed on this hub. Choose csv or jsonl, or have it installed: "
            "pip install 'glasshub[parquet]'."
        )


def write(records: Iterable[Record]) -> Iterator[bytes]:
    """The file in pieces. Raises ``Invalid`` where it cannot be written."""
    require()
    import pyarrow  # here, since it is optional and slow to import
    from pyarrow.parquet import ParquetWriter

    types: dict[Kind, Any] = {
        "whole": pyarrow.int64(), "number": pyarrow.float64(), "truth": pyarrow.bool_(),
        "text": pyarrow.string(), "json": pyarrow.string(),
    }  # fmt: skip
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in COLUMNS])
    sink = _Sink()
    with ParquetWriter(pyarrow.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        rows = iter(records)
        while group := list(islice(rows, GROUP)):
            columns = zip(*group, strict=True)
            arrays = [
                pyarrow.array([_value(value) for value in values], type=field.type)
                for values, field in zip(columns, schema, strict=True)
            ]
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return to_json(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class _Sink(io.RawIOBase):
    """Takes what the writer writes until it is passed on."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
