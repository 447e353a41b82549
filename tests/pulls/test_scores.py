"""Scores in pull requests: when they show, for whom they speak, and what authors may decide about them."""

from __future__ import annotations

import pytest

from glasshub import discussions, pulls, repos, results
from glasshub.errors import Conflict, Forbidden, GlasshubError, NotFound, PreconditionFailed
from glasshub.identity import Repo
from tests.index.town import eval_yaml, result
from tests.pulls.village import Village

pytestmark = pytest.mark.slow

OWN = ".eval_results/own.yaml"
NEW = ".eval_results/new.yaml"


@pytest.fixture
def board(village: Village) -> Repo:
    return village.dataset("lab/cap", eval_yaml("europe", "asia"))


@pytest.fixture
def model(village: Village, board: Repo) -> Repo:
    return village.model("ada/m", result("lab/cap", "europe", 0.4))


def test_a_proposed_score_counts_at_once_as_the_communitys(village: Village, board: Repo, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    assert village.shown(model) == [(0.4, "author", 0, "ada"), (0.7, "community", number, "eve")]
    assert village.standing(board, "asia") == [(1, "ada/m", 0.7)]
    village.assert_equal_to_rebuilt()


def test_the_authors_word_ranks_before_the_communitys(village: Village, board: Repo, model: Repo):
    village.propose(model, "eve", {NEW: result("lab/cap", "europe", 0.9)})
    assert village.standing(board, "europe") == [(1, "ada/m", 0.4)]
    (row,) = village.board(board, "europe")
    assert (row.reports, row.low, row.high) == (2, 0.4, 0.9)


def test_drafts_and_closed_ones_do_not_count_and_reopening_brings_them_back(village: Village, board: Repo, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)}, options=("draft",))
    assert village.standing(board, "asia") == []
    for status, standing in (("open", [(1, "ada/m", 0.7)]), ("closed", []), ("open", [(1, "ada/m", 0.7)])):
        village.decide(model, "eve", discussions.set_status, number=number, status=status)
        assert village.standing(board, "asia") == standing
        village.assert_equal_to_rebuilt()


def test_pushing_to_a_pull_request_changes_what_it_says(village: Village, board: Repo, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    assert village.update(model, "eve", number, {NEW: result("lab/cap", "asia", 0.6)}).ok
    assert village.standing(board, "asia") == [(1, "ada/m", 0.6)]
    pushed = village.discussions(model)[number].timeline[-1].data
    assert [entry["value"] for entry in pushed["results"]] == ["0.6"]
    assert [entry["value"] for entry in pushed["withdrawn"]] == ["0.7"]


@pytest.mark.parametrize("how", pulls.HOWS)
def test_merging_makes_them_the_authors_and_still_names_the_submitter(
    village: Village, board: Repo, model: Repo, how: str
):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    village.decide(model, "ada", pulls.merge, number=number, how=how)
    (merged,) = [r for r in village.results(model) if r.task_id == "asia"]
    assert (merged.origin, merged.pull, merged.submitter) == ("author", 0, "eve")
    assert (merged.via_pull, merged.merged_by) == (number, "ada")
    assert village.discussions(model)[number].status == "merged"
    # The author goes on in the same file, and the submitter is still named.
    village.push(model, {NEW: result("lab/cap", "asia", 0.7) + result("lab/cap", "asia", 0.8)})
    assert {r.value: r.submitter for r in village.results(model) if r.task_id == "asia"} == {0.7: "eve", 0.8: "ada"}
    village.assert_equal_to_rebuilt()


def test_a_pull_request_that_falls_behind_never_takes_back_what_main_got(village: Village, board: Repo, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    village.push(model, {OWN: result("lab/cap", "europe", 0.5), ".eval_results/x.yaml": result("lab/cap", "asia", 0.1)})
    assert village.shown(model) == [
        (0.1, "author", 0, "ada"), (0.5, "author", 0, "ada"), (0.7, "community", number, "eve"),
    ]  # fmt: skip
    village.assert_equal_to_rebuilt()


def test_what_is_said_twice_counts_once(village: Village, board: Repo, model: Repo):
    again = result("lab/cap", "europe", 0.4)
    village.propose(model, "eve", {NEW: again + result("lab/cap", "asia", 0.7)})
    village.propose(model, "mo", {".eval_results/mo.yaml": result("lab/cap", "asia", 0.7)})
    assert village.shown(model) == [(0.4, "author", 0, "ada"), (0.7, "community", 1, "eve")]
    village.decide(model, "eve", discussions.set_status, number=1, status="closed")
    assert village.shown(model) == [(0.4, "author", 0, "ada"), (0.7, "community", 2, "mo")]
    village.assert_equal_to_rebuilt()


def test_hiding_takes_effect_everywhere_and_outlives_the_merge(village: Village, board: Repo, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    wanted = next(r.id for r in village.results(model) if r.pull)
    village.decide(model, "ada", results.hide_result, result_id=wanted, reason="Another prompt.")
    assert village.shown(model) == [(0.4, "author", 0, "ada")]
    assert village.standing(board, "asia") == []
    village.decide(model, "ada", pulls.merge, number=number)
    assert village.standing(board, "asia") == []
    village.assert_equal_to_rebuilt()
    village.decide(model, "ada", results.show_result, result_id=wanted)
    assert village.standing(board, "asia") == [(1, "ada/m", 0.7)]
    village.assert_equal_to_rebuilt()


def test_a_corrected_result_is_another_one_and_shows(village: Village, board: Repo, model: Repo):
    wanted = village.results(model)[0].id
    village.decide(model, "ada", results.hide_result, result_id=wanted)
    assert village.standing(board, "europe") == []
    village.push(model, {OWN: result("lab/cap", "europe", 0.45)})
    assert village.standing(board, "europe") == [(1, "ada/m", 0.45)]


@pytest.mark.parametrize("who", ["eve", "bob"])
def test_nobody_else_hides_or_merges(village: Village, model: Repo, who: str):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    wanted = village.results(model)[0].id
    with pytest.raises(Forbidden):
        village.decide(model, who, results.hide_result, result_id=wanted)
    with pytest.raises(Forbidden):
        village.decide(model, who, pulls.merge, number=number)
    assert len(village.results(model)) == 2


def test_only_shown_results_are_hidden_and_only_once(village: Village, model: Repo):
    wanted = village.results(model)[0].id
    with pytest.raises(NotFound):
        village.decide(model, "ada", results.hide_result, result_id="0" * 16)
    village.decide(model, "ada", results.hide_result, result_id=wanted)
    with pytest.raises(Conflict):
        village.decide(model, "ada", results.hide_result, result_id=wanted)
    village.decide(model, "ada", results.show_result, result_id=wanted)
    with pytest.raises(Conflict):
        village.decide(model, "ada", results.show_result, result_id=wanted)


def test_conflicts_are_named_and_main_stays(village: Village, model: Repo):
    number = village.propose(model, "eve", {OWN: result("lab/cap", "europe", 0.5)})
    village.push(model, {OWN: result("lab/cap", "europe", 0.6)})
    before = village.shown(model)
    with pytest.raises(Conflict, match=r"\.eval_results/own\.yaml"):
        village.decide(model, "ada", pulls.merge, number=number)
    with pytest.raises(Conflict, match="fast-forward"):
        village.decide(model, "ada", pulls.merge, number=number, how="fast-forward")
    assert village.shown(model) == before
    assert village.discussions(model)[number].status == "open"


def test_a_merge_of_what_was_not_looked_at_is_refused(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    looked_at = village.discussions(model)[number].head
    village.update(model, "eve", number, {NEW: result("lab/cap", "asia", 0.1)})
    with pytest.raises(PreconditionFailed):
        village.decide(model, "ada", pulls.merge, number=number, head=looked_at)


def test_a_broken_benchmark_is_not_merged(village: Village, board: Repo):
    number = village.propose(board, "eve", {"eval.yaml": eval_yaml("europe") + "tasks: []\n"})
    with pytest.raises(GlasshubError, match=r"eval\.yaml:\d+:\d+"):
        village.decide(board, "ada", pulls.merge, number=number)


def test_pull_requests_can_be_switched_off(village: Village, model: Repo):
    model = repos.configure(village.hub, village.actor("ada"), model, pulls_enabled=False)
    with pytest.raises(AssertionError, match="switched off"):
        village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})


def test_what_writers_closed_only_writers_reopen(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    village.decide(model, "ada", discussions.set_status, number=number, status="closed", comment="No source.")
    with pytest.raises(Forbidden):
        village.decide(model, "eve", discussions.set_status, number=number, status="open")
    village.decide(model, "ada", discussions.set_status, number=number, status="open")
    village.decide(model, "eve", discussions.set_status, number=number, status="closed")
    village.decide(model, "eve", discussions.set_status, number=number, status="open")
    assert len(village.results(model)) == 2


def test_no_way_around_by_drafts_leads_back_from_what_a_writer_closed(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    village.decide(model, "ada", discussions.set_status, number=number, status="closed")
    with pytest.raises(Forbidden):  # draft, closed by its author, open: it would be back
        village.decide(model, "eve", discussions.set_status, number=number, status="draft")
    assert village.discussions(model)[number].status == "closed"
    village.decide(model, "ada", discussions.set_status, number=number, status="open")
    village.decide(model, "eve", discussions.set_status, number=number, status="draft")
    village.decide(model, "eve", discussions.set_status, number=number, status="open")
    assert village.discussions(model)[number].status == "open"


def test_deleting_the_head_of_a_closed_one_leaves_its_record(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    with pytest.raises(Conflict):
        village.decide(model, "eve", pulls.delete_head, number=number)
    village.decide(model, "ada", discussions.set_status, number=number, status="closed")
    village.decide(model, "eve", pulls.delete_head, number=number)
    found = village.discussions(model)[number]
    assert found.head_deleted
    assert found.timeline[0].data["results"][0]["value"] == "0.7"
    village.decide(model, "ada", discussions.set_status, number=number, status="open")
    assert village.shown(model) == [(0.4, "author", 0, "ada")]
    with pytest.raises(Conflict, match="deleted"):
        village.decide(model, "ada", pulls.merge, number=number)
    village.assert_equal_to_rebuilt()
