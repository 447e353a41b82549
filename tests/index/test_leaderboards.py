"""Leaderboards: ranks, ties, direction, headline results, pages."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest

from glasshub import accounts, repos
from glasshub.access import Visibility
from glasshub.config import Settings
from glasshub.errors import Invalid
from glasshub.evals.ranking import competition_ranks
from glasshub.hub import open_hub
from glasshub.index import queries
from tests.index.town import EVERYONE, EVERYTHING, Town, eval_yaml, result

LOW = eval_yaml("speed", "skill", metrics="speed: {name: seconds, higher_is_better: false}")


def test_equal_values_share_a_rank_and_stand_by_name(town: Town):
    data = town.dataset("lab/cap", LOW)
    for name, value in (("Zoe", 0.9), ("amy", 0.9), ("best", 0.95), ("worst", 0.1)):
        town.model(f"ada/{name}", result("lab/cap", "skill", value))
    assert [(rank, name) for rank, name, _ in town.standing(data, "skill")] == [
        (1, "ada/best"), (2, "ada/amy"), (2, "ada/Zoe"), (4, "ada/worst"),
    ]  # fmt: skip


def test_where_lower_is_better_the_smallest_value_leads_and_changing_that_turns_the_board(town: Town):
    data = town.dataset("lab/cap", LOW)
    town.model("ada/slow", result("lab/cap", "speed", 9))
    town.model("ada/fast", result("lab/cap", "speed", -1))
    assert [name for _, name, _ in town.standing(data, "speed")] == ["ada/fast", "ada/slow"]
    assert town.board(data, "speed")[0].result.metric.name == "seconds"
    town.push(data, {"eval.yaml": LOW.replace("false", "true")})
    assert [name for _, name, _ in town.standing(data, "speed")] == ["ada/slow", "ada/fast"]
    town.assert_equal_to_rebuilt()


def test_the_headline_is_the_newest_result_without_notes_never_the_best(town: Town):
    data = town.dataset("lab/cap", LOW)
    model = town.model(
        "ada/m",
        result("lab/cap", "skill", 0.1, date="2026-01-02", notes="chosen prompts")
        + result("lab/cap", "skill", 0.2, date="2025-06-01T23:30:00-02:00")
        + result("lab/cap", "skill", 0.3, date="2025-06-02T01:00:00Z")
        + result("lab/cap", "skill", 0.9, date="2020-01-01"),
    )
    (row,) = town.board(data, "skill")
    assert (row.result.value, row.reports, row.low, row.high) == (0.2, 4, 0.1, 0.9)
    shown = town.results(model)
    assert [(r.value, r.headline, r.rank, r.of) for r in shown] == [
        (0.2, True, 1, 1), (0.1, False, 0, 0), (0.3, False, 0, 0), (0.9, False, 0, 0),
    ]  # fmt: skip
    assert queries.reports(town.hub.index.read(), EVERYONE, data.key, "skill", model.key) == shown


def test_a_result_without_a_date_has_that_of_the_commit_that_last_changed_its_file(town: Town):
    town.dataset("lab/cap", LOW)
    model = town.model("ada/m")
    first = town.push(model, {".eval_results/a.yaml": result("lab/cap", "skill", 1)})
    town.push(model, {"README.md": "later"})
    (row,) = town.results(model)
    assert row.commit == first
    assert row.date == "2023-11-14T22:15:20.000Z"


def test_derived_models_are_left_out_unless_asked_for(town: Town):
    data = town.dataset("lab/cap", LOW)
    town.model("ada/base", result("lab/cap", "skill", 0.5))
    tuned = town.model("ada/tuned", result("lab/cap", "skill", 0.9), card="---\nbase_model: ada/base\n---\n")
    assert town.standing(data, "skill") == [(1, "ada/base", 0.5)]
    assert town.standing(data, "skill", include_derived=True) == [(1, "ada/tuned", 0.9), (2, "ada/base", 0.5)]
    assert [(r.rank, r.of) for r in town.results(tuned)] == [(1, 2)]
    benchmark = queries.benchmark(town.hub.index.read(), EVERYONE, data.key)
    assert benchmark is not None
    assert (benchmark.models, benchmark.results, [t.models for t in benchmark.tasks]) == (1, 2, [0, 1])
    town.push(tuned, {"README.md": "no base any more"})
    assert [name for _, name, _ in town.standing(data, "skill")] == ["ada/tuned", "ada/base"]
    town.assert_equal_to_rebuilt()


def test_pages_put_together_are_the_whole_board_with_the_ranks_of_the_rule(town: Town):
    data = town.dataset("lab/cap", LOW)
    chance = random.Random(5)
    for number in range(17):
        private = number % 5 == 0
        town.model(f"lab/m{number}", result("lab/cap", "skill", chance.randint(1, 4)), private=private)
    db = town.hub.index.read()
    for see, count in ((EVERYONE, 13), (EVERYTHING, 17), (town.see("ada"), 17), (town.see("bob"), 13)):
        rows, cursor = [], None
        while True:
            page = queries.leaderboard(db, see, data.key, "skill", limit=4, cursor=cursor)
            assert page.total == count
            rows += page.items
            cursor = page.cursor
            if cursor is None:
                break
        assert len(rows) == count
        assert [r.rank for r in rows] == competition_ranks([r.result.value for r in rows])
        assert [(r.result.rank, r.result.of) for r in rows] == [(r.rank, count) for r in rows]


def test_a_cursor_that_was_not_given_out_is_refused(town: Town):
    data = town.dataset("lab/cap", LOW)
    db = town.hub.index.read()
    not_a_number = base64.urlsafe_b64encode(b'["leaderboard",NaN,"a","b"]').decode()
    for cursor in ("", "x", "é", "bnVsbA", "WzEsMl0", "W1tbW1tb" * 9999, "\0", not_a_number):
        with pytest.raises(Invalid, match="first page"):
            queries.leaderboard(db, EVERYONE, data.key, "skill", cursor=cursor)
        with pytest.raises(Invalid, match="first page"):
            queries.repos(db, EVERYONE, cursor=cursor)
        with pytest.raises(Invalid, match="first page"):
            queries.benchmarks(db, EVERYONE, cursor=cursor)


def test_there_is_no_board_where_there_is_no_task(town: Town):
    data = town.dataset("lab/cap", LOW)
    page = queries.leaderboard(town.hub.index.read(), Visibility(), data.key, "nowhere")
    assert (list(page.items), page.cursor, page.total) == ([], None, 0)


def test_one_task_is_what_the_benchmark_says_of_it(town: Town):
    data = town.dataset("lab/cap", LOW, private=True)
    town.model("ada/m", result("lab/cap", "skill", 1))
    db, see = town.hub.index.read(), town.see("ada")
    benchmark = queries.benchmark(db, see, data.key)
    assert benchmark is not None
    assert [queries.task(db, see, data.key, name) for name in ("speed", "skill", "none")] == [*benchmark.tasks, None]
    assert queries.task(db, see, data.key) == benchmark.tasks[0]
    assert queries.task(db, EVERYONE, data.key, "skill") is None
    assert queries.task(db, see, "nobody", "skill") is None


def test_a_benchmark_that_awaits_approval_has_no_task_to_rank(tmp_path: Path):
    hub = open_hub(Settings(data=tmp_path / "data", benchmarks="shortlist"))
    accounts.add_user(hub, "ada")
    town = Town(hub)
    data = town.dataset("ada/cap", LOW)
    assert queries.task(hub.index.read(), EVERYTHING, data.key, "skill") is None
    repos.approve_benchmark(hub, data)
    assert queries.task(hub.index.read(), EVERYTHING, data.key, "skill") is not None
    hub.close()
