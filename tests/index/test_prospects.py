"""What would become of a result before it is on a leaderboard: the rank that it then really takes."""

from __future__ import annotations

import pytest

from glasshub.access import Visibility
from glasshub.evals.eval_results import parse_result_file
from glasshub.index import queries
from tests.index.town import EVERYONE, Town, eval_yaml, result


def prospects(town: Town, see: Visibility, key: str, text: str) -> list[queries.Prospect]:
    entries = parse_result_file(text.encode(), ".eval_results/new.yaml").entries
    return queries.prospects(town.hub.index.read(), see, key, entries)


@pytest.mark.slow
@pytest.mark.parametrize("value", [0.2, 0.4, 0.5, 0.95])
@pytest.mark.parametrize("base", ["", "---\nbase_model: a/b\n---\n"])
def test_the_rank_told_before_is_the_rank_taken(town: Town, value: float, base: str):
    metrics = "europe: {name: accuracy, higher_is_better: true, range: [0, 1]}\n  asia: {higher_is_better: false}"
    town.dataset("lab/cap", eval_yaml("europe", "asia", metrics=metrics))
    for name, score in (("a", 0.4), ("b", 0.9), ("c", 0.4)):
        town.model(f"ada/{name}", result("lab/cap", "europe", score) + result("lab/cap", "asia", score))
    town.model("ada/tuned", result("lab/cap", "europe", 0.93), card="---\nbase_model: a/b\n---\n")
    mine = town.model("ada/m", result("lab/cap", "europe", 0.1), card=base)
    new = result("lab/cap", "europe", value) + result("lab/cap", "asia", value)
    told = [(p.rank, p.of) for p in prospects(town, EVERYONE, mine.key, new)]
    town.push(mine, {".eval_results/own.yaml": new})
    taken = {r.task_id: (r.rank, r.of) for r in town.results(mine)}
    assert told == [taken["europe"], taken["asia"]]


def test_what_would_not_count_has_a_reason_and_no_rank(town: Town):
    metrics = "europe: {range: [0, 1]}"
    town.dataset("lab/cap", eval_yaml("europe", metrics=metrics))
    town.dataset("lab/plain")
    mine = town.model("ada/m")
    text = "".join(
        result(dataset, task, value)
        for dataset, task, value in (
            ("lab/cap", "europe", 0.5), ("lab/cap", "africa", 0.5), ("lab/cap", "europe", 7), ("lab/plain", "x", 1),
            ("lab/none", "x", 1),
        )
    )  # fmt: skip
    found = prospects(town, EVERYONE, mine.key, text)
    assert [p.state for p in found] == ["aligned", "no_task", "out_of_range", "not_benchmark", "no_dataset"]
    assert [p.counts for p in found] == [True, False, False, False, False]
    assert all(bool(p.reason) != p.counts for p in found)
    assert [p.rank for p in found] == [1, 0, 0, 0, 0]
    assert found[0].dataset_id == "lab/cap"
    assert found[2].metric.maximum == 1


def test_private_benchmarks_and_models_are_not_betrayed(town: Town):
    town.dataset("lab/cap", eval_yaml("europe"))
    town.dataset("lab/hush", eval_yaml("europe"), private=True)
    town.model("lab/secret", result("lab/cap", "europe", 0.9), private=True)
    mine = town.model("ada/m")
    text = result("lab/cap", "europe", 0.5) + result("lab/hush", "europe", 0.5)
    shown, hidden = prospects(town, EVERYONE, mine.key, text)
    assert (shown.rank, shown.of) == (1, 1)
    absent = prospects(town, EVERYONE, mine.key, result("lab/none", "europe", 0.5))[0]
    assert (hidden.state, hidden.dataset_key, hidden.benchmark_name) == ("no_dataset", "", "")
    assert hidden.reason == absent.reason.replace("lab/none", "lab/hush")
    shown, hidden = prospects(town, town.see("ada"), mine.key, text)
    assert (shown.rank, shown.of) == (2, 2)
    assert hidden.counts
