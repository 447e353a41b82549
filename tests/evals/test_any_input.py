"""No input raises, and none takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.cards import parse_card
from glasshub.evals.eval_results import ParsedResults, parse_result_file
from glasshub.evals.eval_yaml import ParsedBenchmark, parse_eval_yaml

_WORDS = st.sampled_from(
    ["- ", "dataset", "value", ": ", "\n", "  ", "{", "}", "[", "]", "id", "a/b", "0.5", "'", '"', "&a", "*a", "!!x",
     "tasks", "evaluation_framework", "inspect-ai", "name", "solvers", "|", ">", "#", "---", "...", "?", "\t", "<<",
     ",", "metrics", "range", "null", "true", ".nan", "\u00e9", "\ufeff", "\x00", "\x85", "%TAG"]
)  # fmt: skip
_TEXTS = st.lists(_WORDS, max_size=60).map("".join).map(lambda text: text.encode("utf-8"))
_INPUTS = st.one_of(st.binary(max_size=300), _TEXTS)


@given(_INPUTS)
@settings(max_examples=150, deadline=None)
def test_parsers_answer_every_input(data: bytes):
    results = parse_result_file(data, "r.yaml")
    assert isinstance(results, ParsedResults)
    assert results.entries or results.problems or data.strip() in (b"[]", b"- []") or not results.problems
    benchmark = parse_eval_yaml(data)
    assert isinstance(benchmark, ParsedBenchmark)
    assert (benchmark.spec is None) == (benchmark.foreign or bool(benchmark.errors))
    parse_card(b"---\n" + data + b"\n---\n")
    for problem in (*results.problems, *benchmark.problems):
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.message.endswith((".", ")"))


HOSTILE = {
    "nesting": b"[" * 100_000,
    "mappings": b"{a: " * 25_000,
    "anchors": b"&a " * 33_000,
    "aliases": b"*a " * 33_000,
    "bombs": b"".join(b"a%d: &a%d [%s]\n" % (n, n, b"*a%d," % (n - 1) * 9) for n in range(1, 1500)),
    "items": b"- 1\n" * 25_000,
    "keys": b"".join(b"k%d: 1\n" % n for n in range(10_000)),
    "same keys": b"k: 1\n" * 20_000,
    "colons": b":" * 100_000,
    "questions": b"? " * 50_000,
    "dashes": b"- " * 50_000,
    "quotes": b"'" * 100_000,
    "comments": b"#\n" * 50_000,
    "escapes": b'"' + b"\\u0041" * 16_000 + b'"',
    "digits": b"- {dataset: {id: a/b, task_id: t}, value: " + b"9" * 99_000 + b"}",
    "controls": b"\x01" * 100_000,
    "flow": b"[a," * 33_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_little(name: str):
    data = HOSTILE[name]
    for parse in (lambda: parse_result_file(data, "r.yaml"), lambda: parse_eval_yaml(data)):
        begin = time.process_time()
        parse()
        # The promise is 100 ms per 100 kB; the margin is for slow and busy machines.
        assert time.process_time() - begin < 0.5


def test_a_file_beyond_the_limit_is_refused_at_once():
    begin = time.process_time()
    [problem] = parse_result_file(b"- a\n" * 1_000_000, "r.yaml").problems
    assert "at most" in problem.message
    assert time.process_time() - begin < 0.1
