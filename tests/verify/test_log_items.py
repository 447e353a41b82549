"""Logs item by item: filtered, searched, paged; for those who may read log and data, and harmless whatever is in."""

from __future__ import annotations

import re

import pytest

from glasshub import accounts, repos
from glasshub.audits import items
from glasshub.identity import Repo
from glasshub.web.auth import COOKIE
from tests.verify.test_log_audits import Desk, desk

__all__ = ["desk"]
pytestmark = pytest.mark.slow
HOSTILE = "<script>alert(1)</script> \x1b[2J \u202eevil \ud800 ' onload=x"


def address(desk: Desk, model: Repo, more: str = "") -> str:
    (result,) = desk.town.results(model)
    return f"/{model.repo_id}/results/{result.id}/items{more}"


def get(desk: Desk, path: str, who: str = ""):
    client = desk.app.test_client()
    if who:
        client.set_cookie(COOKIE, accounts.start_session(desk.hub, who))
    return client.get(path)


def numbers(page: str) -> list[str]:
    return re.findall(r'/items/(\d+)">', page)


@pytest.fixture
def model(desk: Desk) -> Repo:
    made = desk.report(desk.data())
    desk.audit()
    return made


def test_items_are_listed_filtered_searched_and_shown(desk: Desk, model: Repo):
    page = get(desk, address(desk, model)).text
    assert len(numbers(page)) == 27
    assert "Which of these lengths is the longest?" in page
    wrong = get(desk, address(desk, model, "?show=failures")).text
    assert len(numbers(wrong)) == 20
    assert ">wrong<" in wrong
    assert ">right<" not in wrong
    searched = get(desk, address(desk, model, "?q=LONGEST")).text
    assert 0 < len(numbers(searched)) < 27
    assert "No item matches" in get(desk, address(desk, model, "?q=no+such+words")).text
    one = get(desk, address(desk, model, "/1")).text
    assert "ANSWER: B" in one
    assert "1,250,000 mm" in one
    assert "right answer" in one
    assert get(desk, address(desk, model, "/28")).status_code == 404
    assert "Look at the items" in get(desk, address(desk, model).replace("/items", "/audit")).text


def test_search_engines_are_told_to_keep_away(desk: Desk, model: Repo):
    for more in ("", "/1"):
        answer = get(desk, address(desk, model, more))
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert '<meta name="robots" content="noindex' in answer.text


def test_long_logs_come_in_pages(desk: Desk, model: Repo, monkeypatch):
    monkeypatch.setattr(items, "PER_PAGE", 10)
    page = get(desk, address(desk, model)).text
    assert numbers(page) == [str(number) for number in range(1, 11)]
    assert numbers(get(desk, address(desk, model, "?start=11")).text)[0] == "11"
    monkeypatch.setattr(items, "SECONDS", -1.0)  # a search that takes long goes on with the next page
    page = get(desk, address(desk, model, "?q=no+such+words")).text
    assert "so far" in page
    assert "start=2" in page


def test_only_who_may_read_log_and_data_sees_items(desk: Desk):
    kept = desk.town.repo("dataset", "lab/logs")
    commit = desk.town.push(kept, {"a.eval": desk.data()})
    model = desk.town.repo("model", "lab/tiny")
    url = f"http://localhost/datasets/lab/logs/resolve/{commit}/a.eval"
    desk.town.push(model, {".eval_results/a.yaml": desk.entry(log="") + f'  source: {{url: "{url}"}}\n'})
    desk.audit()
    paths = [address(desk, model), address(desk, model, "/1")]
    for path in paths:
        assert get(desk, path).status_code == 200
    for repo in (kept, desk.dataset):
        for change, member, stranger in (
            ({"gated": "manual"}, 200, 403), ({"gated": "", "private": True}, 200, 404), ({"private": False}, 200, 200),
        ):  # fmt: skip
            repos.configure(desk.hub, desk.town.actor(), repos.by_key(desk.hub, repo.key), **change)
            for path in paths:
                assert get(desk, path, "ada").status_code == member, (repo, change)
                answer = get(desk, path, "bob")
                assert answer.status_code == stranger, (repo, change)
                assert ("longest" in answer.text) is (stranger == 200)
    repos.configure(desk.hub, desk.town.actor(), model, private=True)
    assert get(desk, paths[0], "bob").status_code == 404


def test_what_stands_in_a_log_is_text(desk: Desk):
    said = desk.log()
    sample = said["samples/1_epoch_1.json"]
    sample |= {"input": HOSTILE, "target": HOSTILE, "choices": [HOSTILE], "error": {"message": HOSTILE}}
    sample["messages"] = [{"role": HOSTILE, "content": [{"type": HOSTILE}, {"text": HOSTILE}, 7]}, {"content": None}]
    sample["scores"]["choice"] |= {"answer": HOSTILE, "explanation": HOSTILE, "value": {"a": HOSTILE}}
    said["samples/2_epoch_1.json"] = b"{"
    said["header.json"]["status"] = HOSTILE
    model = desk.report(desk.data(said))
    desk.audit()
    for path in (address(desk, model), address(desk, model, "/1"), address(desk, model).replace("/items", "/audit")):
        answer = get(desk, path)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert not {"\x1b", "\u202e"} & set(answer.text)
    assert "cannot be" in get(desk, address(desk, model)).text or "is no JSON" in get(desk, address(desk, model)).text
    assert get(desk, address(desk, model, "/2")).status_code == 400
    answer = get(desk, f"/api/models/lab/tiny/eval-results/{desk.town.results(model)[0].id}/audit")
    assert answer.status_code == 200


def test_logs_that_are_too_much_to_show_are_refused_in_words(desk: Desk):
    said = desk.log()
    said["samples/1_epoch_1.json"] = b" " * 5_000_000
    model = desk.report(desk.data(said))
    desk.audit()
    assert "larger than" in get(desk, address(desk, model)).text
    assert get(desk, address(desk, model, "/1")).status_code == 413
    assert get(desk, address(desk, model, "/2")).status_code == 200
    other = desk.report(b"not a log", "lab/other")
    desk.audit()
    assert get(desk, address(desk, other)).status_code == 400


def test_few_look_at_logs_at_the_same_time(desk: Desk, model: Repo, monkeypatch):
    monkeypatch.setattr(items, "_PATIENCE", 0.05)
    taken = [items._AT_ONCE.acquire(timeout=1) for _ in range(2)]
    try:
        assert get(desk, address(desk, model)).status_code == 503
    finally:
        for _ in taken:
            items._AT_ONCE.release()
    assert get(desk, address(desk, model)).status_code == 200
