"""Who brought a result to ``main``: the account that pushed or committed it, whatever name stands in the commit."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from glasshub import accounts, discussions, edits, history, indexing, pulls, receive, repos, results, squash
from glasshub.app import create_app
from glasshub.desk import Move
from glasshub.edits import Edit
from glasshub.events import EventType
from glasshub.git import read
from glasshub.git.build import Delete, Put, Signature, build_commit
from glasshub.git.merge import merge_commit, merge_trees
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefUpdate
from glasshub.hub import open_hub
from glasshub.identity import Repo, Role
from glasshub.index import queries
from glasshub.notices import inbox
from tests.index.town import MAIN, eval_yaml, result
from tests.pulls.test_history import lines, told
from tests.pulls.village import Village

pytestmark = pytest.mark.slow
OWN, NEW = ".eval_results/own.yaml", ".eval_results/new.yaml"
EUROPE, ASIA = result("lab/cap", "europe", 0.4), result("lab/cap", "asia", 0.6)


@pytest.fixture
def model(village: Village) -> Repo:
    """A model of the lab, where ada is admin and bob a writer."""
    accounts.set_member(village.hub, village.actor("ada"), "lab", "bob", Role.WRITE)
    village.dataset("lab/cap", eval_yaml("europe", "asia", "africa"))
    return village.repo("model", "lab/m")


def push(
    village: Village,
    model: Repo,
    who: str,
    files: Mapping[str, str | None],
    *,
    name: str = "eve",
    parent: str | None = "",
    merging: str = "",
) -> str:
    """``who`` pushes a commit to ``main`` in which another name stands: on top of it or of ``parent``."""
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        old = read.list_refs(git).get(MAIN, ZERO)
        base = parent if parent != "" else (None if old == ZERO else old)
        operations = [Delete(p) if text is None else Put(p, text.encode()) for p, text in files.items()]
        village.clock += 60
        author = Signature(name, "x@example.org", village.clock)
        new = build_commit(incoming, base, operations, message="Change", author=author)
        if merging:
            tree = merge_trees(incoming, new, merging).tree
            new = merge_commit(incoming, [new, merging], tree, message="Pull\n", author=author, committer=author)
        (done,) = village.send(model, who, RefUpdate(old, new, MAIN), incoming)
    assert done.ok, done.error
    return new


def by(village: Village, model: Repo) -> dict[float, str]:
    """Who is named with each result of the card, and what the commit says where nobody is."""
    return {row.value: row.submitter or f"git author {row.git_author}" for row in village.results(model)}


def committed(village: Village, model: Repo) -> list[dict[str, object]]:
    events = queries.events(village.hub.index.read(), model.key)
    return [dict(event.data) for event in events if event.type is EventType.COMMITTED]


def main(village: Village, model: Repo) -> str:
    with read.open_repo(village.hub.git_dir(model)) as git:
        return read.list_refs(git)[MAIN]


def test_a_name_in_a_commit_is_shown_as_nobody(village: Village, model: Repo):
    push(village, model, "bob", {OWN: EUROPE, "README.md": "# m"}, name="eve")
    assert by(village, model) == {0.4: "bob"}
    assert lines(told(village, model)) == ["bob committed +0.4"]
    client = create_app(village.hub).test_client()
    (said,) = client.get("/api/models/lab/m?expand[]=evalResults").json["evalResults"]
    assert (said["submitter"], "gitAuthor" in said) == ("bob", False)
    (row,) = client.get("/api/datasets/lab/cap/leaderboard?task_id=europe").json
    assert row["submitter"] == "bob"
    (act,) = client.get("/api/models/lab/m/eval-results/history").json
    assert (act["actor"], "gitAuthor" in act, len(act["record"])) == ("bob", False, 40)
    assert "reported by bob" in client.get("/feeds/lab/m").text
    for path in ("/lab/m", "/lab/m/evaluations", "/datasets/lab/cap/leaderboard?task=europe&model=lab/m"):
        assert 'by <a href="/bob">bob</a>' in client.get(path).text, path
    for path in ("/", "/lab/m", "/lab/m/evaluations", "/lab/m/evaluations/history", "/feeds/lab/m", "/lab"):
        assert not re.search(r"\beve\b", client.get(path).text), path
    assert "eve" in client.get("/lab/m/commits/main").text


def test_two_who_push_in_turns_are_each_named_with_their_own(village: Village, model: Repo):
    push(village, model, "ada", {OWN: EUROPE})
    push(village, model, "bob", {OWN: EUROPE + ASIA})
    push(village, model, "ada", {OWN: EUROPE + ASIA + result("lab/cap", "africa", 0.1)})
    assert by(village, model) == {0.4: "ada", 0.6: "bob", 0.1: "ada"}
    push(village, model, "bob", {OWN: None, NEW: EUROPE + ASIA})  # moved, and one removed
    assert by(village, model) == {0.4: "ada", 0.6: "bob"}
    assert lines(told(village, model)) == [
        "ada committed +0.4", "bob committed +0.6", "ada committed +0.1", "bob committed -0.1",
    ]  # fmt: skip
    village.assert_equal_to_rebuilt()


def test_mending_a_broken_file_makes_its_results_nobody_elses(village: Village, model: Repo):
    push(village, model, "ada", {OWN: EUROPE})
    push(village, model, "bob", {OWN: "broken: ["})
    assert by(village, model) == {}
    push(village, model, "bob", {OWN: EUROPE + ASIA})
    assert by(village, model) == {0.4: "ada", 0.6: "bob"}
    push(village, model, "ada", {OWN: ASIA})
    push(village, model, "bob", {OWN: EUROPE + ASIA})  # she took it back, and he says it now
    assert by(village, model) == {0.4: "bob", 0.6: "bob"}
    village.assert_equal_to_rebuilt()


def test_who_merges_main_into_their_branch_brings_only_their_own(village: Village, model: Repo):
    begin = push(village, model, "ada", {OWN: EUROPE})
    hers = push(village, model, "ada", {OWN: EUROPE + ASIA})
    push(village, model, "bob", {NEW: result("lab/cap", "africa", 0.1)}, parent=begin, merging=hers)
    assert by(village, model) == {0.4: "ada", 0.6: "ada", 0.1: "bob"}
    assert lines(told(village, model)) == ["ada committed +0.4", "ada committed +0.6", "bob committed +0.1"]
    assert told(village, model, limit=1) == told(village, model)


def test_a_push_that_touches_no_result_is_no_event(village: Village, model: Repo):
    push(village, model, "ada", {"README.md": "# m"})
    push(village, model, "ada", {"notes.yaml": EUROPE})
    push(village, model, "ada", {"deeper/.eval_results/a.yaml": EUROPE})
    assert committed(village, model) == []
    village.push(village.dataset("lab/other", eval_yaml("x")), {OWN: EUROPE})
    with read.open_repo(village.hub.git_dir(model)) as git:
        assert list(read.list_refs(git)) == [MAIN]


def test_the_event_says_from_where_to_where_and_what(village: Village, model: Repo):
    first = push(village, model, "ada", {OWN: EUROPE})
    second = push(village, model, "bob", {OWN: ASIA})
    (begun, moved) = committed(village, model)
    ids = {row.value: row.id for row in village.results(model)}
    assert begun == {"new": first, "steps": [first], "added": moved["removed"]}
    assert (moved["old"], moved["new"], moved["steps"], moved["added"]) == (first, second, [second], [ids[0.6]])


def test_web_edits_and_api_commits_are_recorded_too(village: Village, model: Repo):
    push(village, model, "ada", {"README.md": "# m"})
    edit = Edit([Put(OWN, EUROPE.encode())], "Add a score")
    edits.commit(village.hub, model, village.actor("bob"), edit, ref=MAIN)
    assert by(village, model) == {0.4: "bob"}


def test_history_from_before_names_the_git_author_as_text_only(village: Village, model: Repo):
    folder = village.hub.git_dir(model)
    _below(folder, EUROPE, name="mo & co")
    indexing.sync_repo(village.hub, model.key)
    assert by(village, model) == {0.4: "git author mo & co"}
    push(village, model, "bob", {NEW: ASIA})
    assert by(village, model) == {0.4: "git author mo & co", 0.6: "bob"}
    client = create_app(village.hub).test_client()
    results_now = client.get("/api/models/lab/m?expand[]=evalResults").json["evalResults"]
    said = {one["data"]["value"]: one for one in results_now}
    assert (said[0.4]["submitter"], said[0.4]["gitAuthor"]) == (None, "mo & co")
    acts = client.get("/api/models/lab/m/eval-results/history").json
    assert [(act["actor"], act.get("gitAuthor")) for act in acts] == [("bob", None), (None, "mo & co")]
    for path in ("/lab/m", "/lab/m/evaluations", "/datasets/lab/cap/leaderboard?task=europe&model=lab/m"):
        page = client.get(path).text
        assert "by git author mo &amp; co" in page, path
        assert 'href="/mo"' not in page
    assert '<span class="soft">git author</span> mo &amp; co' in client.get("/lab/m/evaluations/history").text
    feed = client.get("/feeds/lab/m").text
    assert "reported by git author mo &amp; co" in feed
    assert "<name>mo" not in feed
    hidden = next(row.id for row in village.results(model) if row.value == 0.4)
    village.decide(model, "ada", results.hide_result, result_id=hidden)
    assert "by git author mo &amp; co" in client.get("/lab/m/evaluations/history").text
    village.assert_equal_to_rebuilt()


def _below(folder: Path, text: str, *, name: str) -> None:
    """History that came to a repo below the hub, as in a mirror or from before the record."""
    with read.open_repo(folder) as git, Quarantine(git) as incoming:
        author = Signature(name, "x@example.org", 1_700_000_000)
        new = build_commit(incoming, None, [Put(OWN, text.encode())], message="Begin", author=author)
        incoming.migrate()
        git.refs[MAIN.encode()] = new.encode()


def test_a_thousand_results_and_more_in_one_push(village: Village, model: Repo):
    many = "".join(result("lab/cap", "europe", n, notes=f"n{n}") for n in range(2100))
    push(village, model, "bob", {OWN: many})
    push(village, model, "ada", {OWN: many + EUROPE})
    assert {row.submitter for row in village.results(model)} == {"ada", "bob"}
    assert sum(row.submitter == "bob" for row in village.results(model)) == 2100
    (act, last) = told(village, model)
    assert (act.who, len(act.changes), last.who, len(last.changes)) == ("bob", 2100, "ada", 1)


@pytest.mark.parametrize("how", pulls.HOWS)
def test_a_merged_pull_request_of_more_than_a_thousand_names_its_author_with_all(
    village: Village, model: Repo, how: str
):
    push(village, model, "ada", {"README.md": "# m"})
    many = "".join(result("lab/cap", "europe", n, notes=f"n{n}") for n in range(1005))
    number = village.propose(model, "eve", {OWN: many})
    village.decide(model, "bob", pulls.merge, number=number, how=how)
    found = {(row.submitter, row.via_pull, row.merged_by) for row in village.results(model)}
    assert found == {("eve", number, "bob")}
    assert committed(village, model) == []
    acts = told(village, model)
    assert [(act.who, act.action, len(act.changes)) for act in acts[-2:]] == [
        ("bob", "committed", 1005), ("bob", "merged", 1000),
    ]  # fmt: skip
    assert {change.pull for act in acts for change in act.changes} == {number}


@pytest.mark.parametrize("how", pulls.HOWS)
def test_a_merge_is_recorded_once(village: Village, model: Repo, how: str):
    push(village, model, "ada", {OWN: EUROPE})
    number = village.propose(model, "eve", {NEW: ASIA})
    village.decide(model, "bob", pulls.merge, number=number, how=how)
    assert len(committed(village, model)) == 1
    assert by(village, model) == {0.4: "ada", 0.6: "eve"}


def test_what_only_the_merge_made_is_whose_merge_it_was(village: Village, model: Repo):
    """Two sides change the same entry in lines apart: the outcome is a result that neither had."""
    entry = (
        "- dataset: {id: lab/cap, task_id: europe}\n  value: 1\n  extra:\n    a: 1\n    b: 1\n    c: 1\n  notes: %s\n"
    )
    push(village, model, "ada", {OWN: entry % "x"})
    number = village.propose(model, "eve", {OWN: (entry % "x").replace("value: 1", "value: 2")})
    push(village, model, "ada", {OWN: entry % "y"})
    village.decide(model, "bob", pulls.merge, number=number)
    assert by(village, model) == {2.0: "bob"}
    assert [act.who for act in told(village, model) if act.action in ("merged", "committed")][-2:] == ["bob", "bob"]


def test_a_merge_by_push_names_submitter_and_pusher(village: Village, model: Repo):
    push(village, model, "ada", {OWN: EUROPE})
    number = village.propose(model, "eve", {NEW: ASIA})
    with read.open_repo(village.hub.git_dir(model)) as git:
        head = read.list_refs(git)[f"refs/pr/{number}"]
    push(village, model, "bob", {OWN: EUROPE + result("lab/cap", "africa", 0.1)}, parent=head)
    assert by(village, model) == {0.4: "ada", 0.6: "eve", 0.1: "bob"}
    (asia,) = [row for row in village.results(model) if row.value == 0.6]
    assert (asia.via_pull, asia.merged_by) == (number, "bob")
    assert sorted(lines(told(village, model))[-2:]) == ["bob committed +0.1", f"bob merged #{number} +0.6"]


def test_main_rewritten_deleted_and_made_anew_names_who_did_it(village: Village, model: Repo):
    repos.configure(village.hub, village.actor("ada"), model, allow_force_push=True)
    first = push(village, model, "ada", {OWN: EUROPE})
    push(village, model, "ada", {OWN: ASIA})
    push(village, model, "bob", {NEW: result("lab/cap", "africa", 0.1)}, parent=first)
    assert by(village, model) == {0.4: "bob", 0.1: "bob"}  # ada had replaced it, and bob brings it back
    assert lines(told(village, model)) == [
        "ada committed +0.4",
        "ada committed +0.6 -0.4",
        "bob committed +0.1 +0.4 -0.6",
    ]
    push(village, model, "bob", {OWN: ASIA}, parent=None)
    assert by(village, model) == {0.6: "bob"}
    tip = main(village, model)
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        (done,) = village.send(model, "bob", RefUpdate(tip, ZERO, MAIN), incoming)
        assert done.ok
        assert by(village, model) == {}
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        (done,) = village.send(model, "ada", RefUpdate(ZERO, tip, MAIN), incoming)
        assert done.ok
    assert by(village, model) == {0.6: "bob"}  # nobody had taken that back
    village.assert_equal_to_rebuilt()


def test_renaming_a_branch_to_main_is_a_push_like_any(village: Village, model: Repo):
    village.push(model, {OWN: EUROPE}, ref="refs/heads/work")
    assert committed(village, model) == []
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        tip = read.list_refs(git)["refs/heads/work"]
        updates = [RefUpdate(ZERO, tip, MAIN), RefUpdate(tip, ZERO, "refs/heads/work")]
        done = receive.apply_ref_updates(village.hub, model, updates, village.actor("bob"), incoming=incoming)
    assert [one.ok for one in done] == [True, True]
    assert by(village, model) == {0.4: "bob"}


def test_a_refused_push_leaves_no_event(village: Village, model: Repo):
    push(village, model, "ada", {OWN: EUROPE})
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        new = village.build(incoming, main(village, model), {OWN: ASIA})
        (stale,) = village.send(model, "bob", RefUpdate("1" * 40, new, MAIN), incoming)
        (stranger,) = village.send(model, "eve", RefUpdate(main(village, model), new, MAIN), incoming)
    assert (stale.ok, stranger.ok, len(committed(village, model))) == (False, False, 1)


def test_whose_directly_pushed_result_is_hidden_hears_of_it(village: Village, model: Repo):
    push(village, model, "bob", {OWN: EUROPE})
    (row,) = village.results(model)
    village.decide(model, "ada", results.hide_result, result_id=row.id)
    found = [thread.row.reason for thread in inbox.threads(village.hub, village.actor("bob"))]
    assert found == ["result"]
    assert inbox.threads(village.hub, village.actor("eve")) == []


def test_erasing_a_name_leaves_somebody_not_the_git_author(village: Village, model: Repo):
    from glasshub import erasure

    push(village, model, "bob", {OWN: EUROPE})
    accounts.set_admin(village.hub, "ada", True)
    erasure.erase_author(village.hub, village.actor("ada"), "bob", texts=True, reason="He asked.")
    (row,) = village.results(model)
    assert (row.submitter, row.git_author) == ("", "")
    assert [act.who for act in told(village, model)] == [""]
    assert "by somebody" in create_app(village.hub).test_client().get("/lab/m").text
    village.assert_equal_to_rebuilt()


def test_a_squashed_history_names_the_same_people_and_so_does_who_goes_on_from_before(village: Village, model: Repo):
    repos.configure(village.hub, village.actor("ada"), model, allow_force_push=True)
    push(village, model, "ada", {OWN: EUROPE})
    former = push(village, model, "bob", {OWN: EUROPE + ASIA})
    village.decide(model, "ada", squash.squash, name="main", message="One")
    assert (by(village, model), len(committed(village, model))) == ({0.4: "ada", 0.6: "bob"}, 2)
    push(village, model, "ada", {NEW: result("lab/cap", "africa", 0.1)}, parent=former)
    assert by(village, model) == {0.4: "ada", 0.6: "bob", 0.1: "ada"}
    acts = ["ada committed +0.4", "bob committed +0.6", "ada squashed", "ada committed +0.1"]
    assert lines(told(village, model)) == acts
    village.assert_equal_to_rebuilt()


def test_a_mirror_names_the_same_people(village: Village, model: Repo, tmp_path: Path):
    repos.configure(village.hub, village.actor("ada"), model, allow_force_push=True)
    first = push(village, model, "ada", {OWN: EUROPE})
    push(village, model, "bob", {OWN: ASIA}, parent=None)
    push(village, model, "ada", {NEW: result("lab/cap", "africa", 0.1)})
    push(village, model, "bob", {OWN: ASIA}, parent=first)  # rewritten again: objects of main are left out
    village.hub.registry.close()
    data, target = village.hub.settings.data, tmp_path / "restored"
    target.mkdir()
    shutil.copy(data / "registry.sqlite", target)
    for path in data.glob("repos/??/*.git"):
        copy = target / "repos" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "-q", "--mirror", f"file://{path}", str(copy)], check=True, capture_output=True)
    restored = Village(open_hub(type(village.hub.settings)(data=target)))
    indexing.heal(restored.hub)
    assert by(restored, model) == by(village, model) == {0.6: "bob"}
    assert [act.who for act in told(restored, model)][-1] == "bob"
    assert restored.results(model) == village.results(model)
    restored.hub.close()


def test_a_draft_whose_head_comes_to_main_is_merged_and_a_closed_one_stays_closed(village: Village, model: Repo):
    push(village, model, "ada", {OWN: EUROPE})
    draft = village.propose(model, "eve", {NEW: ASIA}, options=("draft",))
    with read.open_repo(village.hub.git_dir(model)) as git:
        head = read.list_refs(git)[f"refs/pr/{draft}"]
    push(village, model, "bob", {"README.md": "# m"}, parent=head)
    assert village.discussions(model)[draft].status == "merged"
    assert by(village, model) == {0.4: "ada", 0.6: "eve"}
    closed = village.propose(model, "eve", {".eval_results/c.yaml": result("lab/cap", "africa", 0.1)})
    village.decide(model, "bob", discussions.set_status, number=closed, status="closed")
    with read.open_repo(village.hub.git_dir(model)) as git:
        head = read.list_refs(git)[f"refs/pr/{closed}"]
    push(village, model, "bob", {"README.md": "# n"}, parent=head)
    assert village.discussions(model)[closed].status == "closed"
    assert by(village, model) == {0.4: "ada", 0.6: "eve", 0.1: "bob"}
    village.assert_equal_to_rebuilt()


def test_events_that_say_odd_things_name_nobody(village: Village, model: Repo):
    from glasshub.events import REPO, new_event

    push(village, model, "ada", {OWN: EUROPE})
    odd = [{"added": 7, "removed": "x"}, {"added": [["x"], 1], "steps": {"a": 1}, "old": 3, "apart": 1, "new": "zz"}]
    events = tuple(new_event(EventType.COMMITTED, REPO, "mo", **said) for said in odd)
    receive.decide(village.hub, model, village.actor(), lambda _: Move(events=events))
    assert by(village, model) == {0.4: "ada"}
    assert lines(told(village, model)) == ["ada committed +0.4"]
    assert history.read_history(village.hub, model).cursor is None
    assert json.dumps(committed(village, model))
