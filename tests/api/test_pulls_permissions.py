"""The permission table once more, over the API: every decision, by everybody, on a public and a private repo."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

import pytest
from huggingface_hub.errors import HfHubHTTPError

from glasshub import accounts
from glasshub.identity import Role
from tests.api.lab import PEOPLE, Lab, adds, status

pytestmark = pytest.mark.slow

#                            anonymous stranger author reader writer admin
TABLE = {
    "read":                          "yes yes yes yes yes yes",
    "read the discussions":          "yes yes yes yes yes yes",
    "read the pull request":         "yes yes yes yes yes yes",
    "read its files":                "yes yes yes yes yes yes",
    "open a discussion":             "no  yes yes yes yes yes",
    "open a pull request":           "no  yes yes yes yes yes",
    "comment":                       "no  yes yes yes yes yes",
    "commit as a pull request":      "no  yes yes yes yes yes",
    "ask about a pull request":      "no  yes yes yes yes yes",
    "commit to the pull request":    "no  no  yes no  yes yes",
    "ask about its files":           "no  no  yes no  yes yes",
    "close the pull request":        "no  no  yes no  yes yes",
    "change its title":              "no  no  yes no  yes yes",
    "hide its opening comment":      "no  no  yes no  yes yes",
    "edit its opening comment":      "no  no  yes no  no  no",
    "merge":                         "no  no  no  no  yes yes",
    "pin":                           "no  no  no  no  yes yes",
    "lock":                          "no  no  no  no  yes yes",
    "commit to main":                "no  no  no  no  yes yes",
    "ask about main":                "no  no  no  no  yes yes",
    "hide a result":                 "no  no  no  no  yes yes",
    "change settings":               "no  no  no  no  no  yes",
    "move":                          "no  no  no  no  no  yes",
    "delete":                        "no  no  no  no  no  yes",
}  # fmt: skip
RESULT = b"- dataset: {id: lab/quiz, task_id: easy}\n  value: 0.5\n"
COMMIT = b'{"key":"header","value":{"summary":"Try"}}\n{"key":"file","value":{"path":"t","content":"eA=="}}\n'
FILES = {"files": [{"path": "t", "size": 1, "sample": ""}]}


@dataclass
class Place:
    """A repo with a pull request of the author, and what is in it."""

    repo: str
    result: str
    number: int = 0
    comment: str = ""


Request = tuple[str, str, dict[str, Any]]


def request(deed: str, place: Place) -> Request:
    """Method, path and options of the request that does it."""
    api = f"/api/models/{place.repo}"
    pull, (org, name) = f"{api}/discussions/{place.number}", place.repo.split("/")
    ref = f"refs%2Fpr%2F{place.number}"
    moved = {"fromRepo": place.repo, "toRepo": f"{place.repo}-moved", "type": "model"}
    deeds: dict[str, Request] = {
        "read": ("GET", api, {}),
        "read the discussions": ("GET", f"{api}/discussions", {}),
        "read the pull request": ("GET", f"{pull}?diff=1", {}),
        "read its files": ("GET", f"{api}/tree/{ref}", {}),
        "open a discussion": ("POST", f"{api}/discussions", {"json": {"title": "x", "description": "y"}}),
        "open a pull request": ("POST", f"{api}/discussions", {"json": {"title": "x", "pullRequest": True}}),
        "comment": ("POST", f"{pull}/comment", {"json": {"comment": "x"}}),
        "commit as a pull request": ("POST", f"{api}/commit/main?create_pr=1", {"content": COMMIT}),
        "ask about a pull request": ("POST", f"{api}/preupload/main?create_pr=1", {"json": FILES}),
        "commit to the pull request": ("POST", f"{api}/commit/{ref}", {"content": COMMIT}),
        "ask about its files": ("POST", f"{api}/preupload/{ref}", {"json": FILES}),
        "close the pull request": ("POST", f"{pull}/status", {"json": {"status": "closed"}}),
        "change its title": ("POST", f"{pull}/title", {"json": {"title": "Another"}}),
        "hide its opening comment": ("POST", f"{pull}/comment/{place.comment}/hide", {}),
        "edit its opening comment": ("POST", f"{pull}/comment/{place.comment}/edit", {"json": {"content": "z"}}),
        "merge": ("POST", f"{pull}/merge", {}),
        "pin": ("POST", f"{pull}/pin", {}),
        "lock": ("POST", f"{pull}/lock", {}),
        "commit to main": ("POST", f"{api}/commit/main", {"content": COMMIT}),
        "ask about main": ("POST", f"{api}/preupload/main", {"json": FILES}),
        "hide a result": ("POST", f"{api}/eval-results/{place.result}/hide", {"json": {"reason": "x"}}),
        "change settings": ("PUT", f"{api}/settings", {"json": {"allowForcePush": True}}),
        "move": ("POST", "/api/repos/move", {"json": moved}),
        "delete": ("DELETE", "/api/repos/delete", {"json": {"organization": org, "name": name}}),
    }
    return deeds[deed]


@pytest.fixture(scope="module")
def places(lab: Lab) -> dict[bool, Place]:
    """A public and a private repo. The author reads the organisation's private repos, the stranger does not."""
    boss = accounts.actor_for(lab.live.hub, lab.name("admin"))
    accounts.set_member(lab.live.hub, boss, lab.org, lab.name("author"), Role.READ)
    made = {}
    for private in (False, True):
        repo = lab.repo(private=private)
        lab.api("admin").upload_file(path_or_fileobj=RESULT, path_in_repo=".eval_results/a.yaml", repo_id=repo)
        http = lab.http("admin")
        [result] = http.get(f"/api/models/{repo}/eval-results").json()
        made[private] = Place(repo, result["id"])
    return made


def with_pull(lab: Lab, place: Place) -> Place:
    """The place with a fresh pull request of the author."""
    author = lab.api("author")
    made = author.create_commit(place.repo, adds(own=secrets.token_hex()), commit_message="Mine", create_pr=True)
    comment = author.get_discussion_details(place.repo, made.pr_num).events[0].id
    return replace(place, number=made.pr_num, comment=comment)


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize("deed", TABLE)
def test_table(lab: Lab, places: dict[bool, Place], deed: str, private: bool):
    allowed = dict(zip(PEOPLE, TABLE[deed].split(), strict=True))
    if private:
        allowed |= {"anonymous": "hidden", "stranger": "hidden"}
    gone_after = deed in ("move", "delete")
    place = Place(lab.repo(private=private), "") if gone_after else with_pull(lab, places[private])
    done = False
    # Those who may not come first, so that the first who may finds everything as it was.
    for who in sorted(PEOPLE, key=lambda who: allowed[who] == "yes"):
        method, path, options = request(deed, place)
        http = lab.http(who)
        answer = http.request(method, path, **options)
        got = (answer.status_code, answer.headers.get("X-Error-Code", ""))
        if allowed[who] == "yes":
            assert got[0] == 200 or (done and got[0] in (400, 409)), (who, got, answer.text)
            done = True
        elif allowed[who] == "hidden":
            assert got == (404, "RepoNotFound"), (who, answer.text)
        else:
            expected = (401, "Unauthenticated") if who == "anonymous" else (403, "Forbidden")
            assert got == expected, (who, answer.text)


@pytest.mark.parametrize("deed", [deed for deed, row in TABLE.items() if row.split()[0] == "no"])
def test_a_token_that_may_only_read_decides_nothing(lab: Lab, places: dict[bool, Place], deed: str):
    token, _ = accounts.create_token(lab.live.hub, lab.name("admin"), scope="read")
    method, path, options = request(deed, replace(places[False], number=1, comment="0" * 24))
    http = lab.http("anonymous")
    answer = http.request(method, path, headers={"Authorization": f"Bearer {token}"}, **options)
    # What asks for a comment that is not there may say so first; nothing may be done.
    assert answer.status_code in (403, 404), answer.text


def test_what_a_writer_closed_its_author_does_not_reopen(lab: Lab, places: dict[bool, Place]):
    place = with_pull(lab, places[False])
    lab.api("writer").change_discussion_status(place.repo, place.number, "closed")
    with pytest.raises(HfHubHTTPError) as raised:
        lab.api("author").change_discussion_status(place.repo, place.number, "open")
    assert status(raised.value) == (403, "Forbidden")
    lab.api("writer").change_discussion_status(place.repo, place.number, "open")


def test_a_locked_discussion_is_for_writers(lab: Lab, places: dict[bool, Place]):
    place = with_pull(lab, places[False])
    http = lab.http("writer")
    assert http.post(f"/api/models/{place.repo}/discussions/{place.number}/lock", json={"locked": True}).is_success
    with pytest.raises(HfHubHTTPError, match="locked") as raised:
        lab.api("author").comment_discussion(place.repo, place.number, "But")
    assert status(raised.value) == (403, "Forbidden")
    assert lab.api("writer").comment_discussion(place.repo, place.number, "No.").content == "No."


@pytest.mark.parametrize("verb", ["hide", "show", "edit"])
def test_comments_of_others_and_of_other_discussions(lab: Lab, places: dict[bool, Place], verb: str):
    one, other = with_pull(lab, places[False]), with_pull(lab, places[False])
    http = lab.http("author")
    crossed = f"/api/models/{one.repo}/discussions/{one.number}/comment/{other.comment}/{verb}"
    assert http.post(crossed, json={"content": "x"}).status_code == 404
