"""Feeds: valid Atom, with what the reader may see and nothing that was hidden or closed."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from xml.etree import ElementTree

import feedparser
import pytest

from glasshub import accounts, discussions, pulls, repos, results
from tests.index.town import eval_yaml, result
from tests.notices.conftest import Place

pytestmark = pytest.mark.slow
ATOM = "{http://www.w3.org/2005/Atom}"
BOARD = "/feeds/datasets/ada/board/leaderboard?task=one"


@pytest.fixture
def place(town: Place) -> Place:
    town.dataset("ada/board", eval_yaml("one", "two", metrics="one: {range: [0, 1]}"))
    town.model("lab/m", result("ada/board", "one", 0.5, notes="<b>five</b> & shots"), card="# m")
    town.model("lab/secret", result("ada/board", "one", 0.9), card="# s", private=True)
    return town


def get(town: Place, path: str, *, token: str = "", etag: str = "", status: int = 200):
    headers = {"If-None-Match": etag} if etag else {}
    if token:
        headers["Authorization"] = "Basic " + base64.b64encode(f"any:{token}".encode()).decode()
    answer = town.app.test_client().get(path, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


def read(town: Place, path: str, **options) -> feedparser.FeedParserDict:
    """The feed as a feed reader has it, after everything that RFC 4287 demands was checked."""
    answer = get(town, path, **options)
    assert answer.content_type == "application/atom+xml; charset=utf-8"
    check(answer.data)
    found = feedparser.parse(answer.data)
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == "atom10"
    return found


def check(data: bytes) -> None:
    root = ElementTree.fromstring(data)  # noqa: S314 - our own
    assert root.tag == f"{ATOM}feed"
    seen = set()
    for element in (root, *root.iter(f"{ATOM}entry")):
        for tag in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{tag}")) == 1, f"{tag} of {element.tag}"
        for tag in ("updated", "published"):
            for date in element.findall(f"{ATOM}{tag}"):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", date.text or "")
                assert datetime.fromisoformat(date.text or "").tzinfo
        name = element.find(f"{ATOM}id")
        assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", name.text or "")
        assert name.text not in seen
        seen.add(name.text)
        assert all(person.find(f"{ATOM}name").text for person in element.findall(f"{ATOM}author"))
        alternates = [link for link in element.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert len(alternates) == 1
        assert alternates[0].get("href", "").startswith("https://hub.example.org/")
    assert len(root.findall(f"{ATOM}author")) == 1  # so that entries may do without
    assert [link.get("rel") for link in root.findall(f"{ATOM}link")] == ["self", "alternate"]
    dates = [entry.find(f"{ATOM}updated").text for entry in root.iter(f"{ATOM}entry")]
    assert dates == sorted(dates, reverse=True)


def titles(town: Place, path: str, **options) -> list[str]:
    return [entry.title for entry in read(town, path, **options).entries]


def test_a_leaderboard_tells_of_new_results(place: Place):
    found = read(place, BOARD)
    assert found.feed.title == "Capitals: one · Glasshub"
    (entry,) = found.entries
    assert entry.title == "lab/m: 0.5 on ada/board, one"
    assert "&lt;b&gt;five&lt;/b&gt; &amp; shots" in get(place, BOARD).text
    page = entry.link.removeprefix("https://hub.example.org")
    assert place.app.test_client().get(page).status_code == 200
    assert titles(place, "/feeds/datasets/ada/board/leaderboard?task=two") == []
    assert titles(place, "/feeds/datasets/ada/board/leaderboard") == [entry.title]


def test_a_model_tells_of_results_and_discussions(place: Place):
    model = repos.find(place.hub, "model", "lab", "m")
    number = place.discuss(model, "Is it *five*?\x0b \ufffe", title="Which <shots>?", user="bob")
    place.comment(model, number, "Yes.")
    found = read(place, "/feeds/lab/m")
    assert found.entries[0].title == "lab/m: Which <shots>? (discussion 1, open)"
    assert found.entries[0].author == "bob"
    assert found.entries[0].link == "https://hub.example.org/lab/m/discussions/1"
    assert found.entries[1].title.startswith("lab/m: 0.5")
    assert titles(place, "/feeds/datasets/ada/board") == []


def test_people_and_organisations_tell_of_their_repos_and_of_what_they_opened(place: Place):
    model = repos.find(place.hub, "model", "lab", "m")
    place.discuss(model, user="bob")
    assert titles(place, "/feeds/lab") == ["lab/m: A question (discussion 1, open)", "lab/m: 0.5 on ada/board, one"]
    assert titles(place, "/feeds/bob") == ["lab/m: A question (discussion 1, open)"]
    assert titles(place, "/feeds/LAB") == titles(place, "/feeds/lab")
    assert titles(place, "/feeds/stranger") == []
    get(place, "/feeds/nobody", status=404)


def test_hidden_results_and_closed_pull_requests_never_appear(place: Place):
    model = repos.find(place.hub, "model", "lab", "m")
    everywhere = (BOARD, "/feeds/lab/m", "/feeds/lab", "/feeds/bob")
    place.propose(model, {".eval_results/pr.yaml": result("ada/board", "one", 0.75)}, title="Proposed score")
    assert titles(place, BOARD) == ["lab/m: 0.75 on ada/board, one", "lab/m: 0.5 on ada/board, one"]
    assert all("Proposed" in get(place, path).text for path in everywhere[1:])
    place.decide(model, discussions.set_status, number=1, status="closed")
    assert all("0.75" not in get(place, path).text for path in everywhere)
    assert all("Proposed" not in get(place, path).text for path in everywhere)
    place.decide(model, discussions.set_status, number=1, status="open")
    assert "0.75" in get(place, BOARD).text
    (shown,) = [row for row in place.results(model) if row.value == 0.75]
    place.decide(model, results.hide_result, result_id=shown.id)
    assert all("0.75" not in get(place, path).text for path in everywhere)
    place.decide(model, pulls.merge, number=1)
    assert all("0.75" not in get(place, path).text for path in everywhere)
    assert "(pull request 1, merged)" in get(place, "/feeds/lab/m").text


def test_hidden_openings_are_told_without_their_text(place: Place):
    model = repos.find(place.hub, "model", "lab", "m")
    move = place.decide(model, discussions.open_discussion, user="bob", title="Look", body="Rude words.")
    assert "Rude words." in get(place, "/feeds/lab/m").text
    place.decide(model, discussions.hide_comment, number=1, comment_id=move.events[0].id)
    assert "Rude words." not in get(place, "/feeds/lab/m").text


def test_private_repos_are_told_to_those_who_may_read_them_by_token_alone(place: Place):
    secret = repos.find(place.hub, "model", "lab", "secret")
    place.discuss(secret, title="Hush")
    tokens = {user: accounts.create_token(place.hub, user, scope="read")[0] for user in ("rita", "stranger")}
    for path in (BOARD, "/feeds/lab", "/feeds/ada"):
        for options in ({}, {"token": tokens["stranger"]}):
            assert "secret" not in get(place, path, **options).text
            assert "Hush" not in get(place, path, **options).text
    get(place, "/feeds/lab/secret", status=404)
    get(place, "/feeds/lab/secret", token=tokens["stranger"], status=404)
    get(place, "/feeds/lab", token="ghb_wrong", status=401)
    assert titles(place, BOARD, token=tokens["rita"])[0] == "lab/secret: 0.9 on ada/board, one"
    assert titles(place, "/feeds/lab/secret", token=tokens["rita"])[0].startswith("lab/secret: Hush")
    client = place.app.test_client()
    client.set_cookie("glasshub_session", accounts.start_session(place.hub, "ada"))
    assert client.get("/feeds/lab/secret").status_code == 404  # feeds look at no cookies


def test_an_unchanged_feed_is_not_sent_again(place: Place):
    first = get(place, "/feeds/lab/m")
    again = get(place, "/feeds/lab/m", etag=first.headers["ETag"], status=304)
    assert again.data == b""
    place.discuss(repos.find(place.hub, "model", "lab", "m"))
    changed = get(place, "/feeds/lab/m", etag=first.headers["ETag"])
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_ids_stay_when_things_change_or_move(place: Place):
    model = repos.find(place.hub, "model", "lab", "m")
    place.propose(model, {".eval_results/pr.yaml": result("ada/board", "one", 0.75)})
    before = {entry.id for entry in read(place, "/feeds/lab/m").entries}
    place.decide(model, pulls.merge, number=1)
    repos.move(place.hub, place.actor(), model, "lab", "renamed")
    assert {entry.id for entry in read(place, "/feeds/lab/renamed").entries} == before
    moved = get(place, "/feeds/lab/m", status=307)
    assert moved.headers["Location"] == "/feeds/lab/renamed"


@pytest.mark.parametrize(
    "page", ["/lab/m", "/datasets/ada/board", "/datasets/ada/board/leaderboard?task=one", "/lab", "/ada"]
)
def test_pages_name_their_feeds(place: Place, page: str):
    client = place.app.test_client()
    links = re.findall(r'<link rel="alternate" type="application/atom\+xml" href="([^"]+)"', client.get(page).text)
    assert links
    for link in links:
        read(place, link.replace("&amp;", "&"))
