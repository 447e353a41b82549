"""Every state of a result, whichever of model and dataset comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from glasshub import repos
from glasshub.config import Settings
from glasshub.identity import Repo
from tests.index.town import Town, eval_yaml, result

pytestmark = pytest.mark.slow

BENCHMARK = eval_yaml("europe", "asia", metrics="europe: {range: [0, 1]}")
UNKNOWN = "ab" * 20


@dataclass(frozen=True)
class Case:
    """What the dataset ``ID`` has, what a result says of it, and what becomes of the result."""

    state: str
    words: str
    dataset: Callable[[Town, str], object]
    result: str


def _nothing(town: Town, dataset_id: str) -> None:
    pass


def _plain(town: Town, dataset_id: str) -> None:
    town.dataset(dataset_id)


def _benchmark(town: Town, dataset_id: str) -> Repo:
    return town.dataset(dataset_id, BENCHMARK)


def _no_longer(town: Town, dataset_id: str) -> None:
    town.push(_benchmark(town, dataset_id), {"eval.yaml": None, "x": "y"})


CASES = {
    "fine": Case("aligned", "", _benchmark, result("ID", "europe", 0.5)),
    "letters": Case("aligned", "", _benchmark, result("ID", "europe", 0.5).replace("lab/", "LAB/")),
    "unbounded": Case("aligned", "", _benchmark, result("ID", "asia", 1.5)),
    "missing": Case("no_dataset", "ID", _nothing, result("ID", "europe", 0.5)),
    "plain": Case("not_benchmark", "ID", _plain, result("ID", "europe", 0.5)),
    "former": Case("not_benchmark", "ID", _no_longer, result("ID", "europe", 0.5)),
    "taskless": Case("no_task", "africa", _benchmark, result("ID", "africa", 0.5)),
    "range": Case("out_of_range", "1.5", _benchmark, result("ID", "europe", 1.5)),
    "revision": Case("unknown_revision", UNKNOWN, _benchmark, result("ID", "europe", 0.5, revision=UNKNOWN)),
}


@pytest.mark.parametrize("model_first", [False, True])
def test_a_result_gets_its_state_whichever_repo_comes_first(town: Town, model_first: bool):
    text = "".join(case.result.replace("ID", f"lab/{name}") for name, case in CASES.items())
    model = town.model("ada/m", text) if model_first else None
    for name, case in CASES.items():
        case.dataset(town, f"lab/{name}")
    model = model or town.model("ada/m", text)
    rows = {row.dataset_id.split("/")[1].lower(): row for row in town.results(model)}
    assert {name: row.state for name, row in rows.items()} == {name: case.state for name, case in CASES.items()}
    for name, case in CASES.items():
        assert case.words.replace("ID", f"lab/{name}") in rows[name].reason
        assert bool(rows[name].reason) == (case.state != "aligned")
        assert (rows[name].rank, rows[name].of) == ((1, 1) if case.state == "aligned" else (0, 0))
    town.assert_equal_to_rebuilt()


def test_a_revision_is_known_if_a_branch_or_tag_leads_to_it(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    first = town.push(data, {"a": "1"})
    side = town.push(data, {"b": "2"}, ref="refs/heads/side", parent=first)
    text = "".join(result("lab/cap", "europe", 0.1, revision=r) for r in (first, first[:7], side, side[:10]))
    model = town.model("ada/m", text)

    def states() -> dict[str, str]:
        return {row.dataset_revision: row.state for row in town.results(model)}

    assert set(states().values()) == {"aligned"}
    town.set_ref(data, "refs/tags/kept", side)
    town.set_ref(data, "refs/heads/side")
    assert states()[side] == states()[side[:10]] == "aligned"
    town.set_ref(data, "refs/tags/kept")
    assert states() == dict.fromkeys((first, first[:7]), "aligned") | dict.fromkeys(
        (side, side[:10]), "unknown_revision"
    )
    town.assert_equal_to_rebuilt()


@pytest.fixture
def shortlist(town: Town) -> Town:
    settings = Settings(data=town.hub.settings.data, benchmarks="shortlist")
    return Town(replace(town.hub, settings=settings), town.clock)


@pytest.mark.parametrize("model_first", [False, True])
def test_on_a_shortlist_a_benchmark_gathers_results_only_once_approved(shortlist: Town, model_first: bool):
    town = shortlist
    if model_first:
        model, data = town.model("ada/m", result("lab/cap", "europe", 0.5)), town.dataset("lab/cap", BENCHMARK)
    else:
        data, model = town.dataset("lab/cap", BENCHMARK), town.model("ada/m", result("lab/cap", "europe", 0.5))
    (row,) = town.results(model)
    assert (row.state, row.headline, row.dataset_key) == ("awaiting_approval", False, data.key)
    assert town.board(data, "europe") == []
    repos.approve_benchmark(town.hub, data)
    assert town.states(model) == ["aligned"]
    assert town.standing(data, "europe") == [(1, "ada/m", 0.5)]
    town.assert_equal_to_rebuilt()
    repos.approve_benchmark(town.hub, data, approved=False)
    assert town.states(model) == ["awaiting_approval"]
    town.assert_equal_to_rebuilt()
