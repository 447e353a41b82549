"""Hiding results and showing them again: by whom, with what effect, on the page and at the command line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from glasshub.access import Visibility
from glasshub.index import queries
from tests.cli.shell import Shell
from tests.pages.browser import launch, served
from tests.pages.forum import MODEL, NEW, OUTSIDE, PEOPLE, Forum, build_forum
from tests.pages.markup import faults
from tests.pages.site import result

pytestmark = pytest.mark.slow
REPORTS = f"/datasets/lab/capitals/leaderboard?task=europe&model={MODEL}"


@pytest.fixture
def forum(tmp_path: Path):
    built = build_forum(tmp_path)
    built.propose("sam", {NEW: result(44)})
    yield built
    built.hub.close()


@pytest.fixture(params=["public", "private"])
def place(request: pytest.FixtureRequest, tmp_path: Path):
    """A hub for the table of permissions, whose model is public or private."""
    built = build_forum(tmp_path, private=request.param == "private")
    built.propose("sam", {NEW: result(44)})
    yield built
    built.hub.close()


def ids(forum: Forum) -> dict[float, str]:
    rows = queries.results_of_model(forum.hub.index.read(), Visibility(everything=True), forum.model.key)
    return {row.value: row.id for row in rows}


def test_only_writers_hide_and_show(place: Forum):
    forum = place
    for who in PEOPLE:
        hidden = forum.model.private and who in OUTSIDE
        for value in (47.25, 44.0):
            id = ids(forum).get(value, "")
            may = who in ("wil", "ada")
            status, _ = forum.post(f"/{MODEL}/results/{id}/hide", who, reason="So.")
            assert status == (303 if may else 404 if hidden else 401 if who is None else 403), who
            assert (value in ids(forum)) is not may
            other = "mo" if may else who
            outside = forum.model.private and other in OUTSIDE
            assert forum.post(f"/{MODEL}/results/{id}/show", other)[0] in ((404,) if outside else (401, 403))
            if may:
                assert forum.post(f"/{MODEL}/results/{id}/show", who)[0] == 303
            assert value in ids(forum)


def test_forms_stand_where_writers_look_and_nobody_else_sees_them(forum: Forum):
    for path in (f"/{MODEL}/evaluations", REPORTS):
        assert f'action="/{MODEL}/results/{ids(forum)[47.25]}/hide"' in forum.get(path, "wil")
        assert faults(forum.get(path, "wil")) == []
        for who in (None, "mo", "sam"):
            assert "/hide" not in forum.get(path, who)
    assert f"/results/{ids(forum)[44.0]}/hide" in forum.get(REPORTS, "wil")


def test_it_takes_effect_at_once_everywhere(forum: Forum):
    id = ids(forum)[47.25]
    status, page = forum.post(f"/{MODEL}/results/{id}/hide", "wil", reason="<script>alert(1)</script>", next=REPORTS)
    assert status == 303
    assert "The result is hidden; the record keeps it." in page
    assert "1 report" in page
    for path in (f"/{MODEL}", f"/{MODEL}/evaluations", "/datasets/lab/capitals", "/", REPORTS,
                 "/api/datasets/lab/capitals/leaderboard", f"/api/models/{MODEL}/eval-results"):  # fmt: skip
        assert "47.25" not in forum.get(path), path
    record = forum.get(f"/{MODEL}/evaluations/history")
    assert "47.25" in record
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in record
    assert forum.post(f"/{MODEL}/results/{id}/show", "ada", reason="A mistake.")[0] == 303
    assert "47.25" in forum.get(f"/{MODEL}")


def test_what_makes_no_sense_is_said_and_changes_nothing(forum: Forum):
    id = ids(forum)[47.25]
    for path, words in (
        (f"{id}/show", "This result is not hidden."),
        ("0123456789abcdef/hide", "shows no result 0123456789abcdef"),
        ("%00/hide", "shows no result"),
        (f"{'x' * 500}/hide", "shows no result"),
    ):
        status, page = forum.post(f"/{MODEL}/results/{path}", "wil")
        assert (status, words in page) == (303, True), (path, page[-3000:])
    status, page = forum.post(f"/{MODEL}/results/{id}/hide", "wil", reason="x" * 501)
    assert "at most 500 are kept" in page
    for target in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        client = forum.client("wil")
        answer = forum.post(f"/{MODEL}/results/{id}/hide", "wil", next=target)
        assert answer[0] == 303
        assert "Glasshub" in answer[1]  # the first page of this hub
        forum.post(f"/{MODEL}/results/{id}/show", "wil")
        assert client.get("/").status_code == 200
    assert forum.post(f"/datasets/lab/capitals/results/{id}/hide", "ada")[0] in (404, 405)


def test_two_at_once_make_one_decision(forum: Forum):
    id = ids(forum)[47.25]
    forum.client("wil"), forum.client("ada")
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda who: forum.post(f"/{MODEL}/results/{id}/hide", who)[1], ["wil", "ada"] * 2))
    assert sum("The result is hidden; the record keeps it." in page for page in pages) == 1
    assert sum("This result is hidden already." in page for page in pages) == 3
    assert [act["action"] for act in forum.client().get(f"/api/models/{MODEL}/eval-results/history").json].count(
        "hidden"
    ) == 1


def test_the_command_line_lists_hides_and_unhides(forum: Forum):
    shell = Shell(forum.hub.settings.data)
    id, theirs = ids(forum)[47.25], ids(forum)[44.0]
    assert shell.says("result", "hide", MODEL, theirs, "--reason", "Another split.") == ""
    assert shell.says("result", "list", MODEL).splitlines() == [
        f"{id}\taligned\tlab/capitals\teurope\t47.25\tauthor\t",
        f"{theirs}\thidden\tlab/capitals\teurope\t44\tcommunity\t1",
    ]
    (act, *_) = forum.client().get(f"/api/models/{MODEL}/eval-results/history").json
    assert (act["action"], act["actor"], act["reason"]) == ("hidden", "ada", "Another split.")
    assert "hid a result" in forum.get(f"/{MODEL}/evaluations/history")
    refused = shell("result", "hide", MODEL, id, "--as", "mo")
    done = shell("result", "unhide", MODEL, theirs, "--as", "wil")
    assert (refused.code, done.code) == (1, 0)
    assert "You may not push to this repo or moderate it" in refused.err
    assert forum.client().get(f"/api/models/{MODEL}/eval-results/history").json[0]["actor"] == "wil"


def test_an_author_hides_a_result_in_a_browser(forum: Forum):
    with served(forum.app) as address, sync_playwright() as play:
        browser = launch(play)
        page = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False).new_page()
        page.goto(f"{address}/login?next={REPORTS}".replace("&", "%26"))
        page.get_by_label("User name").fill("wil")
        page.get_by_label("Password").fill("correct horse")
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        row = page.get_by_role("row", name="44")
        row.get_by_text("Hide", exact=True).click()
        row.get_by_label("Reason").fill("Another split.")
        row.get_by_role("button", name="Hide this result").click()
        expect(page.get_by_text("The result is hidden; the record keeps it.")).to_be_visible()
        page.get_by_role("link", name="1 result hidden by the author").click()
        expect(page.get_by_role("heading", name="1 result hidden by the author")).to_be_visible()
        page.get_by_text("Show again", exact=True).click()
        page.get_by_role("button", name="Show this result").click()
        expect(page.get_by_text("The result shows again.")).to_be_visible()
        expect(page.get_by_text("wil showed a result again")).to_be_visible()
        browser.close()
