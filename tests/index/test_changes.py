"""Renames, deletions, force-pushes, names taken over: boards and results follow at once."""

from __future__ import annotations

import pytest

from glasshub import accounts, indexing, repos
from glasshub.index import queries
from glasshub.registry import people
from tests.index.town import EVERYONE, MAIN, Town, eval_yaml, result

pytestmark = pytest.mark.slow

BENCHMARK = eval_yaml("europe")


def test_results_follow_a_renamed_dataset_and_speak_of_it_by_its_new_name(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    old = town.model("ada/old", result("lab/cap", "europe", 0.5))
    repos.move(town.hub, town.actor(), data, "ada", "capitals")
    town.model("ada/new", result("ada/capitals", "europe", 0.6))
    assert [name for _, name, _ in town.standing(data, "europe")] == ["ada/new", "ada/old"]
    assert [r.dataset_id for r in town.results(old)] == ["ada/capitals"]
    town.assert_equal_to_rebuilt()


def test_a_new_dataset_of_an_old_name_takes_the_results_that_name_it(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    model = town.model("ada/m", result("lab/cap", "europe", 0.5) + result("lab/other", "europe", 0.7))
    repos.move(town.hub, town.actor(), data, "lab", "other")
    assert (town.board(data, "europe")[0].reports, town.states(model)) == (2, ["aligned", "aligned"])
    heir = town.dataset("lab/cap", BENCHMARK)
    assert town.standing(data, "europe") == [(1, "ada/m", 0.7)]
    assert town.standing(heir, "europe") == [(1, "ada/m", 0.5)]
    town.assert_equal_to_rebuilt()


def test_a_deleted_dataset_leaves_results_without_a_leaderboard(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    model = town.model("ada/m", result("lab/cap", "europe", 0.5))
    repos.delete(town.hub, town.actor(), data)
    assert town.states(model) == ["no_dataset"]
    assert town.board(data, "europe") == []
    assert queries.totals(town.hub.index.read(), EVERYONE)["results"] == 0
    town.assert_equal_to_rebuilt()


def test_a_deleted_or_renamed_model_leaves_or_stays_on_the_board(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    gone, moved = (town.model(f"ada/{name}", result("lab/cap", "europe", 0.5)) for name in ("gone", "moved"))
    repos.delete(town.hub, town.actor(), gone)
    repos.move(town.hub, town.actor(), moved, "lab", "Better")
    (row,) = town.board(data, "europe")
    assert (row.result.model_id, row.namespace_kind, row.namespace_full_name) == ("lab/Better", "org", "The Lab")
    assert queries.repo(town.hub.index.read(), gone.key) is None
    assert queries.repos(town.hub.index.read(), EVERYONE, search="gone").total == 0
    town.assert_equal_to_rebuilt()


def test_a_force_push_takes_back_what_it_rewrites(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    model = town.repo("model", "ada/m")
    model = repos.configure(town.hub, town.actor(), model, allow_force_push=True)
    first = town.push(model, {".eval_results/a.yaml": result("lab/cap", "europe", 0.5)})
    town.push(model, {".eval_results/a.yaml": result("lab/cap", "europe", 0.9)})
    assert town.standing(data, "europe") == [(1, "ada/m", 0.9)]
    town.set_ref(model, MAIN, first)
    assert [(r.result.value, r.result.commit) for r in town.board(data, "europe")] == [(0.5, first)]
    town.set_ref(model, MAIN)
    assert town.results(model) == []
    town.assert_equal_to_rebuilt()


def test_only_main_counts(town: Town):
    data = town.dataset("lab/cap")
    model = town.model("ada/m", result("lab/cap", "europe", 0.5))
    town.push(data, {"eval.yaml": BENCHMARK}, ref="refs/heads/draft")
    town.push(model, {".eval_results/a.yaml": result("lab/cap", "europe", 0.9)}, ref="refs/heads/draft")
    assert town.states(model) == ["not_benchmark"]
    town.assert_equal_to_rebuilt()


def test_a_broken_file_is_a_problem_and_its_neighbours_count(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    model = town.model("ada/m", result("lab/cap", "europe", 0.5) + result("lab/cap", "europe", '"high"'))
    town.push(model, {".eval_results/b.yaml": "- [", ".eval_results/deep/c.yaml": "-", "README.md": "---\na: [\n---\n"})
    assert town.standing(data, "europe") == [(1, "ada/m", 0.5)]
    problems = queries.problems(town.hub.index.read(), model.key)
    assert {p.path for p in problems} == {".eval_results/own.yaml", ".eval_results/b.yaml", "README.md"}
    outcome = indexing.sync_repo(town.hub, model.key)
    assert not outcome.changed
    assert len(outcome.problems) == len(problems)
    town.push(model, {".eval_results/b.yaml": None, "README.md": "fine"})
    assert {p.path for p in queries.problems(town.hub.index.read(), model.key)} == {".eval_results/own.yaml"}
    town.assert_equal_to_rebuilt()


def test_a_new_full_name_shows_on_leaderboards(town: Town):
    data = town.dataset("lab/cap", BENCHMARK)
    town.model("lab/m", result("lab/cap", "europe", 0.5))
    accounts.set_full_name(town.hub, "lab", "A Better Lab")
    assert town.board(data, "europe")[0].namespace_full_name == "A Better Lab"
    town.assert_equal_to_rebuilt()


def test_a_renamed_account_row_that_the_index_missed_is_healed(town: Town):
    town.dataset("lab/cap", BENCHMARK)
    with town.hub.registry.write() as db:
        people.update(db, "lab", full_name="Changed behind its back")
    assert [d.table for d in indexing.compare(town.hub)] == ["namespaces", "namespaces"]
    indexing.heal(town.hub)
    town.assert_equal_to_rebuilt()


def test_the_outcome_tells_tasks_of_a_benchmark_and_ranks_of_results(town: Town):
    data = town.dataset("lab/cap", eval_yaml("europe", "asia"))
    model = town.model("ada/m", result("lab/cap", "asia", 0.5))
    assert indexing.sync_repo(town.hub, data.key).tasks == ("europe", "asia")
    (row,) = indexing.sync_repo(town.hub, model.key).results
    assert (row.rank, row.of, row.line, row.path) == (1, 1, 1, ".eval_results/own.yaml")
