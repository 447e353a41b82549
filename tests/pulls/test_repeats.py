"""Requests that come twice, since the answer to the first was lost: what was decided is not decided again."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from glasshub import accounts, discussions
from glasshub.app import create_app
from glasshub.identity import Repo
from glasshub.web.auth import COOKIE
from tests.index.town import eval_yaml, result
from tests.pulls.village import Village

pytestmark = pytest.mark.slow
SCORE = {".eval_results/eve.yaml": result("lab/cap", "europe", 0.9)}
ALL = "/api/models/ada/m/discussions"


@pytest.fixture
def model(village: Village) -> Repo:
    village.dataset("lab/cap", eval_yaml("europe"))
    return village.model("ada/m", result("lab/cap", "europe", 0.4))


def headers(village: Village, who: str, key: str = "") -> dict[str, str]:
    token, _ = accounts.create_token(village.hub, who)
    return {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}


def texts(village: Village, model: Repo, number: int = 1) -> list[str]:
    return [one.body for one in village.discussions(model)[number].comments.values()]


def test_a_request_with_a_key_is_carried_out_once(village: Village, model: Repo):
    client, eve = create_app(village.hub).test_client(), headers(village, "eve", "k-1")
    asked = [
        (ALL, {"title": "Why?", "description": "Hm"}),
        (ALL, {"title": "To come", "pullRequest": True}),
        (f"{ALL}/1/comment", {"comment": "Yes"}),
        (f"{ALL}/1/status", {"status": "closed", "comment": "Bye"}),
        (f"{ALL}/2/title", {"title": "Here it is"}),
        ("/api/settings/webhooks", {"url": "https://example.org/", "watched": [{"type": "user", "name": "ada"}]}),
    ]
    for path, body in asked:
        first, second = (client.post(path, json=body, headers=eve) for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 200), second.text
        assert second.json == first.json
    assert client.get(ALL).json["count"] == 2
    assert texts(village, model) == ["Hm", "Yes", "Bye"]
    assert len(client.get("/api/settings/webhooks", headers=eve).json) == 1
    merge = [client.post(f"{ALL}/2/merge", headers=headers(village, "ada", "m")) for _ in range(2)]
    assert [answer.status_code for answer in merge] == [200, 200]
    assert merge[0].json == merge[1].json
    village.assert_equal_to_rebuilt()


def test_another_key_body_place_or_person_is_another_request(village: Village, model: Repo):
    client = create_app(village.hub).test_client()
    for title in ("One", "Two"):
        village.decide(model, "eve", discussions.open_discussion, title=title, body="")
    eve, mo, without = headers(village, "eve", "k"), headers(village, "mo", "k"), headers(village, "eve")
    other = {**eve, "Idempotency-Key": "l"}
    for number, who, said in [
        (1, eve, "Yes"), (1, eve, "No"), (1, mo, "Yes"), (1, other, "Yes"), (2, eve, "Yes"), (2, without, "Yes"),
        (2, without, "Yes"), (2, eve, "Yes"),
    ]:  # fmt: skip
        assert client.post(f"{ALL}/{number}/comment", json={"comment": said}, headers=who).status_code == 200
    assert texts(village, model) == ["", "Yes", "No", "Yes", "Yes"]
    assert texts(village, model, 2) == ["", "Yes", "Yes", "Yes"]
    long = client.post(f"{ALL}/1/comment", json={"comment": "x"}, headers={**eve, "Idempotency-Key": "k" * 256})
    assert (long.status_code, "at most 255" in long.json["error"]) == (400, True)


def test_what_was_refused_may_be_tried_again_with_its_key(village: Village, model: Repo):
    client, ada = create_app(village.hub).test_client(), headers(village, "ada", "k")
    body = {"status": "open"}
    village.decide(model, "eve", discussions.open_discussion, title="Why?", body="")
    assert client.post(f"{ALL}/2/comment", json={"comment": "x"}, headers=ada).status_code == 404
    village.decide(model, "eve", discussions.open_discussion, title="And?", body="")
    assert client.post(f"{ALL}/2/comment", json={"comment": "x"}, headers=ada).status_code == 200
    assert client.post(f"{ALL}/2/status", json=body, headers=ada).status_code == 200
    assert texts(village, model, 2) == ["", "x"]


def test_the_same_request_eight_times_at_once_is_carried_out_once(village: Village, model: Repo):
    app, eve = create_app(village.hub), headers(village, "eve", "k")

    def ask(_: int) -> int:
        return app.test_client().post(ALL, json={"title": "Why?"}, headers=eve).json["num"]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {1}
    assert list(village.discussions(model)) == [1]


def test_a_button_that_is_pressed_twice_counts_once(village: Village, model: Repo):
    client = create_app(village.hub).test_client()
    client.set_cookie(COOKIE, accounts.start_session(village.hub, "eve"))
    new = fields(client, "/ada/m/discussions/new")
    for _ in range(2):
        answer = client.post("/ada/m/discussions/new", data={**new, "title": "Why?", "body": ""})
        assert answer.headers["Location"] == "/ada/m/discussions/1"
    answers = fields(client, "/ada/m/discussions/1")
    sent = [{**answers, "comment": text} for text in ("Yes", "Yes", "No")]
    places = [client.post("/ada/m/discussions/1/comment", data=data).headers["Location"] for data in sent]
    assert places[0] == places[1] != places[2]  # to the comment itself
    assert client.post("/ada/m/discussions/1/comment", data={**sent[0], **fields(client, "/ada/m/discussions/1")})
    assert texts(village, model) == ["", "Yes", "No", "Yes"]
    hook = {**fields(client, "/settings/webhooks"), "url": "https://example.org/", "watched": "ada", "domain_repo": "1"}
    made = [client.post("/settings/webhooks", data=hook) for _ in range(2)]
    assert made[0].headers["Location"] == made[1].headers["Location"]
    assert "This hub does not know its own address" in client.get("/settings/webhooks").text


def fields(client: FlaskClient, path: str) -> dict[str, str]:
    """The hidden fields of the form on a page that is to count once."""
    page = client.get(path).text
    return {name: re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("csrf_token", "once")}


def test_commits_that_are_pushed_twice_open_one_pull_request(village: Village, model: Repo):
    number = village.propose(model, "eve", SCORE)
    village.clock -= 60  # so that the very same commit is made
    assert village.propose(model, "eve", SCORE, options=("title=Again",)) == number
    village.clock -= 60
    assert village.propose(model, "mo", SCORE) == number + 1  # somebody else's are theirs
    village.decide(model, "eve", discussions.set_status, number=number, status="closed")
    village.clock -= 60
    assert village.propose(model, "eve", SCORE) == number + 2
    village.assert_equal_to_rebuilt()
