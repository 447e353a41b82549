"""Exports over the API: what they hold, for whom, and that nobody finds there what is hidden or private."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from glasshub import accounts, receive, repos, results
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.exports import parquet_file
from glasshub.hub import open_hub
from glasshub.index import queries
from tests.index.town import EVERYONE, Town, eval_yaml, result

pytestmark = pytest.mark.slow

BOARD = "/api/datasets/lab/cap/leaderboard/export"
BENCHMARK = "/api/datasets/lab/cap/benchmark/export"
EVERYTHING = "/api/results/export"
app_of = lru_cache(1)(create_app)
HOSTILE = '=HYPERLINK(\\"http://evil.example\\",\\"x\\")'


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A benchmark of two tasks, three public models (one a fine-tune), a private one, and results that do not count."""
    hub = open_hub(Settings(data=tmp_path_factory.mktemp("exports") / "data"))
    for name in ("ada", "bob"):
        accounts.add_user(hub, name)
    accounts.add_org(hub, "lab", admin="ada", full_name="The Lab")
    built = Town(hub)
    built.dataset("lab/cap", eval_yaml("europe", "asia", metrics="asia: {name: errors, higher_is_better: false}"))
    built.model("ada/one", result("lab/cap", "europe", 0.5, notes=HOSTILE) + result("lab/cap", "asia", 7))
    two = result("lab/cap", "europe", 0.5) + result("lab/cap", "europe", 0.25, notes="by hand")
    built.model("ada/two", two + result("lab/none", "x", 1))
    built.model("bob/tuned", result("lab/cap", "europe", 0.9), card="---\nbase_model: ada/one\n---\n")
    built.model("lab/secret", result("lab/cap", "europe", 0.8), private=True)
    yield built
    hub.close()


def get(town: Town, address: str, who: str = "", tag: str = "", method: str = "GET", **query: str) -> TestResponse:
    """What the hub answers, all of it."""
    headers = {"Authorization": f"Bearer {accounts.create_token(town.hub, who)[0]}"} if who else {}
    headers |= {"If-None-Match": tag} if tag else {}
    return (
        app_of(town.hub)
        .test_client()
        .open(address, method=method, query_string=query or None, headers=headers, buffered=True)
    )


def asked(town: Town, address: str, who: str = "", **query: str) -> str:
    """The body of a successful answer."""
    answer = get(town, address, who, **query)
    assert answer.status_code == 200, answer.text
    return answer.text


def rows(town: Town, address: str, who: str = "", **query: str) -> list[dict]:
    return [json.loads(line) for line in asked(town, address, who, **query).splitlines()]


def standing(found: list[dict]) -> list[tuple]:
    return [(row["rank"], row["model"], row["value"]) for row in found]


def test_a_leaderboard_is_what_its_page_shows(town: Town):
    found = rows(town, BOARD)
    assert standing(found) == [(1, "ada/one", 0.5), (1, "ada/two", 0.5)]
    assert [row["of"] for row in found] == [2, 2]
    assert standing(rows(town, BOARD, task_id="europe", base_model="false"))[0] == (1, "bob/tuned", 0.9)
    (asia,) = rows(town, BOARD, task_id="asia")
    assert (asia["value"], asia["metric"], asia["higher_is_better"]) == (7, "errors", False)
    for row, known in zip(found, get(town, BOARD.removesuffix("/export")).json, strict=True):
        same = {"model": "modelId", "value": "value", "path": "filename", "task": "task_id"}
        same |= {
            name: name for name in ("verified", "date", "origin", "commit", "line", "id", "reports", "low", "high")
        }
        assert {name: row[name] for name in same} == {name: known[other] for name, other in same.items()}


def test_a_benchmark_has_the_leaderboards_of_all_its_tasks(town: Town):
    assert [row["task"] for row in rows(town, BENCHMARK)] == ["europe", "europe", "asia"]
    assert len(rows(town, BENCHMARK, base_model="false")) == 4


def test_a_model_has_every_result_it_shows_with_its_state(town: Town):
    found = rows(town, "/api/models/ada/two/eval-results/export")
    assert [(row["value"], row["headline"], row["state"]) for row in found] == [
        (0.5, True, "aligned"),
        (0.25, False, "aligned"),
        (1, False, "no_dataset"),
    ]
    assert (found[0]["reports"], found[0]["low"], found[0]["high"]) == (2, 0.25, 0.5)
    assert found[2]["benchmark"] is None


def test_the_whole_hub_is_all_models_as_the_reader_may_see_them(town: Town):
    mine = [model for model in ("ada/one", "ada/two", "bob/tuned") for _ in rows_of(town, model)]
    assert [row["model"] for row in rows(town, EVERYTHING)] == mine
    assert {row["model"] for row in rows(town, EVERYTHING, base_model="true")} == {"ada/one", "ada/two"}
    assert [row["model"] for row in rows(town, EVERYTHING, "bob")] == mine
    assert [row["model"] for row in rows(town, EVERYTHING, "ada")] == [*mine, "lab/secret"]


def rows_of(town: Town, model: str) -> list[dict]:
    return rows(town, f"/api/models/{model}/eval-results/export")


@pytest.mark.parametrize("address", [BOARD, BENCHMARK, EVERYTHING])
def test_private_models_are_there_for_members_alone_and_leave_no_gap(town: Town, address: str):
    for who in ("", "bob"):
        assert "secret" not in asked(town, address, who)
    assert "lab/secret" in asked(town, address, "ada")
    assert standing(rows(town, BOARD, "bob")) == [(1, "ada/one", 0.5), (1, "ada/two", 0.5)]
    assert standing(rows(town, BOARD, "ada"))[:2] == [(1, "lab/secret", 0.8), (2, "ada/one", 0.5)]


def test_what_one_may_not_read_is_missing(town: Town):
    secret = "/api/models/lab/secret/eval-results/export"
    for who in ("", "bob"):
        answer = get(town, secret, who)
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, "RepoNotFound")
    assert len(rows(town, secret, "ada")) == 1
    for address, query in ((BOARD, {"task_id": "africa"}), ("/api/datasets/lab/no/benchmark/export", {})):
        assert get(town, address, **query).status_code == 404


def test_a_hidden_result_is_gone_at_once_and_comes_back(town: Town):
    model = repos.find(town.hub, "model", "ada", "two")
    addresses = (BOARD, BENCHMARK, EVERYTHING, "/api/models/ada/two/eval-results/export")
    before = {address: asked(town, address) for address in addresses}
    tags = {address: get(town, address).headers["ETag"] for address in addresses}
    shown = next(row.id for row in queries.results_of_model(town.hub.index.read(), EVERYONE, model.key) if row.headline)
    receive.decide(town.hub, model, town.actor(), partial(results.hide_result, result_id=shown, reason="wrong"))
    for address in addresses:
        for format in ("jsonl", "csv"):
            assert shown not in asked(town, address, format=format)
            assert shown not in asked(town, address, "ada", format=format)  # not even for whoever hid it
        answer = get(town, address, tag=tags[address])
        assert (answer.status_code, answer.headers["ETag"] != tags[address]) == (200, True)
    assert (2, "ada/two", 0.25) in standing(rows(town, BOARD))
    receive.decide(town.hub, model, town.actor(), partial(results.show_result, result_id=shown))
    assert {address: asked(town, address) for address in addresses} == before


def test_an_unchanged_hub_answers_304_and_each_reader_has_their_own_tag(town: Town):
    tag = get(town, EVERYTHING).headers["ETag"]
    again = get(town, EVERYTHING, tag=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert get(town, EVERYTHING, "ada", tag=tag).status_code == 200
    assert get(town, EVERYTHING, tag=tag, format="csv").status_code == 200


def test_files_have_names_that_say_what_they_hold(town: Town):
    names = {
        get(town, address, method="HEAD", format="csv").headers["Content-Disposition"]
        for address in (BOARD, BENCHMARK, EVERYTHING, "/api/models/ada/two/eval-results/export")
    }
    assert names == {
        f'attachment; filename="{name}.csv"'
        for name in ("lab-cap-europe", "lab-cap", "Glasshub-results", "ada-two-results")
    }


def test_csv_has_the_same_rows_and_no_formulas(town: Town):
    text = asked(town, EVERYTHING, format="csv")
    assert text.endswith("\r\n")
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    plain = rows(town, EVERYTHING)
    assert list(found[0]) == list(plain[0])
    notes = HOSTILE.replace("\\", "")
    assert [row["notes"] for row in found if row["notes"]] == [f"'{notes}", "by hand"]
    assert plain[0]["notes"] == notes or plain[1]["notes"] == notes
    assert [float(row["value"]) for row in found] == [row["value"] for row in plain]
    assert {row["headline"] for row in found} == {"true", "false"}


def test_parquet_has_the_same_rows_with_types(town: Town, tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    answer = get(town, EVERYTHING, format="parquet")
    table = parquet.read_table(io.BytesIO(answer.data))
    plain = rows(town, EVERYTHING)
    assert [row | {"extra": None} for row in table.to_pylist()] == [row | {"extra": None} for row in plain]
    assert [str(table.schema.field(name).type) for name in ("rank", "value", "headline")] == ["int64", "double", "bool"]


def test_without_pyarrow_parquet_is_neither_offered_nor_written(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parquet_file, "available", lambda: False)
    answer = get(town, EVERYTHING, format="parquet")
    assert answer.status_code == 400
    assert "glasshub[parquet]" in answer.json["error"]
    page = get(town, "/ada/two").text
    assert "format=csv" in page
    assert "format=parquet" not in page
    assert "csv, jsonl, parquet" in get(town, EVERYTHING, format="xls").json["error"]


@pytest.mark.parametrize(
    "page",
    [
        "/ada/two",
        "/ada/two/evaluations",
        "/datasets/lab/cap",
        "/datasets/lab/cap/leaderboard?base_model=all",
        "/benchmarks",
    ],
)
def test_pages_link_to_what_they_show(town: Town, page: str):
    html = get(town, page).text
    (address,) = [part.split('"')[0] for part in html.split('href="')[1:] if "export?format=csv" in part.split('"')[0]]
    answer = get(town, address.replace("&amp;", "&"))
    assert answer.status_code == 200
    assert ("bob/tuned" in answer.text) == (page.endswith("all") or page == "/benchmarks")


def test_an_export_is_what_the_hub_showed_when_it_began(tmp_path: Path):
    hub = open_hub(Settings(data=tmp_path / "data"))
    accounts.add_user(hub, "ada")
    town = Town(hub)
    town.dataset("ada/cap", eval_yaml("europe"))
    models = [town.model(f"ada/m{n}", result("ada/cap", "europe", n)) for n in range(1, 4)]
    with hub.index.moment() as db:
        before = queries.models_with_results(db, EVERYONE)
        town.push(models[1], {".eval_results/own.yaml": result("ada/cap", "europe", 9)})
        repos.delete(hub, town.actor(), models[2])
        assert queries.models_with_results(db, EVERYONE) == before
        assert [row.value for row in queries.results_of_model(db, EVERYONE, models[1].key)] == [2]
    assert [row["value"] for row in rows(town, EVERYTHING)] == [1, 9]
    hub.close()
