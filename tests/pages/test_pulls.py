"""Pull requests on their pages: scores before and after, commits, files, conflicts, merging, and who may do what."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from glasshub import discussions, pulls, repos, results
from glasshub.accounts import actor_for
from glasshub.desk import Desk, Move
from glasshub.git import read
from glasshub.git.build import Signature
from glasshub.git.merge import merge_commit, tree_of
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefUpdate
from glasshub.receive import apply_ref_updates
from tests.pages.forum import MODEL, NEW, OUTSIDE, OWN, PEOPLE, PYTHON, Forum, answers, build_forum
from tests.pages.markup import faults
from tests.pages.site import result
from tests.pages.test_discussions import buttons, words

HERE = f"/{MODEL}/discussions"


@pytest.fixture
def forum(tmp_path) -> Iterator[Forum]:
    built = build_forum(tmp_path)
    yield built
    built.hub.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forum]:
    """A hub whose main stays as it is."""
    built = build_forum(tmp_path_factory.mktemp("quiet"))
    yield built
    built.hub.close()


@pytest.fixture(scope="module", params=["public", "private"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forum]:
    """A hub for the table of permissions, whose model is public or private."""
    built = build_forum(tmp_path_factory.mktemp("place"), private=request.param == "private")
    yield built
    built.hub.close()


def scores(html: str) -> list[list[str]]:
    """The table of changed scores: the words of its cells."""
    table = re.search(r'<table class="table" id="scores">.*?</table>', html, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table[0] if table else "", re.DOTALL)[1:]
    return [
        [re.sub(r"\s+", " ", re.sub(r"<[^>]+>|&#8239;", " ", cell)).strip() for cell in re.split(r"</t[hd]>", row)[:-1]]
        for row in rows
    ]


def page(forum: Forum, number: int, user: str | None = None, tail: str = "") -> str:
    html = forum.get(f"{HERE}/{number}{tail}", user)
    assert faults(html) == []
    return html


# Scores -------------------------------------------------------------------------------------------------------------


def test_scores_are_told_before_and_after_with_the_rank_they_would_take(quiet: Forum):
    source = '  source: {url: "https://example.org/r", name: Report}\n'
    number = quiet.propose("sam", {OWN: result(53), NEW: result(2.5, task="asia", more=source)})
    changed, added = scores(page(quiet, number))
    assert changed[0].startswith("Capitals")
    assert changed[1].startswith("47.25 %")
    assert changed[2].startswith("53.00 %")
    assert changed[3] == "+5.75 better"
    assert changed[4] == "1 of 3"
    assert changed[5].startswith("Changed")
    assert "asia" in added[0]
    assert (added[1], added[3], added[4]) == ("–", "–", "1 of 2")
    assert "New" in added[5]
    assert "Report" in added[5]
    assert "Counts now as the community's" in words(page(quiet, number))


def test_what_would_not_count_and_broken_entries_are_told_with_their_place(quiet: Forum):
    text = result(1, task="africa") + result(140) + result('"high"') + result(1, dataset="lab/none")
    number = quiet.propose("sam", {".eval_results/bad.yaml": text})
    html = page(quiet, number)
    africa, high, none = scores(html)
    assert "no task africa" in africa[5]
    assert "outside the range" in high[5]
    assert "no dataset" in none[5]
    assert (africa[4], high[4], none[4]) == ("–", "–", "–")
    assert re.search(
        r'href="/lab/small/blob/[0-9a-f]{40}/\.eval_results/bad\.yaml#L6">\.eval_results/bad\.yaml:6:', html
    )


@pytest.mark.slow
def test_another_report_says_whether_it_would_stand_for_the_model(quiet: Forum):
    noted = quiet.propose("sam", {NEW: result(60, more="  notes: five shots\n")})
    (row,) = scores(page(quiet, noted))
    assert row[4] == "–"
    assert "Another report stands for the model" in row[5]
    newer = quiet.propose("sam", {NEW: result(60, more='  date: "2031-01-01"\n')})
    (row,) = scores(page(quiet, newer))
    assert row[4] == "1 of 3"


@pytest.mark.slow
def test_the_table_stays_right_as_drafts_close_reopen_and_merge(forum: Forum):
    number = forum.propose("sam", {OWN: result(53)})
    before = scores(page(forum, number))
    forum.decide("sam", discussions.set_status, number=number, status="draft")
    assert "Does not count while this is a draft" in words(page(forum, number))
    assert scores(page(forum, number)) == before
    forum.decide("sam", discussions.set_status, number=number, status="closed")
    assert "while this is closed" in words(page(forum, number))
    assert scores(page(forum, number)) == before
    forum.decide("sam", discussions.set_status, number=number, status="open")
    forum.decide("wil", pulls.merge, number=number, how="merge")
    forum.push("model", MODEL, {OWN: result(10)})
    html = page(forum, number)
    assert "What it changed in the scores" in html
    (row,) = scores(html)
    assert [cell.split(" %")[0] for cell in row[1:3]] == ["47.25", "53.00"]
    forum.decide("wil", pulls.delete_head, number=number)
    assert len(scores(page(forum, number))) == 1


@pytest.mark.slow
def test_falling_behind_main_never_tells_of_mains_own_changes(forum: Forum):
    number = forum.propose("sam", {NEW: result(2.5, task="asia")})
    forum.push("model", MODEL, {OWN: result(48), ".eval_results/more.yaml": result(9, task="asia")})
    (row,) = scores(page(forum, number))
    assert "asia" in row[0]
    assert row[1].startswith("9")
    both = forum.propose("sam", {OWN: result(50)})
    forum.push("model", MODEL, {OWN: result(49)})
    (row,) = scores(page(forum, both))
    assert row[1].startswith("49")
    assert "main has changed it too" in row[5]


@pytest.mark.slow
def test_a_writer_hides_a_proposed_result_from_the_table_and_shows_it_again(quiet: Forum):
    number = quiet.propose("sam", {NEW: result(2.75, task="asia")})
    assert "Hide this result" not in page(quiet, number, "sam")
    html = page(quiet, number, "wil")
    action = re.search(r'action="(/lab/small/results/([0-9a-f]{16})/hide)"', html)
    assert action is not None
    status, html = quiet.post(action[1], "wil", reason="Wrong prompt", next=f"{HERE}/{number}")
    assert status == 303
    (row,) = scores(page(quiet, number))
    assert (row[4], "hidden" in row[5]) == ("–", True)
    assert f"/results/{action[2]}/show" in page(quiet, number, "wil")
    assert quiet.post(action[1].replace("hide", "show"), "sam")[0] == 403


@pytest.mark.slow
def test_private_benchmarks_and_rivals_are_not_betrayed(quiet: Forum):
    quiet.push("dataset", "lab/hush", {"eval.yaml": "name: Hush\nevaluation_framework: custom\ntasks: [{id: x}]\n"}, private=True)  # fmt: skip # noqa: E501
    quiet.push("model", "lab/secret", {OWN: result(99)}, private=True)
    number = quiet.propose("wil", {NEW: result(1, dataset="lab/hush", task="x"), OWN: result(53)})
    stranger = scores(page(quiet, number, "mo"))
    assert [row[4] for row in stranger] == ["–", "1 of 3"] or [row[4] for row in stranger] == ["1 of 3", "–"]
    assert not any("Hush" in " ".join(row) for row in stranger)
    writer = scores(page(quiet, number, "wil"))
    assert sorted(row[4] for row in writer) == ["1 of 1", "2 of 4"]


# Commits and files --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_commits_and_files_are_those_against_the_merge_base(quiet: Forum):
    number = quiet.propose("sam", {"code.py": PYTHON.replace("42", "41"), "docs/a.md": "# A\n"}, title="One")
    quiet.update("sam", number, {"docs/a.md": None, "docs/b.md": "# A\n", "bin": b"\0\1"})
    quiet.push("model", MODEL, {"mains.txt": "from main\n"})
    html = page(quiet, number, tail="/commits")
    assert re.findall(r'commit-title" href="[^"]+">([^<]+)<', html) == ["One", "Change"]
    for tail in ("/files", "/files?view=split", "/files?file=1", "/files?file=77"):
        html = page(quiet, number, tail=tail)
        assert "mains.txt" not in html
    html = page(quiet, number, tail="/files")
    assert 'return <mark><span class="mi">42</span></mark>' in html.replace('<span class="k">return</span> ', "return ")
    assert "A binary file" in html
    split = page(quiet, number, tail="/files?view=split")
    row = re.search(r"<tr>(?:(?!</tr>).)*42(?:(?!</tr>).)*41.*?</tr>", split, re.DOTALL)
    assert row is not None
    quiet.decide("wil", pulls.merge, number=number, how="squash")
    assert "41" in page(quiet, number, tail="/files")
    assert len(re.findall("commit-title", page(quiet, number, tail="/commits"))) == 2


@pytest.mark.slow
def test_hostile_files_do_no_harm(quiet: Forum):
    files: dict[str, str | bytes | None] = {
        "<script>alert(1)</script>.html": "<script>alert(1)</script>\n",
        "trojan.py": "if admin: \u202e# \u2066 not really\n",
        "latin\x1b[31m": b"caf\xe9 \x1b[31m\n",
        "ends.txt": "a\r\nb\rc",
        "long.json": '{"a": "' + "x" * 100_000 + '"}\n',
        "many.txt": "".join(f"{n}\n" for n in range(9_000)),
        "more.txt": "".join(f"{n}\n" for n in range(9_000)),
    }
    number = quiet.propose("sam", files, title="<script>alert(1)</script>")
    _name_badly(quiet, number)
    for tail in ("", "/commits", "/files", "/files?view=split", "/files?file=3"):
        html = page(quiet, number, "ada", tail)
        assert "<script>alert" not in html
        assert "\u202e" not in html
        assert "\x1b" not in html
        assert len(html) < 4_000_000
    html = page(quiet, number, tail="/files")
    assert "U+202E" in html
    assert "Show this file alone" in html
    alone = re.search(r'href="([^"]+)">Show this file alone', html)
    assert alone is not None
    assert "8999" in quiet.get(alone[1].replace("&amp;", "&"))


def _name_badly(forum: Forum, number: int) -> None:
    """Push a file whose name is no text, as git lets people do."""
    ref = f"refs/pr/{number}"
    with read.open_repo(forum.hub.git_dir(forum.model)) as git, Quarantine(git) as incoming:
        old = read.list_refs(git)[ref]
        tree = git[tree_of(git.object_store, old)]
        tree.add(b"bad\xff.txt", 0o100644, next(entry.sha for entry in tree.items() if entry.path == b"ends.txt"))
        incoming.add(tree)
        who = Signature("sam", "sam@users.noreply.localhost", 1_790_000_000)
        new = merge_commit(incoming, [old], tree.id.decode(), message="Odd name", author=who, committer=who)
        update, actor = RefUpdate(old, new, ref), actor_for(forum.hub, "sam")
        (done,) = apply_ref_updates(forum.hub, forum.model, [update], actor, incoming=incoming)
    assert done.ok, done.error


def test_a_large_difference_is_folded(quiet: Forum):
    number = quiet.propose("sam", {"big.txt": "".join(f"{n}\n" for n in range(400))})
    assert "<summary>Show 400 lines</summary>" in page(quiet, number, tail="/files")


# Merging ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_conflicts_are_listed_by_file_and_main_stays(forum: Forum):
    number = forum.propose("sam", {OWN: result(60), "code.py": PYTHON.replace("42", "1"), "fine.txt": "x\n"})
    main = forum.push("model", MODEL, {OWN: result(61), "code.py": PYTHON.replace("42", "2")})
    html = page(forum, number, "wil")
    box = html.split('class="merge-box"', 1)[1].split("</section>")[0]
    assert "It conflicts with main" in box
    assert re.findall(r"<li><code>([^<]+)</code>", box) == [OWN, "code.py"]
    assert f"git push origin HEAD:refs/pr/{number}" in box
    assert "Merge into main" not in buttons(html)
    status, html = forum.post(f"{HERE}/{number}/merge", "wil", how="merge")
    assert status == 409
    assert "code.py" in html
    assert main in forum.get(f"/{MODEL}/commits/main")
    assert forum.discussion(number).status == "open"


@pytest.mark.slow
@pytest.mark.parametrize("how", pulls.HOWS)
def test_a_writer_merges_what_they_looked_at(quiet: Forum, how: str):
    number = quiet.propose("sam", {"a.txt": "a\n"}, title="Bring a")
    html = page(quiet, number, "wil")
    head = re.search(r'name="head" value="([0-9a-f]{40})"', html)
    assert head is not None
    quiet.update("sam", number, {"a.txt": "evil\n"})
    status, html = quiet.post(f"{HERE}/{number}/merge", "wil", how=how, head=head[1], comment="My long words")
    assert status == 412
    assert "pushed to this pull request meanwhile" in html
    assert "My long words" in html
    head = re.search(r'name="head" value="([0-9a-f]{40})"', page(quiet, number, "wil"))
    assert head is not None
    status, html = quiet.post(f"{HERE}/{number}/merge", "wil", how=how, head=head[1], comment="Welcome")
    assert status == 303
    assert "Welcome" in html
    assert "wil merged this into main" in words(html)
    assert "evil" in quiet.get(f"/{MODEL}/blob/main/a.txt")
    assert "Merging" not in html


@pytest.mark.slow
def test_fast_forward_is_offered_only_where_it_is_possible(quiet: Forum):
    number = quiet.propose("sam", {"a.txt": "a\n"})
    assert 'value="fast-forward"' in page(quiet, number, "wil")
    quiet.push("model", MODEL, {"b.txt": "b\n"})
    assert 'value="fast-forward"' not in page(quiet, number, "wil")
    assert quiet.post(f"{HERE}/{number}/merge", "wil", how="fast-forward")[0] == 409
    assert quiet.post(f"{HERE}/{number}/merge", "wil", how="sideways")[0] == 400


@pytest.mark.slow
def test_a_pull_request_is_announced_without_commits_and_filled_by_pushes(quiet: Forum):
    html = quiet.get(f"{HERE}/new?pull=1", "mo")
    assert faults(html) == []
    assert "refs/for/main" in html
    assert f"/{MODEL}/submit-score" in html
    status, html = quiet.post(f"{HERE}/new", "mo", pull="1", draft="1", title="Will write a guide", body="")
    assert status == 303
    found = quiet.discussions()[0]
    assert (found.status, found.is_pull) == ("draft", True)
    assert "no commits yet" in words(html)
    quiet.update("mo", found.number, {"guide.md": "# Guide\n"})
    status, html = quiet.post(f"{HERE}/{found.number}/status", "mo", status="open")
    assert "mo marked this as ready" in words(html)
    assert "guide.md" in page(quiet, found.number, tail="/files")
    status, html = quiet.post(f"{HERE}/new", "mo", pull="1", title="", body="kept words")
    assert (status, "kept words" in html) == (400, True)


@pytest.mark.slow
def test_switched_off_pull_requests_are_not_offered_or_taken(quiet: Forum):
    number = quiet.propose("sam", {"a.txt": "a\n"})
    settings = f"/{MODEL}/settings"
    assert "checked" in re.search(r"<input[^>]*pulls_enabled[^>]*>", quiet.get(settings, "ada"))[0]
    assert quiet.post(settings, "ada")[0] == 303
    assert not quiet.model.pulls_enabled
    assert "New pull request" not in quiet.get(HERE, "mo")
    says = "Pull requests are switched off in this repo. Start a discussion and say what you would change, or ask the"
    for path in (HERE, f"{HERE}/new?pull=1", f"/{MODEL}/import"):
        assert says in words(quiet.get(path, "mo")), path
        assert f'href="{HERE}/new"' in quiet.get(path, "mo"), path
        assert f'href="{settings}">Switch them on' in quiet.get(path, "ada"), path
    status, html = quiet.post(f"{HERE}/new", "mo", pull="1", title="Please")
    assert (status, says in words(html)) == (403, True)
    blob = quiet.get(f"/{MODEL}/blob/main/README.md", "mo")
    assert "/edit/main/" not in blob
    refused = quiet.client("mo").get(f"/{MODEL}/edit/main/README.md")
    assert (refused.status_code, "Start a discussion there" in refused.text) == (403, True)
    assert quiet.post(f"{HERE}/new", "mo", title="Only a question")[0] == 303
    page(quiet, number)
    assert quiet.post(settings, "ada", pulls_enabled="1")[0] == 303
    assert quiet.model.pulls_enabled


@pytest.mark.slow
def test_an_empty_repo_takes_no_pull_requests(quiet: Forum):
    repos.create(quiet.hub, actor_for(quiet.hub, "ada"), "model", "ada", "bare")
    assert "New pull request" not in quiet.get("/ada/bare/discussions", "mo")
    assert "no main branch yet" in quiet.get("/ada/bare/discussions/new?pull=1", "mo")
    assert quiet.post("/ada/bare/discussions/new", "mo", pull="1", title="x")[0] == 400


# Who may what -------------------------------------------------------------------------------------------------------

SEEN = {
    None: set(),
    "mo": {"Comment"},
    "rea": {"Comment"},
    "sam": {"Comment", "Close", "Make it a draft", "Change the title", "Edit", "Hide"},
    "wil": {
        "Comment", "Close", "Make it a draft", "Change the title", "Hide", "Lock", "Pin to the top of the list",
        "Merge into main",
    },
}  # fmt: skip
SEEN["ada"] = SEEN["wil"]
OFFERED = set().union(*SEEN.values()) | {"Reopen", "Mark as ready", "Delete the ref"}


@pytest.mark.slow
@pytest.mark.parametrize("user", PEOPLE)
def test_each_is_offered_what_they_may_do(place: Forum, user: str | None):
    number = place.propose("sam", {"offered.txt": f"{user}\n"})
    if place.model.private and user in OUTSIDE:
        for tail in ("", "/files", "/commits"):
            assert "Propose" not in place.get(f"{HERE}/{number}{tail}", user, 404)
        return
    may_not = (None, "mo", "rea")
    assert buttons(page(place, number, user)) & OFFERED == SEEN[user]
    place.decide("sam", discussions.set_status, number=number, status="closed")
    closed = buttons(page(place, number, user)) & {"Reopen", "Delete the ref", "Merge into main", "Close"}
    assert closed == (set() if user in may_not else {"Reopen", "Delete the ref"})
    place.decide("sam", discussions.set_status, number=number, status="draft")
    draft = buttons(page(place, number, user)) & {"Mark as ready", "Merge into main"}
    assert draft == (set() if user in may_not else {"Mark as ready"})


DONE = {
    "merge": ({"how": "merge"}, "open", (401, 403, 403, 403, 303, 303)),
    "status": ({"status": "draft"}, "open", (401, 403, 403, 303, 303, 303)),
    "delete-head": ({}, "closed", (401, 403, 403, 303, 303, 303)),
}


@pytest.mark.slow
@pytest.mark.parametrize("path", DONE)
def test_each_can_do_what_the_table_says_and_no_more(place: Forum, path: str):
    form, status, expected = DONE[path]
    got = []
    for user in PEOPLE:
        number = place.propose("sam", {f"{user}.txt": "a\n"})
        if status == "closed":
            place.decide("sam", discussions.set_status, number=number, status="closed")
        got.append(place.post(f"{HERE}/{number}/{path}", user, **form)[0])
    assert tuple(got) == answers(place, *expected)


@pytest.mark.slow
def test_hidden_results_of_closed_pull_requests_are_marked_too(quiet: Forum):
    number = quiet.propose("sam", {NEW: result(2.25, task="asia")})
    wanted = re.search(r"/results/([0-9a-f]{16})/hide", page(quiet, number, "wil"))
    assert wanted is not None
    quiet.decide("wil", results.hide_result, result_id=wanted[1])
    quiet.decide("sam", discussions.set_status, number=number, status="closed")
    (row,) = scores(page(quiet, number))
    assert "hidden" in row[5]


@pytest.mark.slow
def test_events_that_say_odd_things_do_not_break_the_page(quiet: Forum):
    """A record restored from elsewhere may hold anything."""
    from glasshub.events import EventType, new_event

    def odd(desk: Desk) -> Move:
        number = desk.next_number()
        said = {"title": "Odd", "head": "not a commit", "commits": ["x", {"oid": 7}], "results": {"a": 1}}
        opened = new_event(EventType.OPENED, number, "sam", pull=True, **said)
        return Move(events=(opened, new_event(EventType.MERGED, number, "wil", how=["x"], commit="../..", onto="zz")))

    number = quiet.decide("wil", odd).number
    for tail in ("", "/commits", "/files"):
        page(quiet, number, "ada", tail)
