"""The evaluation history as a page and in the API: what it tells, to whom, and in which pages."""

from __future__ import annotations

import pytest

from glasshub import discussions, pulls, results
from tests.pages.forum import MODEL, NEW, OWN, Forum, build_forum
from tests.pages.markup import faults
from tests.pages.site import result

pytestmark = pytest.mark.slow
PAGE = f"/{MODEL}/evaluations/history"
API = f"/api/models/{MODEL}/eval-results/history"


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory):
    built = build_forum(tmp_path_factory.mktemp("history"))
    _tell(built)
    yield built
    built.hub.close()


def _tell(forum: Forum) -> None:
    """A merged pull request, a closed one, a draft, a hidden result, a correction, a removal."""
    forum.propose("sam", {NEW: result(9, task="asia")}, title="Asia")
    forum.decide("wil", pulls.merge, number=1)
    forum.propose("mo", {".eval_results/mo.yaml": result(99)}, title="Too <b>good</b>")
    forum.decide("wil", discussions.set_status, number=2, status="closed", comment="Trained on the <i>test set</i>.")
    forum.push("model", MODEL, {OWN: result(48.5) + result(3, task="asia")}, message="Correct it")
    forum.push("model", MODEL, {OWN: result(48.5)}, message="Take one back")
    (merged,) = {row["id"] for row in _lines(forum) if row["value"] == 9}
    forum.decide("ada", results.hide_result, result_id=merged, reason="Another <u>prompt</u>.")


def _lines(forum: Forum) -> list[dict]:
    return [line for act in forum.client().get(API).json for line in act["results"]]


def test_the_page_tells_everything_and_escapes_it(forum: Forum):
    page = forum.get(PAGE)
    for words in (
        "<strong>sam</strong> proposed results in",
        "<strong>wil</strong> merged",
        "<strong>wil</strong> closed",
        "PR 2: Too &lt;b&gt;good&lt;/b&gt;",
        "Trained on the &lt;i&gt;test set&lt;/i&gt;.",
        "<strong>ada</strong> hid a result",
        "Another &lt;u&gt;prompt&lt;/u&gt;.",
        "<del>47.25</del>",
        "1 result hidden by the author",
        "in a closed PR",
        "no longer there",
    ):
        assert words in page, words
    assert faults(page) == []
    assert "<form" not in page.split("<main")[1]
    assert "Show this result" in forum.get(PAGE, "wil")


def test_card_and_evaluations_say_how_many_are_hidden_and_lead_to_the_record(forum: Forum):
    for path in (f"/{MODEL}", f"/{MODEL}/evaluations", f"/datasets/lab/capitals/leaderboard?task=europe&model={MODEL}"):
        page = forum.get(path)
        assert f'<a href="{PAGE}#hidden">1 result hidden by the author</a>' in page
        assert faults(page) == []
    assert 'id="hidden"' in forum.get(PAGE)


def test_the_api_names_who_when_commit_pull_request_and_reason(forum: Forum):
    acts = forum.client().get(API).json
    told = [(act["action"], act["actor"], [line["value"] for line in act["results"]]) for act in acts]
    assert sorted(told) == sorted([
        ("hidden", "ada", [9]), ("committed", "ada", [3]), ("committed", "ada", [48.5, 3]), ("closed", "wil", [99]),
        ("opened", "mo", [99]), ("merged", "wil", [9]), ("opened", "sam", [9]), ("committed", "ada", [47.25]),
    ])  # fmt: skip
    by_action = {act["action"]: act for act in acts}
    closed, hidden, merged = by_action["closed"], by_action["hidden"], by_action["merged"]
    assert closed["reason"] == "Trained on the <i>test set</i>."
    assert closed["pullRequest"] == {"num": 2, "title": "Too <b>good</b>", "author": "mo"}
    assert closed["results"][0]["state"] == "closed"
    assert (hidden["reason"], hidden["results"][0]["state"]) == ("Another <u>prompt</u>.", "hidden")
    assert merged["pullRequest"]["author"] == "sam"
    for act in acts:
        for commit in filter(None, (act["commit"], act["record"])):
            assert forum.client().get(f"/{MODEL}/commit/{commit}").status_code == 200
    (changed,) = [line for act in acts for line in act["results"] if line["change"] == "changed"]
    assert (changed["before"]["value"], changed["value"]) == (47.25, 48.5)


def test_pages_follow_each_other(forum: Forum):
    whole = forum.client().get(f"{API}?limit=200").json
    found, address = [], f"{API}?limit=3"
    while address:
        answer = forum.client().get(address)
        found += answer.json
        link = answer.headers.get("Link", "")
        address = link.split("hub.example")[1].split(">")[0] if link else ""
    assert found == whole
    for bad in ("x", "'; DROP TABLE", "%00", "WyJoaXN0b3J5Il0"):
        assert forum.client().get(f"{API}?cursor={bad}").status_code == 400
        assert forum.client().get(f"{PAGE}?cursor={bad}").status_code == 400
    assert forum.client().get(f"{API}?limit=0").status_code == 400


def test_a_private_model_keeps_its_history_to_its_readers(forum: Forum):
    forum.push("model", "lab/hidden", {OWN: result(11)}, private=True)
    for path in ("/lab/hidden/evaluations/history", "/api/models/lab/hidden/eval-results/history"):
        assert forum.client().get(path).status_code == 404
        assert forum.client("mo").get(path).status_code == 404
        assert "11" in forum.get(path, "wil")


def test_an_act_with_very_many_results_is_cut_short(forum: Forum):
    many = "".join(result(n / 10) for n in range(1100))
    forum.push("model", "ada/many", {".eval_results/many.yaml": many}, message="Very many")
    page = forum.get("/ada/many/evaluations/history")
    assert page.count('class="claim-value"') == 200
    assert "900 are left out here" in page
    (act,) = forum.client().get("/api/models/ada/many/eval-results/history").json
    assert (len(act["results"]), act["moreResults"]) == (1000, 100)


def test_a_model_without_results_says_so(forum: Forum):
    forum.push("model", "ada/plain", {"README.md": "# Plain\n"})
    page = forum.get("/ada/plain/evaluations/history")
    assert "No result has ever been reported" in page
    assert faults(page) == []
    assert "Nobody has reported a score of this model here." in forum.get("/ada/plain")
