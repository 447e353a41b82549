"""Importing a file in the browser: as everybody, with questions, hostile input, and what nobody else may see."""

from __future__ import annotations

import io
import json
import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from glasshub import accounts, discussions, repos, staged_files
from glasshub.errors import NotFound
from glasshub.evals.importers.proposal import LogFile
from glasshub.git import read
from glasshub.staged_files import FOLDER, KEPT_SECONDS, MOST_FILES, stage, staged
from tests.importing.samples import INSPECT, LIGHTEVAL, LM_EVAL, LM_EVAL_CHOICE
from tests.pages.browser import launch, served
from tests.pages.forum import MODEL, PEOPLE, Forum, answers, build_forum
from tests.pages.markup import faults

pytestmark = pytest.mark.slow
FORM = f"/{MODEL}/import"
ANSWERED = {"r0-use": "1", "r0-dataset": "lab/capitals", "r0-task": "europe", "r0-metric": "acc,none"}


@pytest.fixture(params=["public", "private"])
def place(request: pytest.FixtureRequest, tmp_path: Path):
    built = build_forum(tmp_path, private=request.param == "private")
    yield built
    built.hub.close()


@pytest.fixture
def forum(tmp_path: Path):
    built = build_forum(tmp_path)
    yield built
    built.hub.close()


def of_capitals(**changes: object) -> bytes:
    """What lm-evaluation-harness wrote, as if it had been about the benchmark of this hub."""
    document = json.loads(LM_EVAL_CHOICE.read_bytes())
    document["configs"]["desk_choice"].update(dataset_path="lab/capitals", dataset_kwargs={})
    document.update(changes)
    return json.dumps(document).encode()


def send(forum: Forum, who: str | None, data: bytes, name: str = "results.json") -> tuple[int, str, str]:
    """Upload a file; returns status, page, and the address of what it says."""
    client = forum.client(who)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/settings" if who else "/login").text)
    assert token is not None
    form = {"csrf_token": token[1], "file": (io.BytesIO(data), name)}
    answer = client.post(FORM, data=form, content_type="multipart/form-data")
    place = answer.headers.get("Location", "") if answer.status_code == 303 else ""
    return answer.status_code, client.get(place).text if place else answer.text, place


def test_who_may_import(place: Forum):
    forum = place
    got = [send(forum, who, of_capitals(date=1_700_000_000 + number))[0] for number, who in enumerate(PEOPLE)]
    assert tuple(got) == answers(forum, 401, 303, 303, 303, 303, 303)
    status, _, address = send(forum, "sam", of_capitals())
    assert status == 303
    others = [forum.client(who).get(address).status_code for who in PEOPLE]
    assert [code == 200 for code in others] == [who == "sam" for who in PEOPLE]
    status, page = forum.post(address, "sam", **ANSWERED, keep="1")
    assert status == 303, page
    assert "1 result is in pull request 1; the file is kept with it." in page
    assert forum.client("sam").get(address).status_code == 404  # decided about, and gone


def test_nothing_is_chosen_for_anybody(forum: Forum):
    _, page, address = send(forum, "sam", of_capitals())
    assert forum.client("sam").post(address, data=ANSWERED).status_code == 403  # a form that another site made
    assert faults(page) == []
    assert 'checked aria-describedby="keep-hint"' in page
    assert not re.search(r'type="radio"[^>]*checked', page)
    status, page = forum.post(address, "sam", **{"r0-use": "1", "r0-dataset": "lab/capitals"})
    assert status == 400
    assert "Which number is the score of the task?" in page
    assert "Which task of lab/capitals is desk_choice (config choice, split test)?" in page
    assert forum.discussions() == []
    status, page = forum.post(address, "sam", **{**ANSWERED, "do": "check"})
    assert (status, forum.discussions()) == (200, [])
    assert "What becomes of it" in page
    assert "value: 0.37037037037037035" in page
    assert faults(page) == []
    unticked = {name: value for name, value in ANSWERED.items() if name != "r0-use"}
    assert forum.post(address, "sam", **unticked)[0] == 400


def test_a_pull_request_with_file_and_results(forum: Forum):
    data = of_capitals()
    _, _, address = send(forum, "sam", data)
    form = {**ANSWERED, "keep": "1", "title": "From my run", "comment": "See *here*.", "r0-notes": "greedy"}
    assert forum.post(address, "sam", **form)[0] == 303
    (pull,) = forum.discussions()
    assert (pull.title, pull.author) == ("From my run", "sam")
    with read.open_repo(forum.hub.git_dir(forum.model)) as git:
        head = read.list_refs(git)["refs/pr/1"]
        text = read.read_file(git, head, ".eval_results/capitals-sam.yaml").decode()
        log = re.search(r'log: "(.+?)"', text)
        assert log is not None
        assert read.read_file(git, head, log[1]) == data
    assert "notes: greedy" in text
    source = re.search(r'url: "http://hub.example(/lab/small/resolve/[0-9a-f]{40}/\S+)"', text)
    assert source is not None
    assert forum.client().get(source[1]).data == data
    reports = forum.get(f"/datasets/lab/capitals/leaderboard?task=europe&model={MODEL}")
    assert "0.37" in reports

    _, _, address = send(forum, "mo", data)
    status, page = forum.post(address, "mo", **ANSWERED)
    assert status == 409
    assert "imported from the same file before: it stands in pull request 1." in page
    forum.decide("ada", discussions.set_status, number=1, status="closed")
    assert forum.post(address, "mo", **ANSWERED)[0] == 303


def test_files_of_closed_benchmarks_are_not_published(forum: Forum):
    ada = accounts.actor_for(forum.hub, "ada")
    repos.configure(forum.hub, ada, repos.find(forum.hub, "dataset", "lab", "capitals"), gated="manual")
    _, page, address = send(forum, "sam", of_capitals())
    assert "It is not published, only its digest. lab/capitals is gated." in page
    elsewhere = {**ANSWERED, "r0-dataset": "x/other", "do": "check"}  # whatever somebody says that it is about
    assert "lab/capitals is gated." in forum.post(address, "sam", **elsewhere)[1]
    status, page = forum.post(address, "sam", **ANSWERED, keep="1")  # asked for all the same
    assert status == 303
    assert "the file itself is not published, only its digest" in page
    with read.open_repo(forum.hub.git_dir(forum.model)) as git:
        paths = [entry.path for entry in read.list_tree(git, read.list_refs(git)["refs/pr/1"])]
    assert ".eval_logs" not in paths


def test_what_cannot_be_read_is_said_beside_the_field(forum: Forum, monkeypatch: pytest.MonkeyPatch):
    for data, words in [(b"", "empty"), (b"{}", "no format that is read here"), (os.urandom(2000), "no format"),
                        (INSPECT.read_bytes()[:-300], "no ZIP archive")]:  # fmt: skip
        status, page, _ = send(forum, "sam", data)
        assert (status, words in page) == (400, True), words
    with monkeypatch.context() as patch:
        patch.setattr(staged_files, "MAX_STAGED", 1000)
        assert send(forum, "sam", of_capitals())[0] == 413
    hostile = of_capitals(model_name="<script>alert(1)</script>", results={"<b>x": {"<i>,none": 0.5}})
    _, page, address = send(forum, "sam", hostile, '../../"<b>.json')
    assert "<script>alert" not in page
    assert "<b>x" not in page
    assert faults(page) == []
    status, page = forum.post(address, "sam", **{**ANSWERED, "r0-metric": "<i>,none", "r0-task": "x" * 3000})
    assert status == 400
    for bad in ("0" * 64, "..%2f..%2fregistry", "x"):
        assert forum.client("sam").get(f"{FORM}/{bad}").status_code == 404
    # 100 is outside what the board declares, and no number is made to fit.
    status, page = forum.post(send(forum, "sam", of_capitals(results={"desk_choice": {"acc,none": 1e6}}))[2], "sam",
                              **ANSWERED)  # fmt: skip
    assert status == 400


def test_several_results_and_a_headline(forum: Forum):
    _, page, address = send(forum, "sam", LIGHTEVAL.read_bytes(), LIGHTEVAL.name)
    assert page.count("Report this result") == 2
    assert not re.search(r'id="r\d-use"[^>]*checked', page)
    assert re.search(r"Measured <time[^>]*>24 Nov 2026", page)
    both = {}
    for number, (task, metric) in enumerate([("europe", "em"), ("asia", "acc")]):
        said = {"use": "1", "dataset": "lab/capitals", "task": task, "metric": metric}
        both.update({f"r{number}-{name}": value for name, value in said.items()})
    status, page = forum.post(address, "sam", **both)
    assert (status, "2 results are in pull request 1" in page) == (303, True)
    _, page, _ = send(forum, "sam", INSPECT.read_bytes(), "log.eval")
    assert re.search(r'type="radio" value="choice/accuracy" checked', page)
    assert "(headline)" in page
    assert "glasshub/desk-questions, which is not on this hub" in page  # its questions may not be for everybody


def test_uploads_are_for_a_day_and_not_without_end(forum: Forum):
    sam = accounts.actor_for(forum.hub, "sam")
    first = stage(forum.hub, sam, LogFile("a.json", b"first"))
    path = next((forum.hub.settings.data / FOLDER).rglob(first))
    os.utime(path, (time.time() - KEPT_SECONDS - 60,) * 2)
    with pytest.raises(NotFound):
        staged(forum.hub, sam, first)
    mo = accounts.actor_for(forum.hub, "mo")
    for number in range(MOST_FILES + 5):
        stage(forum.hub, mo, LogFile("b.json", f"file {number}".encode()))
    assert not path.exists()
    assert len(list((forum.hub.settings.data / FOLDER).rglob("[0-9a-f]" * 64))) == MOST_FILES
    found = staged(forum.hub, mo, stage(forum.hub, mo, LogFile("c\n.json", b"last")))
    assert (found.name, found.data) == ("c\n.json", b"last")


def test_in_a_browser_by_keyboard_at_phone_width(forum: Forum, tmp_path: Path):
    file = tmp_path / "results.json"
    file.write_bytes(of_capitals())
    with served(forum.app) as url, sync_playwright() as play:
        browser = launch(play)
        page = browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False).new_page()
        page.goto(f"{url}/login?next={FORM}")
        page.get_by_label("Name").fill("sam")
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Read it").press("Enter")
        page.get_by_label("acc_norm,none").press("Space")
        page.get_by_label("Task").select_option("europe")
        page.get_by_role("button", name="Check").press("Enter")
        expect(page.get_by_text("What becomes of it")).to_be_visible()
        assert page.get_by_label("acc_norm,none").is_checked()
        page.get_by_role("button", name="Open a pull request").press("Enter")
        expect(page.get_by_text("1 result is in pull request 1")).to_be_visible()
        browser.close()
    assert LM_EVAL.exists()
