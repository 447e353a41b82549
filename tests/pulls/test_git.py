"""Pull requests with stock git alone: refs/for/main opens one, refs/pr/N changes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glasshub import accounts, discussions, history, receive, repos
from glasshub.access import Visibility
from glasshub.conversation import Discussion
from glasshub.index import queries
from tests.conftest import Live, Person
from tests.index.town import eval_yaml, result
from tests.push import gitclient
from tests.push.gitclient import WorkTree

pytestmark = pytest.mark.slow


@pytest.fixture
def ada(live: Live) -> Person:
    return live.person("ada")


@pytest.fixture
def eve(live: Live) -> Person:
    return live.person("eve")


@pytest.fixture
def theirs(live: Live, ada: Person, eve: Person, tmp_path: Path) -> WorkTree:
    """A clone by eve of ada's model, with ada's benchmark on the hub."""
    board = gitclient.init(tmp_path / "board", live.git_url(f"datasets/{ada.name}/cap", ada))
    board.commit("Ask", **{"eval.yaml": eval_yaml("europe")})
    board.git("push", "-q", "origin", "main")
    own = gitclient.init(tmp_path / "own", live.git_url(f"{ada.name}/m", ada))
    own.commit("Begin", **{"README.md": "# m", ".eval_results/own.yaml": result(f"{ada.name}/cap", "europe", 0.4)})
    own.git("push", "-q", "origin", "main")
    return gitclient.clone(live.git_url(f"{ada.name}/m", eve), tmp_path / "theirs")


def _own(live: Live, ada: Person, tmp_path: Path) -> WorkTree:
    return gitclient.clone(live.git_url(f"{ada.name}/m", ada), tmp_path / "again")


def _score(ada: Person, value: float) -> str:
    return result(f"{ada.name}/cap", "europe", value, notes="with tools")


def _discussion(live: Live, ada: Person, number: int) -> Discussion | None:
    repo = repos.find(live.hub, "model", ada.name, "m")
    return queries.discussion(live.hub.index.read(), repo.key, number)


def test_anybody_opens_one_and_is_told_where_it_is(live: Live, ada: Person, eve: Person, theirs: WorkTree):
    theirs.commit("Add a score\n\nFrom the paper.", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    said = theirs.git("push", "origin", "HEAD:refs/for/main").err
    assert f"{live.url}/{ada.name}/m/discussions/1" in said
    assert f"{ada.name}/cap / europe: 0.6" in said
    found = _discussion(live, ada, 1)
    assert (found.title, found.author, found.status) == ("Add a score", eve.name, "open")
    assert next(iter(found.comments.values())).body == "From the paper."
    theirs.git("fetch", "-q", "origin", "refs/pr/1")
    assert theirs.git("rev-parse", "FETCH_HEAD").out.strip() == theirs.head()


def test_the_same_push_again_is_told_of_the_same_pull_request(live: Live, ada: Person, theirs: WorkTree):
    theirs.commit("Add a score", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    for _ in range(2):
        said = theirs.git("push", "origin", "HEAD:refs/for/main").err
        assert f"Pull request 1 is open: {live.url}/{ada.name}/m/discussions/1" in said
    assert _discussion(live, ada, 2) is None


def test_title_description_and_draft_come_as_push_options(live: Live, ada: Person, theirs: WorkTree):
    theirs.commit("wip", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    options = ("-o", "title=A better title", "-o", "description=Why: it was *measured*.", "-o", "draft")
    theirs.git("push", *options, "origin", "HEAD:refs/for/main")
    found = _discussion(live, ada, 1)
    assert (found.title, found.status) == ("A better title", "draft")
    assert next(iter(found.comments.values())).body == "Why: it was *measured*."


def test_its_author_and_writers_push_to_it_and_nobody_else(
    live: Live, ada: Person, eve: Person, theirs: WorkTree, tmp_path: Path
):
    theirs.commit("One", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    theirs.git("push", "-q", "origin", "HEAD:refs/for/main")
    theirs.commit("Two", **{".eval_results/eve.yaml": _score(ada, 0.7)})
    said = theirs.git("push", "origin", "HEAD:refs/pr/1").err
    assert "0.7" in said
    assert "Pull request 1 is updated" in said
    stranger = live.person("mo")
    other = gitclient.clone(live.git_url(f"{ada.name}/m", stranger), tmp_path / "mo")
    other.git("fetch", "-q", "origin", "refs/pr/1")
    other.git("checkout", "-q", "FETCH_HEAD")
    other.commit("Three", x="y")
    refused = other.git("push", "origin", "HEAD:refs/pr/1", check=False)
    assert not refused.ok
    assert "push to this pull request" in refused.err
    writer = _own(live, ada, tmp_path)
    writer.git("fetch", "-q", "origin", "refs/pr/1")
    writer.git("checkout", "-q", "FETCH_HEAD")
    writer.commit("Four", z="y")
    assert writer.git("push", "origin", "HEAD:refs/pr/1").ok


def test_rebasing_needs_force_as_anywhere(live: Live, ada: Person, theirs: WorkTree):
    theirs.commit("One", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    theirs.git("push", "-q", "origin", "HEAD:refs/for/main")
    theirs.git("commit", "-q", "--amend", "-m", "One, again")
    assert not theirs.git("push", "origin", "HEAD:refs/pr/1", check=False).ok
    theirs.git("push", "-q", "--force", "origin", "HEAD:refs/pr/1")
    assert _discussion(live, ada, 1).timeline[-1].data["forced"] is True


def test_strangers_push_to_no_branch_or_tag(live: Live, ada: Person, theirs: WorkTree):
    theirs.commit("One", x="y")
    for ref in ("main", "refs/heads/other", "refs/tags/v1", "refs/hub/events", "refs/pr/7", "refs/for/dev"):
        refused = theirs.git("push", "origin", f"HEAD:{ref}", check=False)
        assert not refused.ok, ref
        assert "remote rejected" in refused.err, ref
    names = theirs.git("ls-remote", "origin").out
    assert sorted(set(re.findall(r"refs/\S+", names))) == ["refs/heads/main"]


def test_nothing_new_and_nothing_in_common_are_refused(live: Live, ada: Person, theirs: WorkTree):
    refused = theirs.git("push", "origin", "HEAD:refs/for/main", check=False)
    assert "main has all of these commits already" in refused.err
    theirs.git("checkout", "-q", "--orphan", "alien")
    theirs.commit("Alien", x="y")
    refused = theirs.git("push", "origin", "HEAD:refs/for/main", check=False)
    assert "no history in common with main" in refused.err
    assert _discussion(live, ada, 1) is None


def test_a_head_that_comes_to_main_by_a_push_is_merged(live: Live, ada: Person, theirs: WorkTree, tmp_path: Path):
    theirs.commit("One", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    theirs.git("push", "-q", "origin", "HEAD:refs/for/main")
    own = _own(live, ada, tmp_path)
    own.git("fetch", "-q", "origin", "refs/pr/1")
    own.git("merge", "-q", "--no-ff", "-m", "Take it", "FETCH_HEAD")
    said = own.git("push", "origin", "main").err
    assert f"Pull request 1 is merged by this push: {live.url}/{ada.name}/m/discussions/1" in said
    found = _discussion(live, ada, 1)
    assert (found.status, found.merge.how, found.merge.by) == ("merged", "push", ada.name)


def test_a_draft_that_comes_to_main_by_a_push_is_merged(live: Live, ada: Person, theirs: WorkTree, tmp_path: Path):
    theirs.commit("One", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    theirs.git("push", "-q", "-o", "draft", "origin", "HEAD:refs/for/main")
    assert _discussion(live, ada, 1).status == "draft"
    own = _own(live, ada, tmp_path)
    own.git("pull", "-q", "--no-rebase", "origin", "refs/pr/1")
    own.git("push", "-q", "origin", "main")
    found = _discussion(live, ada, 1)
    assert (found.status, found.merge.how, found.merge.by) == ("merged", "push", ada.name)


def test_the_name_in_git_config_is_taken_for_nobody(live: Live, ada: Person, eve: Person, tmp_path: Path):
    """Issue 3, line 5: who brought a result is who pushed it, not whom the commit names."""
    forged = {"GIT_AUTHOR_NAME": eve.name, "GIT_COMMITTER_NAME": eve.name}
    own = gitclient.init(tmp_path / "own", live.git_url(f"{ada.name}/m", ada))
    own.write(".eval_results/own.yaml", result(f"{ada.name}/cap", "europe", 0.4))
    own.git("add", "-A")
    own.git("commit", "-q", "-m", "Begin", env=forged)
    own.git("push", "-q", "origin", "main")
    repo = repos.find(live.hub, "model", ada.name, "m")
    (row,) = queries.results_of_model(live.hub.index.read(), Visibility(), repo.key)
    assert (row.submitter, row.git_author) == (ada.name, "")
    (act,) = history.read_history(live.hub, repo).acts
    assert (act.who, act.git_author, act.commit) == (ada.name, "", own.head())


def test_closed_ones_take_no_push_and_can_be_deleted(live: Live, ada: Person, theirs: WorkTree):
    theirs.commit("One", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    theirs.git("push", "-q", "origin", "HEAD:refs/for/main")
    refused = theirs.git("push", "origin", ":refs/pr/1", check=False)
    assert "close it first" in refused.err
    repo = repos.find(live.hub, "model", ada.name, "m")
    receive.decide(
        live.hub, repo, accounts.actor_for(live.hub, ada.name),
        lambda desk: discussions.set_status(desk, 1, status="closed"),
    )  # fmt: skip
    theirs.commit("Two", x="y")
    assert "is closed" in theirs.git("push", "origin", "HEAD:refs/pr/1", check=False).err
    theirs.git("push", "-q", "origin", ":refs/pr/1")
    assert not theirs.git("fetch", "origin", "refs/pr/1", check=False).ok


def test_the_record_is_fetched_on_request_and_read_with_git_log(live: Live, ada: Person, theirs: WorkTree):
    theirs.commit("One", **{".eval_results/eve.yaml": _score(ada, 0.6)})
    theirs.git("push", "-q", "origin", "HEAD:refs/for/main")
    theirs.git("fetch", "-q", "origin", "refs/hub/events:refs/hub/events")
    log = theirs.git("log", "--format=%s%n%b", "refs/hub/events").out
    assert "opened #1" in log
    assert '"value": "0.6"' in log
    assert "@" not in theirs.git("log", "--format=%b", "refs/hub/events").out


def test_an_atomic_push_of_a_branch_and_a_pull_request_is_all_or_nothing(
    live: Live, ada: Person, theirs: WorkTree, tmp_path: Path
):
    theirs.commit("One", x="y")
    assert not theirs.git("push", "--atomic", "origin", "HEAD:refs/for/main", "HEAD:main", check=False).ok
    assert _discussion(live, ada, 1) is None
    assert theirs.git("push", "origin", "HEAD:refs/for/main", "HEAD:main", check=False).ok is False
    assert _discussion(live, ada, 1).status == "open"
