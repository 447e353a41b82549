"""Result files: what counts, and what every mistake is told."""

from __future__ import annotations

import pytest

from glasshub.evals.eval_results import is_result_path, normalise_date, parse_result_file

ENTRY = """\
- dataset:
    id: org/quiz
    task_id: easy
    revision: 0123abc
  value: 0.50
  date: 2026-01-02
  verifyToken: abc.def.ghi
  source:
    url: https://example.org/paper?x=1
    name: Paper
    user: ada
    org: lab
  notes: no, "tools"
  extra: {stderr: 0.01, shots: 5, when: 2026-01-01}
  colour: red
"""


def _problems(text: str) -> list[str]:
    return [str(problem) for problem in parse_result_file(text.encode(), "r.yaml").problems]


def test_a_whole_entry_is_kept_as_written():
    [entry] = parse_result_file(ENTRY.encode(), "r.yaml").entries
    assert (entry.dataset_id, entry.task_id, entry.dataset_revision) == ("org/quiz", "easy", "0123abc")
    assert (entry.value, entry.value_text, entry.date) == (0.5, "0.50", "2026-01-02")
    assert entry.source is not None
    assert (entry.source.url, entry.source.name, entry.source.user, entry.source.org) == (
        "https://example.org/paper?x=1", "Paper", "ada", "lab",
    )  # fmt: skip
    assert entry.notes == 'no, "tools"'
    assert entry.extra == {"stderr": 0.01, "shots": 5, "when": "2026-01-01"}
    assert entry.unknown == {"colour": "red"}
    assert (entry.position, entry.line) == (0, 1)


def test_a_bad_entry_does_not_take_its_neighbours_down():
    text = ENTRY + "- dataset: {id: a/b}\n  value: x\n" + ENTRY
    parsed = parse_result_file(text.encode(), "r.yaml")
    assert [entry.position for entry in parsed.entries] == [0, 2]
    assert [(problem.line, problem.column) for problem in parsed.problems] == [(16, 12), (17, 10)]


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("value: '0.5'", "5:10", "without quotes"),
        ("value: true", "5:10", "must be a number"),
        ("value: yes", "5:10", "must be a number"),
        ("value: .nan", "5:10", "finite"),
        ("value: .inf", "5:10", "finite"),
        ("value: 1e999", "5:10", "finite"),
        ("value:", "5:9", "must be a number"),
        ("value: [1]", "5:10", "must be a number"),
        ("value: 5\n  date: yesterday", "6:9", "ISO-8601"),
        ("value: 5\n  date: 2026-13-01", "6:9", "ISO-8601"),
        ("value: 5\n  source: paper", "6:11", "source must be a mapping"),
        ("value: 5\n  source: {name: x}", "6:11", "no source.url"),
        ("value: 5\n  source: {url: 'javascript:x'}", "6:17", "http"),
        ("value: 5\n  source: {url: 'https://me:pw@x.org/'}", "6:17", "password"),
        ("value: 5\n  extra: 7", "6:10", "extra must be a mapping"),
        ("value: 5\n  value: 6", "6:3", "twice"),
        ("value: &a 5", "5:10", "Anchors"),
        ("value: !!int 5", "5:10", "Tags"),
    ],
)
def test_mistakes_are_named_with_their_place(line: str, place: str, said: str):
    text = f"- dataset:\n    id: org/quiz\n    task_id: easy\n\n  {line}\n"
    found = _problems(text)
    assert len(found) == 1
    assert found[0].startswith(f"r.yaml:{place}: error: ")
    assert said in found[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("a: b", "must be a list"),
        ("- 5", "mapping"),
        ("- value: 5", "Give the result a dataset"),
        ("- dataset: {id: quiz, task_id: t}\n  value: 1", "namespace/name"),
        ("- dataset: {id: a/b, task_id: ''}\n  value: 1", "task_id is empty"),
        ("- dataset: {id: a/b, task_id: t, revision: main}\n  value: 1", "commit id"),
        ("- [", "not YAML"),
        ("--- 1\n--- 2", "second document"),
        ("- <<: {a: 1}", "Merge keys"),
        ("- ? [a]\n  : b", "plain text"),
    ],
)
def test_broken_files(text: str, said: str):
    assert said in " ".join(_problems(text))


def test_bytes_that_are_no_text_have_a_place_too():
    [problem] = parse_result_file(b"- a: b\n  c: \xff", "r.yaml").problems
    assert (problem.line, problem.column) == (2, 6)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T12:30:00Z", "2026-01-31T12:30:00.000Z"),
        ("2026-01-31T12:30:00.5+02:00", "2026-01-31T10:30:00.500Z"),
        ("2026-01-31 12:30", "2026-01-31T12:30:00.000Z"),
    ],
)
def test_dates_become_utc(text: str, meant: str):
    assert normalise_date(text) == meant


@pytest.mark.parametrize(
    "text", ["2026", "2026-1-1", "31.01.2026", "2026-02-30", "now", "0000-00-00", "9999-12-31T23:59-23:59"]
)
def test_other_dates_are_refused(text: str):
    with pytest.raises((ValueError, OverflowError)):
        normalise_date(text)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        (".eval_results/a.yaml", True),
        (".eval_results/a.yml", True),
        (".eval_results/x/a.yaml", False),
        ("a.yaml", False),
    ],
)
def test_result_paths(path: str, counts: bool):
    assert is_result_path(path) is counts
