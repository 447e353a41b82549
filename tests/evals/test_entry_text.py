"""A result typed into a form becomes text that reads back as it was meant, added to a file that keeps the rest."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from glasshub.evals.entry_text import FIELDS, add_entry, clean, write_entry
from glasshub.evals.eval_results import parse_result_file
from glasshub.evals.result_id import result_id

PATH = ".eval_results/capitals.yaml"
TYPED = {"dataset": "lab/capitals", "task": "europe", "value": "47.25"}
OTHER = "- dataset: {id: lab/capitals, task_id: asia}\n  value: 1  # counted twice\n"


def test_everything_that_can_be_said():
    said = {
        **TYPED,
        "revision": "1234567",
        "date": "2026-01-31",
        "source_url": "https://example.org/log?id=7#end",
        "source_name": 'Run: "7"',
        "notes": "five shots\r\nno: chat template # really",
        "model_revision": "0" * 40,
        "stderr": "0.4",
        "n": "1000",
        "shots": "0",
        "harness": "yes",
        "harness_version": "0.10",
        "settings": "temperature: 0\n\ntools: search, code\nno: off",
    }
    written = write_entry(said, PATH)
    assert written.errors == {}
    entry = written.entry
    assert entry is not None
    assert (entry.dataset_id, entry.task_id, entry.value_text) == ("lab/capitals", "europe", "47.25")
    assert (entry.dataset_revision, entry.date) == ("1234567", "2026-01-31")
    assert (entry.source.url, entry.source.name) == (said["source_url"], 'Run: "7"')
    assert entry.notes == "five shots\nno: chat template # really"
    assert entry.extra == {
        "model_revision": "0" * 40, "harness": "yes", "harness_version": "0.10", "stderr": 0.4, "n": 1000, "shots": 0,
        "temperature": 0, "tools": "search, code", "no": "off",
    }  # fmt: skip
    # Another reader of YAML, with more words for true and false, reads the same.
    (read,) = yaml.safe_load(written.text)
    assert read["extra"] == entry.extra
    assert read["date"] == "2026-01-31"


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("value", "", "The value must be a number"),
        ("value", "47.25 %", "must be a number"),
        ("value", "true", "must be a number"),
        ("value", ".nan", "finite number"),
        ("value", "1\n- dataset: {id: a/b, task_id: c}\n  value: 2", "must be a number"),
        ("value", "1e999", "finite number"),
        ("dataset", "capitals", "namespace/name"),
        ("task", " ", "The task is empty"),
        ("task", "x" * 201, "200"),
        ("revision", "main", "commit id"),
        ("date", "yesterday", "ISO-8601"),
        ("source_url", "javascript:alert(1)", "The link must begin with http"),
        ("source_url", "https://ada:secret@example.org/", "password"),
        ("notes", "x" * 2001, "2,000"),
        ("stderr", "-1", "standard error"),
        ("n", "0", "at least 1"),
        ("n", "1.5", "whole number"),
        ("shots", "few", "whole number"),
        ("settings", "just words", "name: value"),
        ("settings", "n: 3", "field of its own"),
        ("settings", "a: 1\na: 2", "twice"),
        ("settings", "\n".join(f"s{n}: 1" for n in range(31)), "At most 30"),
        ("harness", "x" * 501, "500"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(field: str, text: str, words: str):
    written = write_entry({**TYPED, field: text}, PATH)
    assert list(written.errors) == [field]
    assert words in written.errors[field]


def test_a_name_without_a_link_asks_for_the_link():
    assert "source_url" in write_entry({**TYPED, "source_name": "Log"}, PATH).errors


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=60), max_size=12))
def test_whatever_is_typed_is_one_entry_or_an_error(said: dict[str, str]):
    written = write_entry({**TYPED, **said}, PATH)
    parsed = parse_result_file(written.text.encode("utf-8", "replace"), PATH)
    assert len(parsed.entries) <= 1
    assert written.errors or parsed.entries == (written.entry,)
    if not written.errors:
        assert written.entry.notes == clean(said.get("notes", ""))
        assert len(yaml.safe_load(written.text)) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nothing yet\n",
        OTHER,
        OTHER.removesuffix("\n"),
        OTHER.replace("\n", "\r\n"),
        "---\n" + OTHER + "\n# the end\n",
        "".join(f"    {line}\n" for line in OTHER.splitlines()),
        OTHER + "- broken: entry\n",
        OTHER + "  notes: |\n    long\n    text\n",
        "\ufeff" + OTHER,
    ],
)
def test_an_entry_is_added_and_the_rest_stays_byte_for_byte(content: str):
    written = write_entry(TYPED, PATH)
    before = content.encode()
    after = add_entry(before, written.text, PATH)
    assert after is not None
    assert after.startswith(before)
    assert b"\r\n" not in before or after.count(b"\n") == after.count(b"\r\n")
    ids = [result_id(entry) for entry in parse_result_file(after, PATH).entries]
    assert ids[-1] == result_id(written.entry)
    assert len(ids) == len(parse_result_file(before, PATH).entries) + 1


@pytest.mark.parametrize(
    "content", [b"[]\n", b"[{dataset: {id: a/b, task_id: c}, value: 1}]\n", b"a: mapping\n", b"- [\n", b"\xff\xfe",
                OTHER.encode() + b"...\n", OTHER.encode() + b"--- # two\n", b"x" * 1024**2],
)  # fmt: skip
def test_a_file_that_cannot_take_it_is_left_alone(content: bytes):
    assert add_entry(content, write_entry(TYPED, PATH).text, PATH) is None
