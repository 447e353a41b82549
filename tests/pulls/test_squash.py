"""Squashing a history: one commit for clients, and everything that was on record is still so."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshub import accounts, clock, pulls, squash
from glasshub.errors import Conflict, Forbidden, Invalid
from glasshub.git import read
from glasshub.identity import Repo, Role
from tests.index.town import MAIN, eval_yaml, result
from tests.pulls.test_fifty import _restore
from tests.pulls.test_history import lines, told
from tests.pulls.village import Village

pytestmark = pytest.mark.slow

OWN = ".eval_results/own.yaml"


@pytest.fixture
def model(village: Village) -> Repo:
    village.dataset("lab/cap", eval_yaml("europe", "asia"))
    model = village.model("ada/m", result("lab/cap", "europe", 0.4))
    village.push(model, {OWN: result("lab/cap", "europe", 0.5)})
    village.push(model, {"README.md": "# M\n"})
    return model


def commits(village: Village, repo: Repo, ref: str = MAIN) -> list[str]:
    with read.open_repo(village.hub.git_dir(repo)) as git:
        return [commit.title for commit in read.history(git, read.resolve_revision(git, ref).commit)]


def everything(village: Village, model: Repo) -> object:
    """What the card says of results, with dates and submitters."""
    return [(r.value, r.date, r.commit, r.submitter, r.origin, r.pull, r.state) for r in village.results(model)]


def test_results_keep_their_dates_and_the_history_goes_on(village: Village, model: Repo, tmp_path: Path):
    before, acts = everything(village, model), lines(told(village, model))
    village.decide(model, "ada", squash.squash, name="main", message="All in one")
    assert commits(village, model) == ["All in one"]
    assert everything(village, model) == before
    assert lines(told(village, model)) == [*acts, "ada squashed"]
    village.push(model, {"README.md": "# Mine\n"})
    assert everything(village, model) == before
    village.decide(model, "ada", squash.squash, name="main", message="Once more")  # a history with a squash in it
    assert commits(village, model) == ["Once more"]
    assert everything(village, model) == before
    assert lines(told(village, model, limit=1)) == [*acts, "ada squashed", "ada squashed"]
    village.assert_equal_to_rebuilt()
    village.hub.registry.close()
    restored = _restore(village, tmp_path)
    assert everything(restored, model) == before
    assert lines(told(restored, model)) == [*acts, "ada squashed", "ada squashed"]
    restored.hub.close()


def test_the_same_again_changes_nothing(village: Village, model: Repo):
    assert village.decide(model, "ada", squash.squash, name="main", message="One").updates
    assert not village.decide(model, "ada", squash.squash, name="main", message="One").updates


def test_pull_requests_of_before_still_say_what_they_said(village: Village, model: Repo):
    village.push(model, {".eval_results/more.yaml": result("lab/cap", "asia", 0.1)})
    number = village.propose(model, "eve", {".eval_results/eve.yaml": result("lab/cap", "europe", 0.9)})
    village.push(model, {".eval_results/more.yaml": result("lab/cap", "asia", 0.2)})
    before = village.shown(model)
    assert [value for value, *_ in before] == [0.2, 0.5, 0.9]
    village.decide(model, "ada", squash.squash, name="main", message="One")
    assert village.shown(model) == before  # not 0.1, which the pull request has from its base
    assert village.update(model, "eve", number, {"notes.txt": "Measured twice.\n"}).ok
    assert village.shown(model) == before
    village.assert_equal_to_rebuilt()
    village.decide(model, "ada", pulls.merge, number=number)
    assert [value for value, *_ in village.shown(model)] == [0.2, 0.5, 0.9]
    village.assert_equal_to_rebuilt()


def test_a_pull_request_can_be_squashed_and_merged(village: Village, model: Repo):
    number = village.propose(model, "eve", {".eval_results/eve.yaml": result("lab/cap", "europe", 0.9)})
    village.update(model, "eve", number, {".eval_results/eve.yaml": result("lab/cap", "europe", 0.8)})
    village.push(model, {"README.md": "# Moved on\n"})
    before = village.shown(model)
    for who in ("mo", "bob"):
        with pytest.raises(Forbidden):
            village.decide(model, who, squash.squash, name="refs/pr/1", message="Mine")
    village.decide(model, "eve", squash.squash, name="refs/pr/1", message="Mine")
    assert commits(village, model, "refs/pr/1") == ["Mine"]
    assert village.shown(model) == before
    assert "eve pushed #1" in lines(told(village, model))
    village.assert_equal_to_rebuilt()
    village.decide(model, "ada", pulls.merge, number=number, how="squash")
    assert [(value, origin) for value, origin, *_ in village.shown(model)] == [(0.5, "author"), (0.8, "author")]
    with pytest.raises(Conflict):
        village.decide(model, "eve", squash.squash, name="refs/pr/1", message="Late")
    village.assert_equal_to_rebuilt()


@pytest.mark.parametrize("apart", [False, True], ids=["same base", "other base"])
@pytest.mark.parametrize("how", ["merge", "squash"])
def test_two_pull_requests_squashed_alike_in_one_second_are_both_merged(
    village: Village, model: Repo, monkeypatch: pytest.MonkeyPatch, apart: bool, how: pulls.How
):
    score = {".eval_results/eve.yaml": result("lab/cap", "europe", 0.9)}
    numbers = [village.propose(model, "eve", {**score, "b.txt": "b"})]
    if apart:
        village.push(model, {"b.txt": "b"})
    numbers.append(village.propose(model, "eve", score if apart else {**score, "b.txt": "b"}))
    before = village.shown(model)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: "2026-11-24T10:00:00.000Z")
        for number in numbers:
            assert village.decide(model, "eve", squash.squash, name=f"refs/pr/{number}", message="Mine").updates
    with read.open_repo(village.hub.git_dir(model)) as git:
        heads = {read.list_refs(git, "refs/")[f"refs/pr/{number}"] for number in numbers}
    assert len(heads) == 1 + apart  # each stands for what it was built on
    assert village.shown(model) == before
    for number in numbers:
        village.decide(model, "ada", pulls.merge, number=number, how="merge" if number == 2 else how)
        assert village.discussions(model)[number].status == "merged"
    assert [value for value, *_ in village.shown(model)] == [0.5, 0.9]
    assert village.shown(model)[1][1:] == ("author", 0, "eve")
    village.assert_equal_to_rebuilt()


def test_results_for_a_former_revision_of_a_benchmark_still_count(village: Village):
    board = village.dataset("lab/cap", eval_yaml("europe"))
    revision = village.push(board, {"README.md": "# Then\n"})
    village.push(board, {"README.md": "# Now\n"})
    model = village.model("ada/m", result("lab/cap", "europe", 0.4, revision=revision))
    village.decide(board, "ada", squash.squash, name="main", message="One")
    assert village.standing(board, "europe") == [(1, "ada/m", 0.4)]
    village.push(model, {OWN: result("lab/cap", "europe", 0.5, revision=revision)})
    assert village.standing(board, "europe") == [(1, "ada/m", 0.5)]
    village.assert_equal_to_rebuilt()


def test_who_may_and_what_can_be_squashed(village: Village, model: Repo):
    team = village.model("lab/t")
    village.push(team, {"a": "1"})
    village.set_ref(team, "refs/tags/v1", village.push(team, {"a": "2"}))
    village.push(team, {"a": "3"}, ref="refs/heads/side", parent=None)
    accounts.set_member(village.hub, village.actor("ada"), "lab", "bob", Role.READ)
    with pytest.raises(Forbidden):
        village.decide(team, "bob", squash.squash, name="main", message="One")
    accounts.set_member(village.hub, village.actor("ada"), "lab", "bob", Role.WRITE)
    village.decide(team, "bob", squash.squash, name="side", message="One")
    assert (commits(village, team, "side"), commits(village, team)) == (["One"], ["Change", "Change"])
    for name in ("v1", "refs/tags/v1", "refs/hub/events", "a..b"):
        with pytest.raises((Invalid, read.RevisionNotFound)):
            village.decide(team, "bob", squash.squash, name=name, message="One")
    with pytest.raises(Invalid):
        village.decide(team, "bob", squash.squash, name="main", message=" ")
    village.decide(team, "bob", squash.squash, name="main", message="One")
