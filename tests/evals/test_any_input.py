"""No input raises, and none takes work out of proportion."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.hostile_files import FILES
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.cards import parse_card
from glasshub.evals.alignment import Alignment, BenchmarkFacts, align, explain
from glasshub.evals.eval_results import MAX_ENTRIES, ParsedResults, normalise_date, parse_result_file
from glasshub.evals.eval_yaml import Metric, ParsedBenchmark, parse_eval_yaml
from glasshub.evals.ranking import Candidate, Tier, competition_ranks, headline
from glasshub.evals.yaml_nodes import MAX_PROBLEMS

ROOT = Path(__file__).parents[2]

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


@pytest.mark.parametrize("name", FILES)
def test_hostile_files_take_work_in_proportion_to_their_size(name: str):
    """Counted in calls, which are the same on every machine; benchmarks/parsing.py shows the time."""
    for read in (lambda data: parse_result_file(data, "r.yaml"), parse_eval_yaml):
        small, large = (_calls(read, FILES[name](size)) for size in (4_000, 8_000))
        assert large < 2.3 * small + 2_000
        assert large < 20 * 8_000


def _calls(read: Callable[[bytes], object], data: bytes) -> int:
    """How many functions are called, those written in C among them."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        read(data)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.slow
def test_no_file_of_the_largest_size_runs_away(tmp_path: Path):
    """The kernel ends whoever takes more than five seconds for one, which is several times what was promised."""
    code = """
import resource
from benchmarks.hostile_files import FILES
from glasshub.evals import eval_results, eval_yaml
for make in FILES.values():
    spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent) + 5, resource.RLIM_INFINITY))
    eval_results.parse_result_file(make(eval_results.MAX_BYTES)[: eval_results.MAX_BYTES], "r.yaml")
    eval_yaml.parse_eval_yaml(make(eval_yaml.MAX_BYTES)[: eval_yaml.MAX_BYTES])
print("done")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


@pytest.mark.slow
def test_the_benchmark_shows_what_reading_costs():
    command = [sys.executable, "benchmarks/parsing.py", "--times", "1", "--only", "sound"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "a sound benchmark  " in done.stdout
    assert "the worst of all, in ms per 100 kB" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_what_comes_out_of_a_hostile_file_is_bounded(name: str):
    results = parse_result_file(FILES[name](100_000), "r.yaml")
    benchmark = parse_eval_yaml(FILES[name](100_000))
    assert len(results.entries) <= MAX_ENTRIES
    assert len(results.problems) <= MAX_PROBLEMS
    assert len(benchmark.problems) <= MAX_PROBLEMS
    for problem in (*results.problems, *benchmark.problems):
        assert len(problem.message) < 500


def test_a_file_beyond_the_limit_is_refused_unread():
    assert _calls(lambda data: parse_result_file(data, "r.yaml"), b"- a\n" * 1_000_000) < 50
    [problem] = parse_result_file(b"- a\n" * 1_000_000, "r.yaml").problems
    assert "at most" in problem.message


def test_many_directives_are_refused_with_their_place_and_a_few_are_not():
    """libyaml compares each with all before it: a megabyte of them took five seconds."""
    results = b"- {dataset: {id: a/b, task_id: t}, value: 1}\n"
    for line_break in ("\n", "\r\n", "\u2028"):
        directives = "".join(f"%TAG !a{n}! b{line_break}" for n in range(30)).encode()
        [problem] = parse_result_file(directives + b"---\n" + results, "r.yaml").problems
        assert "begin with %" in problem.message
    assert len(parse_result_file(b"%YAML 1.1\n%TAG !a! b\n---\n" + results, "r.yaml").entries) == 1
    quoted = "\n".join(f"- {{dataset: {{id: a/b, task_id: t}}, value: {n}, notes: '100 %'}}" for n in range(30))
    assert len(parse_result_file(quoted.encode(), "r.yaml").entries) == 30


_TEXT = st.text("aé 1:#-'\"{}[],&*!%|>@`\\\n", max_size=12)
_RESULT = st.fixed_dictionaries(
    {"dataset": st.just({"id": "a/b", "task_id": "t"}), "value": st.floats(allow_nan=False, allow_infinity=False)},
    optional={
        "notes": _TEXT,
        "date": st.sampled_from(["2026-01-02", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00"]),
        "source": st.fixed_dictionaries({"url": st.just("https://example.org/x")}, optional={"name": _TEXT}),
        "unknown": st.lists(st.integers(), max_size=3),
        "extra": st.dictionaries(_TEXT, _TEXT, max_size=3),
    },
)


@given(st.lists(_RESULT, max_size=6), st.integers(0, 6), _TEXTS)
@settings(max_examples=60, deadline=None)
def test_sound_entries_are_read_and_a_bad_one_among_them_costs_no_other(entries: list[dict], at: int, noise: bytes):
    found = parse_result_file(json.dumps(entries).encode(), "r.yaml")
    assert [entry.value for entry in found.entries] == [entry["value"] for entry in entries]
    bad = [*entries[:at], {"dataset": {"id": noise.decode()}, "value": [noise.decode()]}, *entries[at:]]
    found = parse_result_file(json.dumps(bad).encode(), "r.yaml")
    assert [entry.value for entry in found.entries] == [entry["value"] for entry in entries]
    assert found.problems or not entries


_CANDIDATE = st.builds(
    Candidate,
    tier=st.sampled_from(Tier),
    notes=st.text(max_size=3),
    date=st.text(max_size=3),
    path=st.text(max_size=3),
    position=st.integers(0, 9),
    pull=st.integers(0, 9),
)


@given(st.lists(_CANDIDATE, max_size=8), st.lists(st.floats(), max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_ranking_answers_every_input(candidates: list[Candidate], values: list[float], higher: bool):
    if candidates:
        assert 0 <= headline(candidates) < len(candidates)
    ranks = competition_ranks(values, higher_is_better=higher)
    assert all(1 <= rank <= len(values) for rank in ranks)


_METRIC = st.builds(
    Metric, minimum=st.none() | st.floats(), maximum=st.none() | st.floats(), higher_is_better=st.booleans()
)


@given(st.text(max_size=3), st.floats(), st.none() | st.builds(BenchmarkFacts, st.booleans(), st.booleans(),
       st.dictionaries(st.text(max_size=3), _METRIC, max_size=3)), st.booleans())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_alignment_answers_every_input(task: str, value: float, facts: BenchmarkFacts | None, known: bool):
    state = align(task, value, facts=facts, revision_known=known)
    metric = facts.tasks.get(task) if facts else None
    said = explain(state, dataset_id="a/b", task_id=task, value_text=repr(value), metric=metric, revision="abc")
    assert bool(said) is (state is not Alignment.ALIGNED)


@given(st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?([+-]\d\d:\d\d|Z)?)?", fullmatch=True))
@settings(max_examples=100, deadline=None)
def test_a_date_becomes_utc_or_a_problem(text: str):
    data = json.dumps([{"dataset": {"id": "a/b", "task_id": "t"}, "value": 1, "date": text}]).encode()
    found = parse_result_file(data, "r.yaml")
    for entry in found.entries:
        assert not entry.date or normalise_date(entry.date).endswith("Z")
    assert found.entries or found.problems
