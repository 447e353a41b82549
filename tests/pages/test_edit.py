"""Editing text files in the browser: who may, what is kept as it was, and what happens when others are faster."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect, sync_playwright

from glasshub import accounts, discussions, edits, repos
from glasshub.edits import Edit
from glasshub.git import read
from glasshub.git.build import Put
from glasshub.text_files import MAX_BYTES
from tests.pages.browser import launch, served
from tests.pages.forum import MODEL, NEW, OUTSIDE, OWN, PEOPLE, Forum, build_forum
from tests.pages.markup import faults
from tests.pages.site import BOARD, result

pytestmark = pytest.mark.slow
EDIT, CODE = f"/{MODEL}/edit/main", "code.py"


@pytest.fixture
def forum(tmp_path: Path):
    built = build_forum(tmp_path)
    yield built
    built.hub.close()


def stored(forum: Forum, path: str, ref: str = "refs/heads/main") -> tuple[bytes, int]:
    """A file's bytes and mode."""
    with read.open_repo(forum.hub.git_dir(forum.model)) as git:
        found = read.entry(git, read.list_refs(git)[ref], path)
        return read.read_blob(git, found.oid), found.mode


def shown(forum: Forum, path: str, who: str = "wil") -> tuple[str, str]:
    """What the form shows to a browser: the text, and the id of the file it stands for."""
    page = forum.get(path, who)
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.S)
    assert text is not None
    return unescape(text[1]), re.search(r'name="blob" value="([^"]*)"', page)[1]


def put(forum: Forum, path: str, data: bytes, *, executable: bool = False) -> None:
    actor = accounts.actor_for(forum.hub, "ada")
    edits.commit(
        forum.hub, forum.model, actor, Edit([Put(path, data, executable)], f"Put {path}"), ref="refs/heads/main"
    )


@pytest.fixture(params=["public", "private"])
def place(request: pytest.FixtureRequest, tmp_path: Path):
    """A hub for the table of permissions, whose model is public or private."""
    built = build_forum(tmp_path, private=request.param == "private")
    yield built
    built.hub.close()


def test_who_may_edit_what(place: Forum):
    forum = place
    forum.propose("sam", {NEW: result(44)})
    forum.push("model", MODEL, {"draft.txt": "A draft\n"}, ref="refs/heads/draft/one")
    for who in PEOPLE:
        writer = who in ("wil", "ada")
        for rest, path, may in (
            ("main", CODE, writer),
            ("draft/one", "draft.txt", writer),
            ("refs/pr/1", NEW, writer or who == "sam"),
        ):
            page = f"/{MODEL}/edit/{rest}/{path}"
            status = forum.client(who).get(page).status_code
            expected = 302 if who is None else 200 if may or rest == "main" else 403
            hidden = forum.model.private and who in OUTSIDE
            assert status == (404 if hidden else expected), (who, rest)
            text, blob = shown(forum, page)
            sent = {"text": f"{text}# {who}\n", "blob": blob, "way": "commit"}
            status, _ = forum.post(page, who, **sent)
            expected = 401 if who is None else 303 if may else 400 if rest == "main" else 403
            assert status == (404 if hidden else expected), (who, rest)
            assert (f"# {who}" in shown(forum, page)[0]) is may
    assert stored(forum, NEW, "refs/pr/1")[0].endswith(b"# sam\n# wil\n# ada\n")


def test_a_stranger_proposes_a_change(forum: Forum):
    text, blob = shown(forum, f"{EDIT}/{CODE}", "mo")
    form = {
        "text": text.replace("42", "43"),
        "blob": blob,
        "way": "pull",
        "message": "Count on",
        "description": "*Why*.",
    }
    status, page = forum.post(f"{EDIT}/{CODE}", "mo", **form)
    assert status == 303
    (pull,) = forum.discussions()
    assert (pull.title, pull.author) == ("Count on", "mo")
    assert next(iter(pull.comments.values())).body == "*Why*."
    assert b"43" in stored(forum, CODE, "refs/pr/1")[0]
    assert b"42" in stored(forum, CODE)[0]
    assert "Count on" in page


FILES = [b"\n\na\r\nb\nc\r\n", b"\xef\xbb\xbfa\r\nb", b"a\rb\r", b"  \n\t\n", b"", b"</textarea>&amp;\n"]


def test_what_is_not_touched_stays_byte_for_byte(forum: Forum):
    for data in FILES:
        put(forum, "run.sh", data, executable=True)
        text, blob = shown(forum, f"{EDIT}/run.sh")
        as_browsers_send = text.replace("\n", "\r\n")
        status, page = forum.post(f"{EDIT}/run.sh", "wil", text=as_browsers_send, blob=blob)
        assert status == 303
        assert "Nothing was changed" in page
        assert forum.post(f"{EDIT}/run.sh", "wil", text=f"{as_browsers_send}# end", blob=blob)[0] == 303
        after, mode = stored(forum, "run.sh")
        assert after == data + b"# end"
        assert mode & 0o111


def test_the_commit_says_who_and_why(forum: Forum):
    text, blob = shown(forum, f"{EDIT}/README.md")
    forum.post(f"{EDIT}/README.md", "wil", text=f"{text}More.\n", blob=blob, message="Say more", description="Because.")
    forum.post(f"{EDIT}/README.md", "wil", text=f"{text}Still more.\n", blob=shown(forum, f"{EDIT}/README.md")[1])
    with read.open_repo(forum.hub.git_dir(forum.model)) as git:
        second, first = read.history(git, read.list_refs(git)["refs/heads/main"], limit=2)
    assert (first.message, first.author_name) == ("Say more\n\nBecause.\n", "wil")
    assert first.author_email == "wil@users.noreply.hub.example"
    assert second.title == "Update README.md"


def test_who_comes_second_sees_both_and_loses_nothing(forum: Forum):
    _, blob = shown(forum, f"{EDIT}/{CODE}")
    put(forum, CODE, b"theirs <b>\n")
    mine = {"text": "mine <i>\n", "blob": blob, "message": "My way"}
    for who, way in (("wil", "commit"), ("wil", "pull"), ("sam", "pull")):
        status, page = forum.post(f"{EDIT}/{CODE}", who, **mine, way=way)
        assert status == 409
        assert "Somebody changed the file while you were writing" in page
        assert "theirs &lt;b&gt;" in page
        assert "mine &lt;i&gt;\n</textarea>" in page
        assert 'value="My way"' in page
        assert faults(page) == []
    assert stored(forum, CODE)[0] == b"theirs <b>\n"
    again = re.search(r'name="blob" value="([^"]*)"', page)[1]
    assert forum.post(f"{EDIT}/{CODE}", "wil", **{**mine, "blob": again})[0] == 303
    assert stored(forum, CODE)[0] == b"mine <i>\n"


def test_a_file_that_was_deleted_meanwhile(forum: Forum):
    _, blob = shown(forum, f"{EDIT}/{CODE}")
    forum.push("model", MODEL, {CODE: None})
    status, page = forum.post(f"{EDIT}/{CODE}", "wil", text="mine\n", blob=blob)
    assert status == 409
    assert "Somebody deleted the file" in page
    assert "mine\n</textarea>" in page
    assert forum.post(f"{EDIT}/{CODE}", "wil", text="mine\n", blob="")[0] == 303
    assert stored(forum, CODE)[0] == b"mine\n"


def test_a_change_elsewhere_is_no_conflict(forum: Forum):
    text, blob = shown(forum, f"{EDIT}/{CODE}")
    put(forum, "other.txt", b"x\n")
    assert forum.post(f"{EDIT}/{CODE}", "wil", text=f"{text}# more\n", blob=blob)[0] == 303
    assert stored(forum, "other.txt")[0] == b"x\n"


def test_two_at_once_one_wins(forum: Forum):
    _, blob = shown(forum, f"{EDIT}/{CODE}")
    forum.client("wil"), forum.client("ada")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda n: forum.post(f"{EDIT}/{CODE}", "wil", text=f"{n}\n", blob=blob)[0], range(4)))
    assert sorted(done) == [303, 409, 409, 409]


def test_new_files(forum: Forum):
    new = f"/{MODEL}/new-file/main"
    page = forum.get(f"{new}/docs", "wil")
    assert 'value="docs/"' in page
    assert faults(page) == []
    assert forum.post(f"{new}/docs", "wil", path="docs/deep/guide.md", text="# Guide\r\n", blob="")[0] == 303
    assert stored(forum, "docs/deep/guide.md")[0] == b"# Guide\n"
    status, page = forum.post(new, "wil", path=CODE, text="mine\n", blob="")
    assert status == 409
    assert "There is a file code.py already" in page
    assert "mine\n</textarea>" in page
    for path in ("", "/", "../x", "a/../b", ".git/config", "a//b", "code.py/x", "x" * 300, "a\0b", "a\nb"):
        status, page = forum.post(new, "wil", path=path, text="kept\n", blob="")
        assert status in (400, 409), path
        assert "kept\n</textarea>" in page, path
    assert forum.post(new, "mo", path="mo.md", text="# Mo\n", blob="")[0] == 303  # a pull request
    assert forum.discussions()[0].author == "mo"
    score = {"path": ".eval_results/mo.yaml", "text": result(51), "blob": ""}
    assert forum.post(new, "mo", **score)[0] == 303
    assert "community" in forum.get(f"/datasets/lab/capitals/leaderboard?task=europe&model={MODEL}")


def test_a_new_file_that_git_lfs_is_to_keep_is_refused(forum: Forum):
    put(forum, ".gitattributes", b"*.csv filter=lfs\n")
    status, page = forum.post(f"/{MODEL}/new-file/main", "wil", text="a,b", path="table.csv", blob="", way="commit")
    assert status == 400
    assert ".gitattributes gives table.csv to Git LFS" in page


def test_the_first_file_of_an_empty_repo(forum: Forum):
    repos.create(forum.hub, accounts.actor_for(forum.hub, "ada"), "dataset", "lab", "fresh")
    assert "/datasets/lab/fresh/new-file/main" in forum.get("/datasets/lab/fresh/tree/main", "wil")
    new = "/datasets/lab/fresh/new-file/main"
    assert forum.client("mo").get(new).status_code == 403
    assert forum.post(new, "wil", path="README.md", text="# Fresh\n", blob="")[0] == 303
    assert ">Fresh</h" in forum.get("/datasets/lab/fresh")


def test_what_no_form_can_hold_is_refused_with_a_reason(forum: Forum):
    for path, data, words in (
        ("weights.bin", b"\0\1\2", "This is not a text file"),
        ("latin.txt", "ü".encode("latin-1"), "This is not a text file"),
        ("long.txt", b"x" * (MAX_BYTES + 1), "can be edited here"),
    ):
        put(forum, path, data)
        assert words in forum.get(f"{EDIT}/{path}", "wil", status=400)
    assert "is a directory" in forum.get(f"{EDIT}/.eval_results", "wil", status=400)
    answer = forum.client("wil").get(f"{EDIT}/docs/not yet.md")
    assert answer.headers["Location"] == f"/{MODEL}/new-file/main?path=docs/not+yet.md"
    assert 'value="docs/not yet.md"' in forum.get(answer.headers["Location"], "wil")
    tip = forum.push("model", MODEL, {"x.txt": "x"})
    for rev in (tip, "refs/hub/events", "nope", "refs/pr/1"):
        assert forum.client("wil").get(f"/{MODEL}/edit/{rev}/{CODE}").status_code in (400, 404)


def test_a_text_that_is_too_long_is_kept_in_the_form(forum: Forum):
    client = forum.client("wil")
    form = client.get(f"{EDIT}/{CODE}").text
    fields = {name: re.search(rf'name="{name}" value="([^"]*)"', form)[1] for name in ("csrf_token", "blob")}
    answer = client.post(f"{EDIT}/{CODE}", data={**fields, "text": "y" * (MAX_BYTES + 1)})
    assert answer.status_code == 400
    assert "can be saved here" in answer.text
    assert "y" * (MAX_BYTES + 1) in answer.text


def test_rules_of_the_hub_hold_and_nothing_typed_is_lost(forum: Forum):
    page = "/datasets/lab/capitals/edit/main/eval.yaml"
    text, blob = shown(forum, page, "ada")
    assert text == BOARD
    status, answer = forum.post(
        page, "ada", text="name: Broken\nevaluation_framework: custom\ntasks: [{}]\n", blob=blob
    )
    assert status == 400
    assert "eval.yaml has" in answer
    assert "name: Broken" in answer
    status, answer = forum.post(f"{EDIT}/{OWN}", "wil", text="broken: [\n", blob=shown(forum, f"{EDIT}/{OWN}")[1])
    assert status == 303  # a broken result file never stops a commit: its page shows what is wrong
    assert "line-note-error" in answer


def test_closed_pull_requests_and_foreign_names(forum: Forum):
    forum.propose("sam", {NEW: result(44)})
    forum.decide("wil", discussions.set_status, number=1, status="closed")
    assert forum.client("sam").get(f"/{MODEL}/edit/refs/pr/1/{NEW}").status_code == 409
    assert forum.client("sam").get(f"/{MODEL}/edit/refs/pr/7/{NEW}").status_code == 404
    forum.push("model", "lab/hidden", {"a.txt": "secret\n"}, private=True)
    for path in ("edit/main/a.txt", "new-file/main"):
        assert forum.client("mo").get(f"/lab/hidden/{path}").status_code == 404
        assert forum.post(f"/lab/hidden/{path}", "mo", text="x", path="b", blob="")[0] == 404
    name = "docs/a b#c?d%é.md"
    put(forum, name, b"here\n")
    text, blob = shown(forum, f"{EDIT}/{quote(name)}")
    assert text == "here\n"
    assert forum.post(f"{EDIT}/{quote(name)}", "wil", text="there\n", blob=blob)[0] == 303
    assert stored(forum, name)[0] == b"there\n"


def test_a_person_edits_a_file_in_a_browser(forum: Forum):
    put(forum, "notes.txt", b"\nfirst\r\nsecond\r\n")
    with served(forum.app) as address, sync_playwright() as play:
        browser = launch(play)
        page = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{address}/{MODEL}/blob/main/notes.txt")
        page.get_by_role("link", name="Edit").click()
        page.get_by_label("User name").fill("sam")
        page.get_by_label("Password").fill("correct horse")
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        content = page.get_by_label("Content")
        expect(content).to_have_value("\nfirst\nsecond\n")
        content.focus()
        page.keyboard.press("Control+End")
        page.keyboard.type("third")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_label("Message").fill("Count further")
        page.get_by_role("button", name="Propose the change").click()
        expect(page.get_by_text("Count further").first).to_be_visible()
        assert stored(forum, "notes.txt", "refs/pr/1")[0] == b"\nfirst\r\nsecond\r\nthird"
        assert said == []
        browser.close()
