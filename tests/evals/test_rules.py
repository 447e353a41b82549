"""Alignment, headline and ranking as pure rules."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.evals.alignment import Alignment, BenchmarkFacts, align, explain
from glasshub.evals.eval_results import ResultEntry, parse_result_file
from glasshub.evals.eval_yaml import Metric
from glasshub.evals.ranking import Candidate, Tier, competition_ranks, headline
from glasshub.evals.result_id import result_id

FACTS = BenchmarkFacts(True, True, {"t": Metric(minimum=0, maximum=1), "open": Metric()})


@pytest.mark.parametrize(
    ("task", "value", "facts", "known", "state"),
    [
        ("t", 0.5, FACTS, True, Alignment.ALIGNED),
        ("t", 1.0, FACTS, True, Alignment.ALIGNED),
        ("t", 20.9, FACTS, True, Alignment.OUT_OF_RANGE),
        ("open", -1e9, FACTS, True, Alignment.ALIGNED),
        ("x", 0.5, FACTS, True, Alignment.NO_TASK),
        ("t", 0.5, FACTS, False, Alignment.UNKNOWN_REVISION),
        ("t", 0.5, None, True, Alignment.NO_DATASET),
        ("t", 0.5, BenchmarkFacts(False, False, {}), True, Alignment.NOT_BENCHMARK),
        ("t", 0.5, dataclasses.replace(FACTS, registered=False), True, Alignment.AWAITING_APPROVAL),
    ],
)
def test_alignment(task: str, value: float, facts: BenchmarkFacts | None, known: bool, state: Alignment):
    assert align(task, value, facts=facts, revision_known=known) is state


@pytest.mark.parametrize("state", Alignment)
def test_every_state_but_aligned_has_a_sentence(state: Alignment):
    said = explain(
        state, dataset_id="org/quiz", task_id="t", value_text="7", metric=Metric(minimum=0), revision="abc1234"
    )
    assert bool(said) is (state is not Alignment.ALIGNED)


def _candidate(**values) -> Candidate:
    return dataclasses.replace(Candidate(Tier.AUTHOR, "", "2026-01-01T00:00:00.000Z", "a.yaml", 0), **values)


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        ({"tier": Tier.VERIFIED, "notes": "x", "date": "2020"}, {}),
        ({}, {"tier": Tier.COMMUNITY, "date": "2027"}),
        ({"date": "2020"}, {"notes": "with tools"}),
        ({"date": "2026-02"}, {"date": "2026-01"}),
        ({"path": "a.yaml"}, {"path": "b.yaml"}),
        ({"position": 0}, {"position": 1}),
    ],
)
def test_the_headline_rule_in_order(winner: dict, loser: dict):
    pair = [_candidate(**loser), _candidate(**winner)]
    assert headline(pair) == 1
    assert headline(pair[::-1]) == 0


_ROWS = st.tuples(
    st.sampled_from(Tier), st.sampled_from(["", "n"]), st.sampled_from("123"), st.sampled_from("ab"), st.integers(0, 3)
)


@given(st.lists(_ROWS, min_size=1, max_size=8, unique=True), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_headline_does_not_depend_on_the_order_of_arrival(rows: list, shuffler: random.Random):
    candidates = [Candidate(*row) for row in rows]
    chosen = candidates[headline(candidates)]
    shuffler.shuffle(candidates)
    assert candidates[headline(candidates)] == chosen
    assert all(chosen.tier <= other.tier for other in candidates)


@given(st.lists(st.integers(0, 5).map(float), max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_ranks_count_who_is_better(values: list[float], higher: bool):
    ranks = competition_ranks(values, higher_is_better=higher)
    for value, rank in zip(values, ranks, strict=True):
        assert rank == 1 + sum((other > value) if higher else (other < value) for other in values)


def _entry(text: str, path: str = ".eval_results/a.yaml") -> ResultEntry:
    (entry,) = parse_result_file(f"- dataset: {{id: o/d, task_id: t}}\n{text}".encode(), path).entries
    return entry


def test_a_result_is_what_it_says_wherever_it_stands():
    same = [_entry("  value: 0.5\n"), _entry("\n  value: 0.50\n"), _entry("  value: 5e-1\n", ".eval_results/b.yaml")]
    assert len({result_id(entry) for entry in same}) == 1
    others = [
        "  value: 0.6\n",
        "  value: 0.5\n  notes: x\n",
        '  value: 0.5\n  date: "2026-01-01"\n',
        "  value: 0.5\n  x: 1\n",
    ]
    assert len({result_id(entry) for entry in [same[0], *map(_entry, others)]}) == 5
