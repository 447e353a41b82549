"""What is private does not exist for those who may not read it: not in ranks, not in counts, not in reasons."""

from __future__ import annotations

import pytest

from glasshub import indexing, repos
from glasshub.access import Visibility
from glasshub.identity import Repo
from glasshub.index import queries
from tests.index.town import EVERYONE, EVERYTHING, Town, eval_yaml, result

pytestmark = pytest.mark.slow

BENCHMARK = eval_yaml("europe")


def _town_with_a_private_leader(town: Town) -> tuple[Repo, Repo, Repo]:
    data = town.dataset("lab/cap", BENCHMARK)
    secret = town.model("lab/secret", result("lab/cap", "europe", 0.9), private=True)
    open_model = town.model("ada/open", result("lab/cap", "europe", 0.5))
    return data, secret, open_model


def test_ranks_and_counts_leave_no_gap_where_a_private_model_stands(town: Town):
    data, secret, open_model = _town_with_a_private_leader(town)
    assert town.standing(data, "europe") == [(1, "ada/open", 0.5)]
    assert town.standing(data, "europe", town.see("bob")) == [(1, "ada/open", 0.5)]
    assert town.standing(data, "europe", town.see("ada")) == [(1, "lab/secret", 0.9), (2, "ada/open", 0.5)]
    assert [(r.rank, r.of) for r in town.results(open_model)] == [(1, 1)]
    assert [(r.rank, r.of) for r in town.results(open_model, town.see("ada"))] == [(2, 2)]
    assert town.results(secret) == []
    db = town.hub.index.read()
    for see, seen in ((EVERYONE, 1), (town.see("ada"), 2), (EVERYTHING, 2)):
        totals = queries.totals(db, see)
        assert totals == {"models": seen, "datasets": 1, "benchmarks": 1, "results": seen}
        benchmark = queries.benchmark(db, see, data.key)
        assert benchmark is not None
        assert (benchmark.models, benchmark.results, benchmark.tasks[0].models) == (seen, seen, seen)
        assert len(queries.newest_results(db, see)) == seen
        assert queries.repos(db, see, type="model").total == seen
        assert len(queries.repos(db, see, search="secret").items) == seen - 1
    assert queries.reports(db, EVERYONE, data.key, "europe", secret.key) == []


def test_a_token_for_some_repos_sees_only_those_of_the_private_ones(town: Town):
    data, secret, open_model = _town_with_a_private_leader(town)
    other = town.model("lab/other", result("lab/cap", "europe", 0.7), private=True)
    see = Visibility(namespaces=("lab",), only_repos=(other.key,))
    assert [name for _, name, _ in town.standing(data, "europe", see)] == ["lab/other", "ada/open"]
    assert [(r.rank, r.of) for r in town.results(open_model, see)] == [(2, 2)]
    db = town.hub.index.read()
    assert queries.totals(db, see) == {"models": 2, "datasets": 1, "benchmarks": 1, "results": 2}
    assert queries.leaderboard(db, see, data.key, "europe").total == 2
    foreign = Visibility(namespaces=("ada",), only_repos=(secret.key,))
    assert [name for _, name, _ in town.standing(data, "europe", foreign)] == ["ada/open"]
    admin = Visibility(everything=True, only_repos=(secret.key,))
    assert [name for _, name, _ in town.standing(data, "europe", admin)] == ["lab/secret", "ada/open"]


def test_a_result_on_a_private_dataset_looks_like_one_on_no_dataset(town: Town):
    data = town.dataset("lab/hidden", BENCHMARK, private=True)
    named = result("lab/hidden", "europe", 0.5) + result("lab/hidden", "africa", 0.5) + result("lab/none", "x", 0.5)
    model = town.model("ada/m", named)
    hidden, africa, missing = sorted(town.results(model), key=lambda row: row.position)
    for row in (hidden, africa, missing):
        assert (row.state, row.dataset_key, row.headline, row.rank, row.of) == ("no_dataset", "", False, 0, 0)
        assert (row.benchmark_name, row.metric.name) == ("", "")
    assert hidden.reason.replace("hidden", "none") == missing.reason
    assert town.board(data, "europe") == []
    db = town.hub.index.read()
    assert queries.benchmark(db, EVERYONE, data.key) is None
    assert list(queries.benchmarks(db, EVERYONE).items) == []
    assert queries.totals(db, EVERYONE)["results"] == 0
    assert queries.newest_results(db, EVERYONE) == []
    assert sorted(town.states(model, town.see("ada"))) == ["aligned", "no_dataset", "no_task"]
    assert queries.totals(db, town.see("ada"))["results"] == 1


def test_the_former_or_present_name_of_a_private_dataset_is_not_told(town: Town):
    data = town.dataset("lab/hidden", BENCHMARK, private=True)
    model = town.model("ada/m", result("lab/hidden", "europe", 0.5))
    repos.move(town.hub, town.actor(), data, "lab", "renamed")
    assert [r.dataset_id for r in town.results(model)] == ["lab/hidden"]
    assert [r.dataset_id for r in town.results(model, town.see("ada"))] == ["lab/renamed"]


def test_what_a_push_is_told_does_not_betray_a_private_dataset(town: Town):
    town.dataset("lab/hidden", BENCHMARK, private=True)
    model = town.model("bob/m", result("lab/hidden", "europe", 0.5))
    outcome = indexing.sync_repo(town.hub, model.key, force=True, see=town.see("bob"))
    assert [(r.state, r.rank) for r in outcome.results] == [("no_dataset", 0)]
    assert [r.state for r in indexing.sync_repo(town.hub, model.key, force=True).results] == ["no_dataset"]
    outcome = indexing.sync_repo(town.hub, model.key, see=town.see("ada"))
    assert [(r.state, r.rank, r.of) for r in outcome.results] == [("aligned", 1, 1)]


def test_changing_who_may_see_a_repo_changes_boards_at_once(town: Town):
    data, secret, open_model = _town_with_a_private_leader(town)
    repos.configure(town.hub, town.actor(), secret, private=False)
    repos.configure(town.hub, town.actor(), open_model, private=True)
    assert town.standing(data, "europe") == [(1, "lab/secret", 0.9)]
    town.assert_equal_to_rebuilt()
    repos.configure(town.hub, town.actor(), data, private=True)
    assert town.board(data, "europe") == []
    assert len(town.board(data, "europe", town.see("ada"))) == 2
    town.assert_equal_to_rebuilt()
