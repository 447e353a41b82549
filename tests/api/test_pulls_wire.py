"""Discussions on the wire: bodies of every kind, pages, crowds, and what hidden and erased words leave."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx2
import pytest

from glasshub import accounts, erasure, repos
from tests.api.lab import Lab, adds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def talk(lab: Lab) -> str:
    """The address of a discussion in the API."""
    repo = lab.repo()
    assert lab.api("author").create_discussion(repo, title="Talk", description="Begin").num == 1
    return f"/api/models/{repo}/discussions/1"


def pull(lab: Lab) -> tuple[str, str]:
    """A repo with a fresh pull request of the author, and its address in the API."""
    repo = lab.repo()
    made = lab.api("author").create_commit(repo, adds(a="1"), commit_message="Add a", create_pr=True)
    return repo, f"/api/models/{repo}/discussions/{made.pr_num}"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"json": {}},
        {"content": b"", "headers": {"Content-Type": "text/plain"}},
        {"json": {"comment": ""}},
        {"json": {"comment": None}},
    ],
)
def test_a_merge_needs_no_body(lab: Lab, options: dict):
    _, address = pull(lab)
    answer = lab.http("writer").post(f"{address}/merge", **options)
    assert answer.status_code == 200
    assert answer.json()["newStatus"]["data"]["status"] == "merged"


@pytest.mark.parametrize("how", ["merge", "squash", "fast-forward"])
def test_ways_of_merging(lab: Lab, how: str):
    repo, address = pull(lab)
    before = lab.api("writer").model_info(repo).sha
    head = lab.api("writer").model_info(repo, revision="refs/pr/1").sha
    stale = lab.http("writer").post(f"{address}/merge", json={"how": how, "head": before})
    assert (stale.status_code, stale.headers["X-Error-Code"]) == (412, "PreconditionFailed")
    answer = lab.http("writer").post(f"{address}/merge", json={"how": how, "head": head})
    assert answer.json()["mergeCommitId"] == lab.api("writer").model_info(repo).sha
    parents = [commit.commit_id for commit in lab.api("writer").list_repo_commits(repo)]
    assert (head in parents) is (how != "squash")
    assert lab.http("writer").post(f"{address}/merge", json={"how": "rebase"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("comment", b"{}"),
        ("comment", b'{"comment": 5}'),
        ("comment", b'{"comment": null}'),
        ("comment", b'{"comment": "  \\n"}'),
        ("comment", b"[]"),
        ("comment", b"nonsense"),
        ("comment", b"[" * 100_000),
        ("comment", b'{"comment": "' + b"x" * 70_000 + b'"}'),
        ("title", b'{"title": " "}'),
        ("title", b'{"title": "' + b"x" * 201 + b'"}'),
        ("title", b'{"title": "Talk"}'),
        ("status", b'{"status": "merged"}'),
        ("status", b'{"status": "draft"}'),
        ("status", b'{"status": true}'),
        ("pin", b'{"pinned": "yes"}'),
        ("lock", b'{"locked": 1}'),
    ],
)
def test_bad_bodies_are_refused_with_a_reason(lab: Lab, talk: str, path: str, body: bytes):
    answer = lab.http("admin").post(f"{talk}/{path}", content=body)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (400, "Invalid")
    assert answer.json()["error"]


@pytest.mark.parametrize("query", ["p=-1", "p=x", "p=99999999", "type=pull", "status=merged", "status="])
def test_bad_filters_are_refused(lab: Lab, talk: str, query: str):
    answer = lab.http("anonymous").get(f"{talk.removesuffix('/1')}?{query}")
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (400, "Invalid")


def test_pages_past_the_end_are_empty(lab: Lab, talk: str):
    answer = lab.http("anonymous").get(f"{talk.removesuffix('/1')}?p=3").json()
    assert answer == {"discussions": [], "count": 1, "start": 150}


@pytest.mark.parametrize("number", ["0", "2", "999999999", "99999999999999999999999", "x", "-1"])
def test_numbers_that_are_none(lab: Lab, talk: str, number: str):
    answer = lab.http("anonymous").get(f"{talk.removesuffix('/1')}/{number}")
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_text_that_is_odd_comes_back_whole(lab: Lab, talk: str):
    text = '<script>alert(1)</script> \u202e ü 🎉 \\ " $x_1$ @ada #1'
    event = lab.http("stranger").post(f"{talk}/comment", json={"comment": f"  {text}\r\nline\0 "}).json()["newMessage"]
    assert event["data"]["latest"]["raw"] == text.replace("\u202e", "") + "\nline"
    assert "<script" not in event["data"]["latest"]["html"]


def test_a_very_long_discussion_is_told_whole_but_not_all_as_markdown(lab: Lab):
    repo, address = pull(lab)
    for n in range(4):
        text = f"{n}" + "*word* " * 8_000
        assert lab.http("stranger").post(f"{address}/comment", json={"comment": text}).status_code == 200
    events = lab.api("reader").get_discussion_details(repo, 1).events
    assert [len(event.content) for event in events[2:]] == [56_000] * 4
    assert events[-1].rendered.startswith("<pre>3*word* ")


def test_eight_who_comment_at_once_all_get_through(lab: Lab):
    repo = lab.repo()
    lab.api("author").create_discussion(repo, title="Crowd", description="x")
    address = f"/api/models/{repo}/discussions/1/comment"

    def comment(n: int) -> str:
        http = lab.http(("author", "stranger", "reader", "writer")[n % 4])
        answer = http.post(address, json={"comment": f"Comment {n}"})
        assert answer.status_code == 200, answer.text
        return answer.json()["newMessage"]["id"]

    for who in ("author", "stranger", "reader", "writer"):
        lab.http(who)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(comment, range(48)))
    events = lab.api("anonymous").get_discussion_details(repo, 1).events
    assert len(set(ids)) == 48
    assert [event.id for event in events[1:]] != []
    assert {event.id for event in events[1:]} == set(ids)
    assert {event.content for event in events[1:]} == {f"Comment {n}" for n in range(48)}
    assert [event.created_at for event in events] == sorted(event.created_at for event in events)


def test_everybody_who_opens_one_at_once_gets_a_number_of_their_own(lab: Lab):
    repo = lab.repo()
    path, body = f"/api/models/{repo}/discussions", {"title": "x", "description": "y"}
    open_one = partial(lab.http("author").post, path, json=body)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(open_one if n % 2 else partial(open_pull, lab, repo)) for n in range(16)]
    numbers = [done.result().json()["num"] for done in asked]
    assert sorted(numbers) == list(range(1, 17))


def open_pull(lab: Lab, repo: str) -> httpx2.Response:
    return lab.http("author").post(
        f"/api/models/{repo}/discussions", json={"title": "x", "description": "y", "pullRequest": True}
    )


def test_only_one_of_many_merges_happens(lab: Lab):
    repo, address = pull(lab)
    lab.http("writer"), lab.http("admin")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: lab.http(("writer", "admin")[n % 2]).post(f"{address}/merge"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert len(lab.api("anonymous").list_repo_commits(repo)) == 3  # the first, the proposed, the merge


def test_hiding_and_showing_a_comment(lab: Lab):
    _, address = pull(lab)
    said = lab.http("stranger").post(f"{address}/comment", json={"comment": "Rubbish"}).json()["newMessage"]
    one = f"{address}/comment/{said['id']}"
    hidden = lab.http("writer").post(f"{one}/hide", json={"reason": "Not kind"}).json()["updatedComment"]
    assert (hidden["data"]["hidden"], hidden["data"]["hiddenReason"]) == (True, "Not kind")
    assert "Rubbish" not in lab.http("anonymous").get(address).text
    assert "Rubbish" in lab.http("stranger").get(address).text
    assert lab.http("writer").post(f"{one}/hide").status_code == 409
    assert lab.http("stranger").post(f"{one}/show").status_code == 403  # it was not they who hid it
    shown = lab.http("writer").post(f"{one}/show").json()["updatedComment"]
    assert (shown["data"]["hidden"], shown["data"]["latest"]["raw"]) == (False, "Rubbish")


def test_erased_words_are_in_no_answer(lab: Lab):
    repo, address = pull(lab)
    said = lab.http("stranger").post(f"{address}/comment", json={"comment": "My number is Rumpel"}).json()["newMessage"]
    http = lab.http("stranger")
    http.post(f"{address}/comment/{said['id']}/edit", json={"content": "It was Rumpel"})
    hub = lab.live.hub
    root = lab.live.person("root", admin=True)
    found = repos.find(hub, "model", *repo.split("/"))
    erasure.erase_events(hub, accounts.actor_for(hub, root.name), found, [said["id"]], reason="Personal")
    for who in ("anonymous", "stranger", "admin"):
        answer = lab.http(who).get(address)
        assert "Rumpel" not in answer.text
    comment = lab.api("stranger").get_discussion_details(repo, 1).events[2]
    assert (comment.id, comment.content) == (said["id"], "")


def test_the_head_of_a_closed_pull_request_can_go_and_come_back(lab: Lab):
    repo, address = pull(lab)
    author, http = lab.api("author"), lab.http("author")
    assert http.post(f"{address}/delete-head").status_code == 409
    http.post(f"{address}/status", json={"status": "closed", "comment": "Never mind."})
    gone = http.post(f"{address}/delete-head").json()["newReference"]
    assert gone["data"]["newOid"] is None
    assert not author.revision_exists(repo, "refs/pr/1")
    details = author.get_discussion_details(repo, 1)
    assert [event.type for event in details.events][-1] == "reference-update"
    http.post(f"{address}/status", json={"status": "open"})
    made = author.create_commit(repo, adds(b="2"), commit_message="Anew", revision="refs/pr/1")
    assert author.model_info(repo, revision="refs/pr/1").sha == made.oid
    assert set(author.list_repo_files(repo, revision="refs/pr/1")) == {".gitattributes", "b"}


def test_a_browser_of_another_site_can_neither_comment_nor_upload(lab: Lab, talk: str):
    session = accounts.start_session(lab.live.hub, lab.name("author"))
    for path, options in (
        (f"{talk}/comment", {"json": {"comment": "x"}}),
        ("/uploads", {"content": b"x", "headers": {"Content-Type": "image/png"}}),
        ("/api/repos/create", {"json": {"name": "forged"}}),
    ):
        with httpx2.Client(base_url=lab.live.url, cookies={"glasshub_session": session}) as browser:
            assert browser.post(path, **options).status_code == 401
            forged = {**options.get("headers", {}), "X-CSRFToken": "guess"}
            assert browser.post(path, **{**options, "headers": forged}).status_code == 403
