"""Erasing from the record: the words go from git, index and disk; that something was erased stays."""

from __future__ import annotations

import subprocess

import pytest

from glasshub import accounts, discussions, erasure, results
from glasshub.errors import Forbidden, Invalid, NotFound
from glasshub.git import read
from glasshub.identity import Repo
from tests.index.town import result
from tests.pulls.village import Village

pytestmark = pytest.mark.slow

SECRET = "17 Elm Street"


@pytest.fixture
def model(village: Village) -> Repo:
    accounts.set_admin(village.hub, "ada", True)
    model = village.model("ada/m", result("lab/cap", "europe", 0.4))
    village.decide(model, "bob", discussions.open_discussion, title="Hm", body="Fine.")
    return model


def _everything(village: Village, repo: Repo) -> bytes:
    """All that the repository's objects and the index hold, unpacked."""
    git = ["git", "--git-dir", str(village.hub.git_dir(repo))]
    ids = subprocess.run([*git, "cat-file", "--batch-all-objects", "--batch"], capture_output=True, check=True).stdout
    dump = "\n".join(village.hub.index.read().conn.iterdump())
    index = village.hub.index.path
    files = b"".join(path.read_bytes() for path in index.parent.glob(f"{index.name}*"))
    return ids + dump.encode() + files


def test_a_comment_and_its_former_texts_go_for_good(village: Village, model: Repo):
    said = village.decide(model, "eve", discussions.comment, number=1, body=f"He lives at {SECRET}.").events[-1].id
    village.decide(model, "eve", discussions.edit_comment, number=1, comment_id=said, body=f"Sorry: {SECRET}!")
    village.decide(model, "bob", discussions.comment, number=1, body="Please do not.")
    assert SECRET.encode() in _everything(village, model)
    done = erasure.erase_events(village.hub, village.actor("ada"), model, [said], reason="An address.")
    assert (done.events, done.packed) == (2, [])
    assert SECRET.encode() not in _everything(village, model)
    comments = list(village.discussions(model)[1].comments.values())
    assert [comment.body for comment in comments] == ["Fine.", "", "Please do not."]
    assert comments[1].erased
    assert comments[1].author == "eve"
    village.assert_equal_to_rebuilt()
    with read.open_repo(village.hub.git_dir(model)) as git:
        assert village.decide(model, "bob", discussions.comment, number=1, body="Thanks.").number == 1
        assert "refs/hub/events" in read.list_refs(git)


def test_the_tombstone_says_who_and_why(village: Village, model: Repo):
    said = village.decide(model, "eve", discussions.comment, number=1, body=SECRET).events[-1].id
    erasure.erase_events(village.hub, village.actor("ada"), model, [said], reason="An address.")
    log = ["git", "--git-dir", str(village.hub.git_dir(model)), "log", "-1", "--format=%an %b", "refs/hub/events"]
    last = subprocess.run(log, capture_output=True, check=True, text=True).stdout
    assert last.startswith("ada ")
    assert "An address." in last
    assert said in last


def test_a_user_goes_from_all_records_but_results_stay_hidden(village: Village, model: Repo):
    other = village.model("ada/other")
    village.decide(other, "eve", discussions.open_discussion, title=f"About {SECRET}", body="x")
    village.decide(model, "eve", discussions.comment, number=1, body=SECRET)
    wanted = village.results(model)[0].id
    village.decide(model, "ada", results.hide_result, result_id=wanted, reason="No.")
    done = erasure.erase_author(village.hub, village.actor("ada"), "Eve", texts=True, reason="Asked for it.")
    assert {path: erased.events for path, erased in done.items()} == {"/ada/m": 1, "/ada/other": 1}
    for repo in (model, other):
        everything = _everything(village, repo)
        assert SECRET.encode() not in everything
        assert b'"eve"' not in everything
    assert village.discussions(other)[1].title == "(erased)"
    assert village.results(model) == []
    village.assert_equal_to_rebuilt()


def test_only_admins_of_the_hub_erase_and_only_with_a_reason(village: Village, model: Repo):
    said = next(iter(village.discussions(model)[1].comments))
    with pytest.raises(Forbidden):
        erasure.erase_events(village.hub, village.actor("bob"), model, [said], reason="Mine.")
    with pytest.raises(Invalid):
        erasure.erase_events(village.hub, village.actor("ada"), model, [said], reason=" ")
    with pytest.raises(NotFound):
        erasure.erase_events(village.hub, village.actor("ada"), model, ["0" * 24], reason="Hm.")
    assert next(iter(village.discussions(model)[1].comments.values())).body == "Fine."
