"""The evaluation history: every act, by whom, when and why, from git alone."""

from __future__ import annotations

import random
import shutil
import subprocess
import time

import pytest

from glasshub import accounts, discussions, erasure, history, pulls, receive, results
from glasshub.acts import Act
from glasshub.app import create_app
from glasshub.desk import Move
from glasshub.errors import Invalid
from glasshub.events import REPO, EventType, new_event
from glasshub.git import read
from glasshub.git.build import Signature
from glasshub.git.first_parents import FolderWalk
from glasshub.git.merge import merge_commit, merge_trees
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefUpdate
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.index.queries import cursor as cursors
from tests.index.town import MAIN, eval_yaml, result
from tests.pulls.test_fifty import Story, build_models
from tests.pulls.village import Village

pytestmark = pytest.mark.slow
OWN = ".eval_results/own.yaml"
NEW = ".eval_results/new.yaml"


@pytest.fixture
def model(village: Village) -> Repo:
    village.dataset("lab/cap", eval_yaml("europe", "asia"))
    return village.model("ada/m", result("lab/cap", "europe", 0.4))


def told(village: Village, model: Repo, limit: int = 200) -> list[Act]:
    """The whole history, oldest first, read in pages of ``limit``."""
    found, cursor = [], None
    while True:
        page = history.read_history(village.hub, model, cursor=cursor, limit=limit)
        found += page.acts
        cursor = page.cursor
        if cursor is None:
            return found[::-1]


def lines(acts: list[Act]) -> list[str]:
    """Each act as words: who did what, to which values, in which pull request, why."""
    return [_line(act) for act in acts]


def _line(act: Act) -> str:
    words = [act.who, act.action]
    if act.pull:
        words.append(f"#{act.pull}")
    for change in act.changes:
        before = f"{change.before.value}>" if change.before else ""
        sign = {"added": "+", "removed": "-", "changed": "", "": "="}[change.kind]
        words.append(f"{sign}{before}{change.claim.value}")
    return " ".join([*words, act.reason]).strip()


def test_commits_on_main_tell_what_was_added_changed_and_removed(village: Village, model: Repo):
    village.push(model, {"README.md": "no result"})
    village.push(model, {OWN: result("lab/cap", "europe", 0.5) + result("lab/cap", "asia", 0.1)})
    moved = result("lab/cap", "europe", 0.5)
    village.push(model, {OWN: result("lab/cap", "asia", 0.1), ".eval_results/b.yaml": moved})
    village.push(model, {OWN: None, ".eval_results/b.yaml": moved + "# a comment\n"})
    village.push(model, {".eval_results/b.yaml": "broken: ["})
    assert lines(told(village, model)) == [
        "ada committed +0.4",
        "ada committed 0.4>0.5 +0.1",
        "ada committed -0.1",
        "ada committed -0.5",
    ]


def test_a_pull_request_is_told_from_opening_to_merge_once(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)}, options=("draft",))
    village.decide(model, "eve", discussions.set_status, number=number, status="open")
    assert village.update(model, "eve", number, {NEW: result("lab/cap", "asia", 0.6)}).ok
    village.decide(model, "ada", discussions.set_status, number=number, status="closed", comment="Another\nprompt.")
    village.decide(model, "ada", discussions.set_status, number=number, status="open")
    village.decide(model, "ada", pulls.merge, number=number)
    village.decide(model, "ada", pulls.delete_head, number=number)
    assert lines(told(village, model)) == [
        "ada committed +0.4",
        "eve drafted #1 +0.7",
        "eve readied #1 =0.7",
        "eve pushed #1 0.7>0.6",
        "ada closed #1 =0.6 Another prompt.",
        "ada reopened #1 =0.6",
        "ada merged #1 +0.6",
        "ada head-deleted #1 =0.6",
    ]


@pytest.mark.parametrize("how", pulls.HOWS)
def test_every_kind_of_merge_is_one_act(village: Village, model: Repo, how: str):
    number = village.propose(model, "eve", {OWN: result("lab/cap", "europe", 0.9)})
    assert village.update(model, "eve", number, {NEW: result("lab/cap", "asia", 0.7)}).ok
    village.decide(model, "ada", pulls.merge, number=number, how=how)
    merged = told(village, model)[-1]
    assert _line(merged) == "ada merged #1 +0.7 0.4>0.9"
    assert (merged.proposed, merged.title) == ("eve", "Change")
    assert merged.commit == village.hub.index.read().execute("SELECT head FROM repos WHERE name = 'm'").fetchone()[0]
    assert [act.action for act in told(village, model)] == ["committed", "opened", "pushed", "merged"]


def head_of(village: Village, model: Repo, number: int) -> str:
    with read.open_repo(village.hub.git_dir(model)) as git:
        return read.list_refs(git)[f"refs/pr/{number}"]


def test_a_merge_by_push_is_told_once(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    assert village.update(model, "eve", number, {NEW: result("lab/cap", "asia", 0.6)}).ok
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        update = RefUpdate(read.list_refs(git)[MAIN], head_of(village, model, number), MAIN)
        assert village.send(model, "ada", update, incoming)[0].ok
    acts = told(village, model)
    assert lines(acts) == ["ada committed +0.4", "eve opened #1 +0.7", "eve pushed #1 0.7>0.6", "ada merged #1 +0.6"]
    assert (acts[-1].how, acts[-1].commit, acts[-1].proposed) == ("push", update.new, "eve")
    client = create_app(village.hub).test_client()
    assert client.get("/api/models/ada/m/eval-results/history").json[0]["how"] == "push"
    page = client.get("/ada/m/evaluations/history").text
    assert page.count("by pushing its commits to <code>main</code>") == 1
    assert "changed results on main" in page  # the first commit; nothing of the pull request
    assert told(village, model, limit=1) == acts


def test_a_push_that_brings_no_result_is_told_as_that(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    assert village.update(model, "eve", number, {"notes.md": "words"}).ok
    page = create_app(village.hub).test_client().get("/ada/m/evaluations/history").text
    assert "added commits, but no result, to" in page
    assert "changed what is proposed in" not in page


def test_what_is_pushed_together_with_a_pull_request_is_told_beside_its_merge(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    village.push(model, {OWN: result("lab/cap", "europe", 0.5)}, parent=head_of(village, model, number))
    acts = told(village, model)
    assert sorted(lines(acts)) == sorted([
        "ada committed +0.4", "eve opened #1 +0.7", "ada committed 0.4>0.5", "ada merged #1 +0.7",
    ])  # fmt: skip
    assert told(village, model, limit=1) == acts


@pytest.mark.parametrize("first", ["main", "head"])
def test_a_merge_commit_made_elsewhere_is_told_once(village: Village, model: Repo, first: str):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    village.push(model, {"README.md": "# m"})
    village.push(model, {OWN: result("lab/cap", "europe", 0.5)})
    head = head_of(village, model, number)
    with read.open_repo(village.hub.git_dir(model)) as git, Quarantine(git) as incoming:
        old = read.list_refs(git)[MAIN]
        author = Signature("mo", "x@example.org", village.clock)
        tree = merge_trees(incoming, old, head).tree
        parents = [old, head] if first == "main" else [head, old]
        new = merge_commit(incoming, parents, tree, message="By hand\n", author=author, committer=author)
        assert village.send(model, "ada", RefUpdate(old, new, MAIN), incoming)[0].ok
    acts = told(village, model)
    assert lines(acts) == ["ada committed +0.4", "eve opened #1 +0.7", "ada committed 0.4>0.5", "ada merged #1 +0.7"]
    assert acts[-1].commit == new
    assert told(village, model, limit=1) == acts


def test_what_a_push_takes_back_of_a_pull_request_is_told(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7), OWN: None})
    back = result("lab/cap", "europe", 0.4) + result("lab/cap", "asia", 0.1)
    village.push(model, {NEW: None, OWN: back}, parent=head_of(village, model, number))
    assert sorted(lines(told(village, model))) == sorted([
        "ada committed +0.4", "eve opened #1 +0.7 -0.4", "ada merged #1 +0.7 -0.4",
        "ada committed +0.4 +0.1 -0.7",
    ])  # fmt: skip


def test_hiding_and_showing_tell_reasons(village: Village, model: Repo):
    wanted = village.results(model)[0].id
    village.decide(model, "ada", results.hide_result, result_id=wanted, reason="Wrong\n split.")
    village.decide(model, "ada", results.show_result, result_id=wanted, reason="It was right.")
    acts = told(village, model)
    assert lines(acts)[1:] == ["ada hidden =0.4 Wrong split.", "ada shown =0.4 It was right."]
    assert {change.claim.id for act in acts for change in act.changes} == {wanted}
    assert all(len(act.record) == 40 for act in acts[1:])


def test_what_has_no_results_is_no_part_of_it(village: Village, model: Repo):
    number = village.propose(model, "eve", {"README.md": "words"})
    village.decide(model, "ada", discussions.set_status, number=number, status="closed")
    village.decide(model, "eve", discussions.open_discussion, title="Why?", body="?")
    assert lines(told(village, model)) == ["ada committed +0.4"]


def test_a_hidden_comment_is_no_reason(village: Village, model: Repo):
    number = village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    village.decide(model, "ada", discussions.set_status, number=number, status="closed", comment="Rude words.")
    found = village.discussions(model)[number]
    comment = list(found.comments)[-1]
    village.decide(model, "ada", discussions.hide_comment, number=number, comment_id=comment)
    assert told(village, model)[-1].reason == ""


def test_pages_join_to_the_same_story_while_new_things_happen(village: Village, model: Repo):
    for value in range(5):
        number = village.propose(model, "eve", {f".eval_results/{value}.yaml": result("lab/cap", "asia", value)})
        village.decide(model, "ada", pulls.merge, number=number, how="squash")
        village.push(model, {OWN: result("lab/cap", "europe", value)})
    whole = told(village, model)
    assert len(whole) == 16
    assert told(village, model, limit=1) == told(village, model, limit=3) == whole
    first = history.read_history(village.hub, model, limit=4)
    village.push(model, {OWN: result("lab/cap", "europe", 77)})
    village.propose(model, "eve", {NEW: result("lab/cap", "asia", 0.7)})
    second = history.read_history(village.hub, model, cursor=first.cursor, limit=200)
    assert [*first.acts, *second.acts] == whole[::-1]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", cursors.encode("history", "main", 0, ""), cursors.encode("history", "", 9, ""),
     cursors.encode("history", "", -1, ""), cursors.encode("benchmarks", 1, "x")],
)  # fmt: skip
def test_cursors_of_others_are_refused(village: Village, model: Repo, cursor: str):
    with pytest.raises(Invalid):
        history.read_history(village.hub, model, cursor=cursor)


def test_a_cursor_that_leads_nowhere_ends_the_story(village: Village, model: Repo):
    page = history.read_history(village.hub, model, cursor=cursors.encode("history", "f" * 40, 0, ""))
    assert (list(page.acts), page.cursor) == ([], None)


def test_a_file_named_like_the_folder_hides_no_change(village: Village, model: Repo):
    village.push(model, {"x40000 .eval_results": "a file"})
    village.push(model, {OWN: result("lab/cap", "europe", 0.5)})
    assert lines(told(village, model)) == ["ada committed +0.4", "ada committed 0.4>0.5"]


def test_a_walk_without_steps_left_goes_on_where_it_stopped(village: Village, model: Repo):
    for number in range(5):
        village.push(model, {"README.md": str(number)})
    with read.open_repo(village.hub.git_dir(model)) as git:
        first = FolderWalk(git.object_store, ".eval_results", read.list_refs(git)[MAIN], steps=3)
        assert first.next() is None
        assert len(first.position) == 40
        second = FolderWalk(git.object_store, ".eval_results", first.position, steps=3)
        assert second.next() is not None
        assert (second.position, second.next()) == ("", None)


def test_what_was_erased_is_no_part_of_the_story(village: Village, model: Repo):
    accounts.set_admin(village.hub, "ada", True)
    wanted = village.results(model)[0].id
    hidden = village.decide(model, "ada", results.hide_result, result_id=wanted, reason="Ask Jo at 17 Elm Street.")
    erasure.erase_events(village.hub, village.actor(), model, [hidden.events[-1].id], reason="An address.")
    (act,) = [act for act in told(village, model) if act.action == "hidden"]
    assert act.reason == ""
    erasure.erase_author(village.hub, village.actor(), "ada", texts=True, reason="She asked.")
    assert [act.who for act in told(village, model) if act.record] == ["", ""]


def test_whatever_happens_the_story_tells_of_every_result(village: Village):
    board = village.dataset("lab/cap", eval_yaml("europe", "asia", "africa"))
    models = build_models(village, 2)
    story = Story(village, models, random.Random(3))
    for _ in range(120):
        story.step()
    for model in models:
        page = history.read_history(village.hub, model, limit=200)
        acts = told(village, model)
        assert told(village, model, limit=7) == acts
        brought = {change.claim.id for act in acts for change in act.changes if change.kind in ("added", "changed")}
        shown = {row.id for row in village.results(model)}
        hidden = {row.id for row in queries.hidden_results(village.hub.index.read(), model.key)}
        assert shown | hidden <= brought
        assert hidden <= page.hidden
        assert not shown & page.hidden
    assert village.standing(board, "europe")


def test_ten_thousand_commits_and_a_thousand_events_answer_at_once(village: Village, model: Repo):
    wanted = village.results(model)[0].id
    kinds = [EventType.RESULT_HIDDEN, EventType.RESULT_SHOWN] * 500
    many = tuple(new_event(kind, REPO, "ada", result=wanted, about={"value": "0.4"}) for kind in kinds)
    receive.decide(village.hub, model, village.actor(), lambda _: Move(events=many))
    grow(village, model, 10_000)
    started = time.perf_counter()
    page = history.read_history(village.hub, model, limit=30)
    cold = time.perf_counter() - started
    assert [act.action for act in page.acts] == ["shown", "hidden"] * 15
    started = time.perf_counter()
    history.read_history(village.hub, model, cursor=page.cursor, limit=30)
    warm = time.perf_counter() - started
    assert lines(told(village, model)[:1]) == ["ada committed +0.4"]
    print(f"cold {cold:.3f} s, next page {warm:.3f} s")
    assert cold < 1
    assert warm < 1


def grow(village: Village, model: Repo, count: int) -> None:
    """Add commits to ``main`` that change no result, below the index: nobody pushes ten thousand one by one."""
    folder = village.hub.git_dir(model)
    stream = [b"reset refs/heads/main\nfrom refs/heads/main^0\n"]
    for number in range(count):
        data = b"%d\n" % number
        stream.append(
            b"commit refs/heads/main\ncommitter Ada <a@example.org> %d +0000\ndata 0\n" % (1_700_001_000 + number)
            + b"M 100644 inline file%d.txt\ndata %d\n%s\n" % (number % 30, len(data), data)
        )
    git = shutil.which("git") or "git"
    subprocess.run([git, "fast-import", "--quiet"], cwd=folder, input=b"".join(stream), check=True)
    subprocess.run([git, "gc", "--quiet"], cwd=folder, check=True)
