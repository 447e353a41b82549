"""The formats by themselves: values that files may hold and readers choke on."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from glasshub.errors import Invalid
from glasshub.exports import csv_lines, formats, json_lines
from glasshub.exports.records import COLUMNS

PLACES = {column.name: place for place, column in enumerate(COLUMNS)}


def record(**values: object) -> list[object]:
    found: list[object] = [None] * len(COLUMNS)
    for name, value in values.items():
        found[PLACES[name]] = value
    return found


def in_csv(**values: object) -> dict[str, str]:
    text = b"".join(csv_lines.write([record(**values)])).decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    return row


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "\u3000=1",
        "-",
        "+",
        "-inf",
    ],
)
def test_text_that_a_spreadsheet_would_compute_is_marked_as_text(text: str):
    assert in_csv(notes=text)["notes"] == f"'{text}"


@pytest.mark.parametrize("text", ["-0.5", "+1e-3", "3", "plain = text", "a\nb", 'say "x", y', "{=1}", "'quoted"])
def test_other_text_stays_what_it_is(text: str):
    assert in_csv(notes=text)["notes"] == text


def test_numbers_keep_their_digits():
    assert in_csv(value=-0.1)["value"] == "-0.1"
    assert in_csv(value=2**70)["value"] == str(2**70)
    assert in_csv(value=5e-324)["value"] == "5e-324"


def test_what_is_no_number_is_empty_or_null():
    for value in (math.nan, math.inf, -math.inf):
        assert in_csv(value=value, extra={"stderr": value})["value"] == ""
        (line,) = json_lines.write([record(value=value, extra={"stderr": value, "large": 2**70})])
        assert "NaN" not in line.decode()
        assert "Infinity" not in line.decode()
        assert json.loads(line)["value"] is None
        assert json.loads(line)["extra"] == {"stderr": None, "large": 2**70}


def test_halves_of_characters_do_not_break_the_file():
    for line in (*json_lines.write([record(notes="a\ud800b")]), *csv_lines.write([record(notes="a\ud800b")])):
        line.decode()


def test_an_object_stays_on_one_line():
    (line,) = json_lines.write([record(notes="a\nb\u2028c", extra={"k\n": "v\n"})])
    assert line.count(b"\n") == 1
    assert json.loads(line)["notes"] == "a\nb\u2028c"


def test_file_names_hold_nothing_that_a_header_or_a_disk_could_mistake():
    csv_format = formats.find("csv")
    assert formats.file_name('ns/name-../"x"\r\nä', csv_format) == "ns-name-..-x.csv"
    assert formats.file_name("../..", csv_format) == "results.csv"
    with pytest.raises(Invalid, match="csv, jsonl, parquet"):
        formats.find("../csv")
