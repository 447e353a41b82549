"""Submitting a score by form: as everybody, with mistakes, hostile input, two at once, and in a real browser."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from glasshub import accounts, discussions, repos
from glasshub.access import Visibility
from glasshub.git import read
from glasshub.identity import Role
from glasshub.index import queries
from tests.pages.browser import launch, served
from tests.pages.forum import MODEL, OUTSIDE, PEOPLE, Forum, answers, build_forum
from tests.pages.markup import faults
from tests.pages.site import BOARD, result

pytestmark = pytest.mark.slow
FORM = f"/{MODEL}/submit-score"
EUROPE = f"{FORM}?dataset=lab/capitals&task=europe"


@pytest.fixture
def forum(tmp_path: Path):
    built = build_forum(tmp_path)
    yield built
    built.hub.close()


def typed(**fields: object) -> dict[str, object]:
    return {"dataset": "lab/capitals", "task": "europe", "value": "50.5", "to": 0, **fields}


def file(forum: Forum, path: str, ref: str = "refs/heads/main") -> str:
    with read.open_repo(forum.hub.git_dir(forum.model)) as git:
        return read.read_file(git, read.list_refs(git)[ref], path).decode()


def files(forum: Forum, ref: str) -> list[str]:
    with read.open_repo(forum.hub.git_dir(forum.model)) as git:
        return [entry.path for entry in read.list_tree(git, read.list_refs(git)[ref], ".eval_results")]


@pytest.fixture(params=["public", "private"])
def place(request: pytest.FixtureRequest, tmp_path: Path):
    """A hub for the table of permissions, whose model is public or private."""
    built = build_forum(tmp_path, private=request.param == "private")
    yield built
    built.hub.close()


def test_who_may_submit_and_how(place: Forum):
    forum = place
    may = PEOPLE[2:] if forum.model.private else PEOPLE[1:]
    got = []
    for who in PEOPLE:
        status, page = forum.post(FORM, who, **typed(value=f"5{PEOPLE.index(who)}", to=0))
        got.append(status)
        if who in may:
            assert "It counts as the community&#39;s from now on." in page
    assert tuple(got) == answers(forum, 401, 303, 303, 303, 303, 303)
    assert [(found.author, found.status) for found in reversed(forum.discussions())] == [(who, "open") for who in may]
    got = [forum.post(FORM, who, **typed(value=f"6{PEOPLE.index(who)}", to=-1))[0] for who in PEOPLE]
    assert tuple(got) == answers(forum, 401, 400, 400, 400, 303, 303)
    if forum.model.private:
        assert [forum.client(who).get(FORM).status_code for who in OUTSIDE] == [404, 404]
        return
    assert forum.client().get(EUROPE).headers["Location"].startswith("/login?next=/lab/small/submit-score")


def test_a_score_opens_a_pull_request_and_counts_at_once(forum: Forum):
    form = typed(
        value="51.5", date="2026-01-31", source_url="https://example.org/log", source_name="Log", n="1000",
        model_revision="main", settings="temperature: 0", title="A better prompt", comment="I ran it *twice*.",
    )  # fmt: skip
    assert forum.post(FORM, "sam", **form)[0] == 303
    (pull,) = forum.discussions()
    assert (pull.title, pull.author, pull.is_pull) == ("A better prompt", "sam", True)
    assert next(iter(pull.comments.values())).body == "I ran it *twice*."
    text = file(forum, ".eval_results/capitals-sam.yaml", f"refs/pr/{pull.number}")
    main = forum.get(f"/{MODEL}/commits/main")
    assert 'model_revision: "' in text
    assert text.split('model_revision: "')[1][:40] in main
    commit = forum.get(f"/{MODEL}/commit/{pull.head}")
    assert "sam" in commit
    reports = forum.get(f"/datasets/lab/capitals/leaderboard?task=europe&model={MODEL}")
    assert "community" in reports
    assert 'by <a href="/sam">sam</a> in <a href="/lab/small/discussions/1">PR&nbsp;1</a>' in reports


def test_entries_are_added_to_ones_own_file_and_nobody_elses(forum: Forum):
    comment = "# my runs\n" + result(10, task="asia")
    forum.push("model", MODEL, {".eval_results/capitals-sam.yaml": comment, ".eval_results/capitals.yaml": "[]\n"})
    forum.post(FORM, "sam", **typed(value="51"))
    assert file(forum, ".eval_results/capitals-sam.yaml", "refs/pr/1").startswith(comment)
    forum.post(FORM, "sam", **typed(value="52", to=1))
    assert file(forum, ".eval_results/capitals-sam.yaml", "refs/pr/1").count("- dataset") == 3
    # A list in another style cannot be added to, so the next name is taken.
    forum.post(FORM, "wil", **typed(value="53", to=-1))
    assert file(forum, ".eval_results/capitals.yaml") == "[]\n"
    assert "value: 53" in file(forum, ".eval_results/capitals-2.yaml")
    assert "The score is on main" in forum.post(FORM, "wil", **typed(value="54", to=-1))[1]
    assert file(forum, ".eval_results/capitals-2.yaml").count("- dataset") == 2


def test_nobody_adds_to_somebody_elses_pull_request(forum: Forum):
    forum.post(FORM, "sam", **typed(value="51"))
    for to in (1, 7, -3, "x"):
        status, _ = forum.post(FORM, "mo", **typed(value="52", to=to))
        assert status == (303 if to == "x" else 400), to  # what is no number is taken for a new pull request
    assert len(files(forum, "refs/pr/1")) == 2


def test_the_same_result_is_refused_with_a_link_to_it(forum: Forum):
    forum.post(FORM, "sam", **typed(value="51"))
    for who, value, place in (("mo", "51", "/lab/small/discussions/1"), ("mo", "47.25", "/.eval_results/own.yaml#L1")):
        status, page = forum.post(FORM, who, **typed(value=value))
        assert status == 409
        assert "The same result stands already" in page
        assert "This very result stands here already" in page
        assert place in page
    assert len(forum.discussions()) == 1
    assert forum.post(FORM, "mo", **typed(value="51", notes="another prompt"))[0] == 303


def test_a_hidden_result_is_not_brought_back(forum: Forum):
    forum.post(FORM, "sam", **typed(value="51"))
    rows = queries.results_of_model(forum.hub.index.read(), Visibility(), forum.model.key)
    id = next(row.id for row in rows if row.pull)
    assert forum.post(f"/{MODEL}/results/{id}/hide", "wil", reason="Wrong split.")[0] == 303
    status, page = forum.post(FORM, "mo", **typed(value="51"))
    assert status == 409
    assert "hidden by the author" in page
    forum.decide("wil", discussions.set_status, number=1, status="closed")
    status, page = forum.post(FORM, "mo", **typed(value="51"))
    assert status == 409
    assert "The authors have hidden this very result." in page


def test_mistakes_are_shown_beside_the_fields_and_nothing_is_lost(forum: Forum):
    status, page = forum.post(FORM, "sam", **typed(value="140", n="few", date="2999-01-01", notes="as <b>typed</b>"))
    assert status == 400
    for field, words in (("value", "140 lies outside the range 0 to 100"), ("n", "whole number"), ("date", "future")):
        line = page.split(f'id="{field}-error">')[1].split("<")[0]
        assert words in line
        assert f'{field}-error" aria-invalid="true"' in page
    assert "as &lt;b&gt;typed&lt;/b&gt;</textarea>" in page
    assert faults(page) == []
    assert forum.discussions() == []
    checked = forum.post(FORM, "sam", **typed(value="50", do="check"))
    assert checked[0] == 200
    assert "Alone it would take rank 2 of 3." in checked[1]  # the author's own word stands for the model
    assert faults(checked[1]) == []
    assert forum.discussions() == []


HOSTILE: list[dict[str, str]] = [
    {"value": "1\n- dataset: {id: a/b, task_id: c}\n  value: 2"},
    {"dataset": "../../etc", "task": "x"},
    {"dataset": "lab/capitals", "task": "a\nb: c"},
    {"notes": "x" * 19_000},
    {"notes": "x" * 21_000},
    {"title": "x" * 300},
    {"comment": "x" * 19_999, "value": ""},
    {"model_revision": "refs/hub/events"},
    {"model_revision": "main:../x"},
    {"source_url": "javascript:alert(1)"},
    {"settings": "a: 1\n" * 100},
    {"value": "9" * 400},
]


def test_hostile_fields_are_refused_with_a_sentence(forum: Forum):
    for fields in HOSTILE:
        status, page = forum.post(FORM, "sam", **typed(**fields))
        assert status == 400, (fields, page[:500])
        assert "Something broke" not in page
        assert 'class="field-error"' in page or 'class="alert alert-bad"' in page or "<h1>Bad Request" in page, fields
    assert forum.discussions() == []


def test_choosing_benchmark_and_task(forum: Forum):
    many = "name: Many\nevaluation_framework: custom\ntasks:\n" + "".join(f"  - id: t{n:02}\n" for n in range(40))
    forum.push("dataset", "lab/many", {"eval.yaml": many})
    page = forum.get(FORM, "sam")
    assert "/lab/small/submit-score?dataset=lab/capitals&amp;task=europe" in page
    assert "28 more" in page
    assert "task=t39" not in page
    assert "task=t39" in forum.get(f"{FORM}?dataset=lab/many", "sam")
    found = forum.get(f"{FORM}?q=t39", "sam")
    assert "task=t39" in found
    assert "task=europe" not in found
    assert "No such benchmark on this hub" in forum.get(f"{FORM}?q=%00%27", "sam")
    assert "task=europe" in forum.get(f"{FORM}?q=CAPITALS", "sam")
    models = forum.get("/datasets/lab/capitals/submit-score?task=asia")
    assert "/lab/small/submit-score?dataset=lab/capitals&amp;task=asia" in models
    for each in (page, found, models, forum.get(EUROPE, "sam")):
        assert faults(each) == []


def test_a_dataset_that_is_not_here_counts_later(forum: Forum):
    assert forum.post(FORM, "sam", **typed(dataset="far/away", task="one"))[0] == 303
    assert "This hub has no dataset far/away" in forum.get(f"/{MODEL}/evaluations")


def test_a_private_benchmark_is_none_for_strangers(forum: Forum):
    forum.push("dataset", "lab/secret", {"eval.yaml": BOARD.replace("Capitals", "Hush")}, private=True)
    assert "Hush" in forum.get(f"{FORM}?q=hush", "wil")
    assert "Hush" not in forum.get(f"{FORM}?q=hush", "sam")
    _, page = forum.post(FORM, "sam", **typed(dataset="lab/secret", task="europe", do="check"))
    assert "This hub has no dataset lab/secret" in page
    assert "Hush" not in page
    assert "Rank" not in page


def test_a_private_model_does_not_exist_for_strangers(forum: Forum):
    forum.push("model", "lab/hidden", {"README.md": "# Hidden\n"}, private=True)
    for path in ("submit-score", "submit-score?dataset=lab/capitals&task=europe", "evaluations/history"):
        assert forum.client("mo").get(f"/lab/hidden/{path}").status_code == 404
    for path in ("submit-score", "submit-score/check", "results/0123456789abcdef/hide"):
        assert forum.post(f"/lab/hidden/{path}", "mo", **typed())[0] == 404


def test_where_pull_requests_are_switched_off_only_writers_submit(forum: Forum):
    repos.configure(forum.hub, accounts.actor_for(forum.hub, "ada"), forum.model, pulls_enabled=False)
    assert "Pull requests are switched off in this repo" in forum.get(EUROPE, "sam")
    status, page = forum.post(FORM, "sam", **typed())
    assert (status, "Start a discussion" in page) == (403, True)
    status, page = forum.post(FORM, "wil", **typed(notes="kept words"))
    assert (status, "ask its admins to switch them on" in page, "kept words" in page) == (403, True, True)
    assert forum.post(FORM, "wil", **typed(to=-1))[0] == 303


def test_where_pull_requests_are_switched_off_their_authors_still_add_to_open_ones(forum: Forum):
    number = forum.propose("sam", {"a.txt": "a\n"})
    repos.configure(forum.hub, accounts.actor_for(forum.hub, "ada"), forum.model, pulls_enabled=False)
    assert f"Add it to your pull request {number}" in forum.get(EUROPE, "sam")
    assert forum.post(FORM, "sam", **typed(to=number))[0] == 303


def test_an_empty_model_takes_its_first_score_from_its_author(forum: Forum):
    accounts.set_member(forum.hub, accounts.actor_for(forum.hub, "ada"), "lab", "wil", Role.ADMIN)
    repos.create(forum.hub, accounts.actor_for(forum.hub, "wil"), "model", "lab", "fresh")
    assert "This repo is empty" in forum.get("/lab/fresh/submit-score", "sam")
    assert forum.post("/lab/fresh/submit-score", "wil", **typed(value="77", to=-1))[0] == 303
    assert "77" in forum.get("/lab/fresh/evaluations")


def test_two_at_once(forum: Forum):
    for who in ("sam", "mo", "wil"):
        forum.client(who)
    with ThreadPoolExecutor(6) as pool:
        same = list(pool.map(lambda _: forum.post(FORM, "sam", **typed(value="55"))[0], range(4)))
        main = list(pool.map(lambda n: forum.post(FORM, "wil", **typed(value=f"6{n}", to=-1))[0], range(4)))
    assert sorted(same) == [303, 409, 409, 409]
    assert main == [303] * 4
    assert file(forum, ".eval_results/capitals.yaml").count("- dataset") == 4


def test_a_person_submits_a_score_in_a_browser(forum: Forum):
    with served(forum.app) as address, sync_playwright() as play:
        browser = launch(play)
        page = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark").new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{address}/datasets/lab/capitals/leaderboard?task=europe")
        page.get_by_role("link", name="Submit a score").click()
        page.get_by_label("Model", exact=True).fill("small")
        page.get_by_role("main").get_by_role("button", name="Search").click()
        page.get_by_role("link", name="lab/small").click()
        page.get_by_label("User name").fill("sam")
        page.get_by_label("Password").fill("correct horse")
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Submit a score")
        page.get_by_label("Value").fill("140")
        expect(page.get_by_text("140 lies outside the range 0 to 100").first).to_be_visible()
        expect(page.get_by_label("Value")).to_have_attribute("aria-invalid", "true")
        page.get_by_label("Value").fill("49.5")
        expect(page.get_by_text("Alone it would take rank 2 of 3.")).to_be_visible()
        expect(page.get_by_label("Value")).not_to_have_attribute("aria-invalid", "true")
        page.get_by_label("Link to the source").fill("https://example.org/log")
        page.get_by_text("Conditions of the run").click()
        page.get_by_label("Samples (n)").fill("1000")
        expect(page.locator("#preview pre")).to_contain_text("n: 1000")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Submit the score").click()
        expect(page.get_by_text("The score is in pull request 1.")).to_be_visible()
        page.goto(f"{address}/{MODEL}/evaluations/history")
        expect(page.get_by_text("sam proposed results in")).to_be_visible()
        assert said == []
        browser.close()


def test_a_person_submits_a_score_without_javascript(forum: Forum):
    forum.push("model", MODEL, {".eval_results/own.yaml": None})
    with served(forum.app) as address, sync_playwright() as play:
        browser = launch(play)
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(f"{address}/login?next={FORM}")
        page.get_by_label("User name").fill("mo")
        page.get_by_label("Password").fill("correct horse")
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="asia").click()
        page.get_by_label("Value").fill("2.5")
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_text("Rank 1 of 2")).to_be_visible()
        page.get_by_role("button", name="Submit the score").click()
        expect(page.get_by_text("The score is in pull request 1.")).to_be_visible()
        browser.close()
