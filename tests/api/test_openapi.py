"""The served OpenAPI document is valid, and the hub keeps it: what it answers has nothing missing and nothing more."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from glasshub import accounts, discussions, edits, indexing, pulls, receive, repos
from glasshub.app import create_app
from glasshub.audits import queue
from glasshub.audits.examine import examine
from glasshub.audits.references import Said
from glasshub.config import Settings
from glasshub.edits import Edit
from glasshub.git import read
from glasshub.git.build import Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.hub import open_hub
from glasshub.identity import Repo
from glasshub.index.queries import cursor as cursors
from glasshub.verify.assignment import parse_assignment
from tests.api.contract import HEARD, Contract, schemas
from tests.verify import bench as benches
from tests.verify.bench import ADDRESS, Bench, log_for, token_for
from tests.verify.statements import new_key
from tests.weights.files import safetensors

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
RESULTS = "/api/models/mara/first-option/eval-results"
BOARD = "/api/datasets/mara/desk-questions"
TUNED = """\
- dataset: {id: mara/desk-questions, task_id: short, revision: %s}
  value: 1
  date: "2026-01-31 12:00+02:00"
  source: {url: "https://example.org/log", name: Paper, user: mara, org: lab}
  notes: by hand
  extra: {n: 27, more: {deep: [1, null]}}
  unknown: kept
- dataset: {id: mara/desk-questions, task_id: choice}
  value: 7
- dataset: {id: others/none, task_id: x}
  value: 0.5
- dataset: {id: mara/desk-questions, task_id: choice}
  value: 0.5
  verifyToken: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA
  extra: {log: .eval_logs/none.eval}
"""


class Story:
    """A hub where a bit of everything has happened, asked by a client that holds it to its document."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.hub = bench, bench.hub
        self.api = Contract(bench.hub, base_url=ADDRESS)
        self.tokens = {name: accounts.create_token(self.hub, name, scope="write")[0] for name in bench.people}

    def push(self, repo: Repo, who: str = "mara", **files: str | bytes) -> None:
        put = [Put(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()]
        edits.commit(self.hub, repo, self.bench.people[who], Edit(put, "Change"), ref="refs/heads/main")

    def propose(self, repo: Repo, who: str, text: str, name: str) -> int:
        edit = Edit([Put(f".eval_results/{name}.yaml", text.encode())], f"Score by {who}")
        return edits.propose(self.hub, repo, self.bench.people[who], edit).pull

    def decide(self, repo: Repo, who: str, decision: Any, **fields: Any) -> None:
        receive.decide(self.hub, repo, self.bench.people[who], partial(decision, **fields))

    def model(self, name: str, **options: Any) -> Repo:
        namespace, _, rest = name.partition("/")
        return repos.create(self.hub, self.bench.people["mara"], "model", namespace, rest, **options)

    def tell(self) -> None:
        """Let it all happen."""
        self._people_and_models()
        self._runs()
        self._decisions()
        queue.catch_up(self.hub)
        while taken := queue.take(self.hub):
            queue.conclude(self.hub, taken, examine(self.hub, Said.from_json(taken.said)))

    def _people_and_models(self) -> None:
        accounts.add_org(self.hub, "lab", admin="mara", full_name="The Lab")
        self.bench.people["mara"] = accounts.actor_for(self.hub, "mara")
        with read.open_repo(self.hub.git_dir(self.bench.dataset)) as git:
            head = read.list_refs(git)["refs/heads/main"]
        weights = safetensors({"w": ("F32", [2, 3])})
        self.push(
            self.model("lab/tuned"),
            **{
                "README.md": "---\nbase_model: mara/first-option\n---\n",
                ".eval_results/own.yaml": TUNED % head[:12],
                ".eval_results/broken.yaml": "- value: x\n",
                "model.safetensors": weights,
            },
        )
        old = self.model("lab/old")
        with read.open_repo(self.hub.git_dir(old)) as git, Quarantine(git) as incoming:
            entry = b"- dataset: {id: mara/desk-questions, task_id: short}\n  value: 0.25\n"
            author = Signature("mo & co", "x@example.org", 1_700_000_000)
            new = build_commit(incoming, None, [Put(".eval_results/a.yaml", entry)], message="Begin", author=author)
            incoming.migrate()
            git.refs[b"refs/heads/main"] = new.encode()
        indexing.sync_repo(self.hub, old.key)

    def _runs(self) -> None:
        """Jobs by way of the API: one with an outcome, one that fails, and some that wait or are cancelled."""
        api, ada, mara, stranger = self.api, *(self.tokens[name] for name in ("ada", "mara", "stranger"))
        asked = {"model": "mara/first-option", "dataset": "mara/desk-questions", "task": "choice"}
        assert api.post("/api/verifications", who=mara, json=asked)["state"] == "queued"
        said = api.post("/api/runners/bench-1/lease", who=ada, json={"job": ""})
        api.get("/api/verifications")
        given = parse_assignment(said)
        assert api.post(f"/api/runs/{given.run}/progress", who=ada, json={"text": "on", "logTail": "x"})["goOn"]
        log = log_for(given)
        api.ask("put", f"/api/runs/{given.run}/log", who=ada, data=log)
        outcome = {"token": token_for(self.bench, given, log)}
        assert api.post(f"/api/runs/{given.run}/finish", who=ada, json=outcome)["state"] == "done"
        api.ask("get", f"/api/runs/{given.run}/log", status=302)
        self.run = given.run
        failing = api.post("/api/verifications", who=mara, json={**asked, "task": "short", "datasetRevision": "main"})
        run = api.post("/api/runners/bench-1/lease", who=ada, json={"job": failing["id"]})["run"]
        api.post(f"/api/runs/{run}/fail", who=ada, json={"error": "no memory", "logTail": "killed"})
        waiting = api.post("/api/verifications", who=stranger, json={**asked, "task": "short"})
        api.post(f"/api/verifications/{waiting['id']}/approve", who=ada)
        api.post(f"/api/verifications/{waiting['id']}/cancel", who=mara, json={"reason": "enough"})
        secret = self.model("mara/secret", private=True)
        self.push(secret, **{"weights.txt": "A\n"})
        hidden = api.post("/api/verifications", who=mara, json={**asked, "model": secret.repo_id})
        accounts.set_admin(self.hub, "mara", True)
        _, public = new_key("own")
        key = benches.to_jwks([public])["keys"][0]["x"]
        assert api.post("/api/runners", who=mara, json={"name": "own", "publicKey": key})["state"] == "active"
        run = api.post("/api/runners/own/lease", who=mara, json={"job": hidden["id"]})["run"]
        api.post(f"/api/runs/{run}/fail", who=mara, json={"error": "lost"})
        accounts.set_admin(self.hub, "mara", False)
        assert api.ask("post", "/api/runners/bench-1/lease", who=ada, status=204).text == ""

    def _decisions(self) -> None:
        api, mara, model = self.api, self.tokens["mara"], self.bench.model
        entry = "- dataset: {id: mara/desk-questions, task_id: short}\n  value: %s\n"
        merged = self.propose(model, "stranger", entry % 0.75, "merged")
        self.decide(model, "mara", pulls.merge, number=merged)
        closed = self.propose(model, "stranger", entry % 0.99, "closed")
        self.decide(model, "mara", discussions.set_status, number=closed, status="closed", comment="No.")
        self.propose(model, "stranger", entry % 0.5, "open")
        self.push(model, **{".eval_results/claim.yaml": entry % 0.8})
        ids = {found["data"]["value"]: found["id"] for found in api.get(RESULTS) if "id" in found}
        api.post(f"{RESULTS}/{ids[0.5]}/hide", who=mara, json={"reason": "Wrong prompt"})
        api.post(f"{RESULTS}/{ids[0.8]}/hide", who=mara)
        api.post(f"{RESULTS}/{ids[0.8]}/show", who=mara, json={})
        api.post(f"{RESULTS}/{ids[0.75]}/hide", who=mara, json={})


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    hub = open_hub(Settings(data=tmp_path_factory.mktemp("openapi") / "data"))
    story = Story(benches.make(hub))
    story.tell()
    yield story
    hub.close()


def test_the_document_is_valid_and_its_examples_are_what_it_says(hub):
    validator = pytest.importorskip("openapi_spec_validator")
    contract = Contract(hub, base_url="https://hub.example")
    document = contract.document
    validator.validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "https://hub.example"}]
    found = [(place, schema, example) for place, schema in schemas(document) for example in schema.get("examples", ())]
    assert len(found) > 20
    for place, schema, example in found:
        contract.check(example, schema, what=place)
    ids = [operation["operationId"] for _, _, operation in contract.operations()]
    assert len(set(ids)) == len(ids)


def test_every_page_leads_to_the_document(hub):
    client = create_app(hub).test_client()
    for page in ("/", "/benchmarks", "/nobody"):
        text = client.get(page).text
        assert '<link rel="service-desc" href="/api/openapi.json" type="application/json">' in text
        assert '<a href="/api">API</a>' in text


def test_people_read_the_same(hub):
    contract, page = Contract(hub), create_app(hub).test_client().get("/api").text
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert {operation["operationId"] for _, _, operation in contract.operations()} <= ids
    assert set(contract.document["components"]["schemas"]) <= ids
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_examples_of_the_docs_are_what_the_document_says(hub):
    contract = Contract(hub)
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    kinds = {"rank": "LeaderboardRow", "action": "HistoryAct", "unread": "Thread"}
    for block in re.findall(r"^```json\n(.*?)^```", text, re.M | re.S):
        example = json.loads(block.replace("5f1c…", "5f1c2a7d9e0b4c6f8a1d3e50"))
        kind = next(kinds.pop(key) for key in list(kinds) if key in example)
        contract.check(example, {"$ref": f"#/components/schemas/{kind}"}, what=kind)
    assert not kinds


def test_the_document_is_the_same_until_something_changes(hub):
    client = create_app(hub).test_client()
    first = client.get("/api/openapi.json")
    again = client.get("/api/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    assert list(first.json["paths"]) == re.findall(r'^    "(/[^"]+)": {$', first.text, re.M)


def test_lists_have_the_documented_pages(story: Story):
    api = story.api
    for address in (
        f"{BOARD}/leaderboard?task_id=short&base_model=false", f"{RESULTS}/history", "/api/runs", "/api/verifications",
        "/api/notifications",
    ):  # fmt: skip
        who = story.tokens["mara"]
        whole, found, following = api.get(address, who=who), [], f"{address}{'&' if '?' in address else '?'}limit=1"
        while following:
            answer = api.ask("get", following, who=who)
            found += answer.json
            link = re.fullmatch(r'<http://hub\.test(.+)>; rel="next"', answer.headers.get("Link", ""))
            following = link[1] if link else ""
        assert found == whole
        assert len(found) > 1
        wrong = f"{address}{'&' if '?' in address else '?'}cursor="
        for cursor in ("99999999999999999999999", "-5", "x", cursors.encode("others", "a")):
            api.ask("get", wrong + cursor, who=who, status=400)
    api.ask("get", "/api/verifications?state=done&state=lost", status=400)
    assert {job["state"] for job in api.get("/api/verifications?state=done&state=failed")} == {"done", "failed"}


def _somewhere(path: str) -> str:
    """An address of a path in the document that leads to something in the story, where there is such a thing."""
    known = {
        "ns": "mara", "name": "desk-questions" if "datasets" in path else "first-option", "runner": "bench-1",
        "kind": "models", "revision": "main", "place": "main", "number": "1", "asked": "pending",
        "account": "lab" if "organizations" in path else "mara",
    }  # fmt: skip
    return re.sub(r"{([^{}]+)}", lambda found: known.get(found[1], "0" * 16), path)


def test_parameters_and_bodies_are_read_and_no_others(story: Story):
    """What is documented of queries is what views read; a wrong kind in any documented field is complained about."""
    api, pair = story.api, {"model": "mara/first-option", "dataset": "mara/desk-questions"}
    for method, path, operation in api.operations():
        address = _somewhere(path)
        if method == "get":
            api._client.get(address, headers={"Authorization": f"Bearer {story.tokens['mara']}"}, buffered=True)
            assert HEARD[api.endpoint(method, address)] == api.query_of(operation), path
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        for name in body["schema"]["properties"] if body else ():
            required = {other: pair.get(other, "x") for other in body["schema"].get("required", ())}
            said = api.ask(method, address, json={**required, name: {"x": 1}}, status=400)
            assert name in said.json["error"], path


def _reads(story: Story) -> None:
    """Whoever asks."""
    api, results = story.api, set()
    for who in ("", *story.tokens.values()):
        ask = partial(api.get, who=who)
        ask("/api/benchmarks")
        ask(f"{BOARD}/benchmark")
        for task in ("choice", "short"):
            ask(f"{BOARD}/leaderboard?task_id={task}&base_model=false&num_parameters=")
        for model in ("mara/first-option", "lab/tuned", "lab/old"):
            one = f"/api/models/{model}/eval-results"
            ask(f"{one}/history?limit=200")
            for result in ask(f"{one}?hidden=true"):
                results.add((result.get("state", "broken"), result.get("verification", {}).get("state", "")))
                if result.get("state", "hidden") != "hidden":
                    ask(f"{one}/{result['id']}/reproduction")
                    api.ask("get", f"{one}/{result['id']}/audit", who=who, status=200 if "logAudit" in result else 404)
                    known = result["state"] in ("aligned", "out_of_range")
                    address = f"{one}/{result['id']}/every-eval-ever"
                    api.ask("get", address, who=who, status=200 if known else 409)
        ask("/api/runners")
        ask("/api/runners/bench-1")
        ask("/api/runs")
        for job in ask("/api/verifications"):
            ask(f"/api/verifications/{job['id']}")
        for feed in (
            "mara",
            "mara/first-option",
            "datasets/mara/desk-questions/leaderboard",
            "datasets/mara/desk-questions",
        ):
            api.ask("get", f"/feeds/{feed}", who=who)
    api.get("/.well-known/jwks.json")
    assert {state for state, _ in results} >= {"aligned", "no_dataset", "out_of_range", "hidden", "broken"}
    assert {badge for _, badge in results} >= {"verified", "issued-elsewhere"}
    (row,) = [row for row in api.get(f"{BOARD}/leaderboard?base_model=false&task_id=short") if row["derived"]]
    assert (row["author"]["type"], row["parameters"], row["date"]) == ("org", 6, "2026-01-31 12:00+02:00")
    assert {act["action"] for act in api.get(f"{RESULTS}/history")} >= {
        "committed",
        "merged",
        "closed",
        "hidden",
        "shown",
    }
    assert None in [act["details"] for act in api.get("/api/runs")]
    assert None not in [act["details"] for act in api.get("/api/runs", who=story.tokens["mara"])]


def _inbox(story: Story) -> None:
    api, mara, stranger = story.api, story.tokens["mara"], story.tokens["stranger"]
    assert {thread["reason"] for thread in api.get("/api/notifications", who=stranger)} >= {"opened", "result"}
    api.get("/api/notifications?unread=true", who=mara)
    threads = [{"type": "model", "name": "mara/first-option", "num": 1}]
    assert api.post("/api/notifications/read", who=mara, json={"threads": threads}) == {"read": 1}
    api.post("/api/notifications/read", who=mara, json={"all": True})


def _exports(story: Story) -> None:
    api, columns = story.api, list(story.api.document["components"]["schemas"]["ExportRecord"]["properties"])
    for address in (f"{one}/export" for one in (f"{BOARD}/leaderboard", f"{BOARD}/benchmark", RESULTS, "/api/results")):
        for who in ("", story.tokens["mara"]):
            answer = api.ask("get", f"{address}?base_model=false", who=who)
            for line in answer.text.splitlines():
                api.check(json.loads(line), {"$ref": "#/components/schemas/ExportRecord"}, what=address)
        again = {"If-None-Match": answer.headers["ETag"]}
        api.ask("get", f"{address}?base_model=false", who=who, headers=again, status=304)
        (first, *_) = csv.reader(io.StringIO(api.ask("get", f"{address}?format=csv").text))
        assert first == columns
        assert api.ask("get", f"{address}?format=eee").text.startswith("{")
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(io.BytesIO(api.ask("get", f"{address}?format=parquet").data)).column_names == columns


def test_anonymous_callers_are_asked_to_sign_in_and_others_are_refused(story: Story):
    """Regression: what is for admins of the hub or owners of runners answered 403 to anonymous callers."""
    run, key = f"/api/runs/{story.run}", benches.to_jwks([new_key("x")[1]])["keys"][0]
    known = story.api.get("/.well-known/jwks.json")["keys"][0]["kid"]
    for method, address, body in (
        ("post", f"{RESULTS}/{'0' * 16}/hide", {}),
        ("post", f"{RESULTS}/{'0' * 16}/show", {}),
        ("post", "/api/runners/bench-1/approve", {}),
        ("post", "/api/runners/bench-1/retire", {}),
        ("post", "/api/runners/bench-1/keys", {"publicKey": key["x"]}),
        ("post", f"/api/runners/bench-1/keys/{known}/revoke", {"reason": "x"}),
        ("post", "/api/runners/bench-1/lease", {}),
        ("post", f"{run}/progress", {}),
        ("put", f"{run}/log", {}),
        ("post", f"{run}/finish", {"token": "x"}),
        ("post", f"{run}/fail", {"error": "x"}),
        ("post", f"{run}/revoke", {"reason": "x"}),
    ):
        story.api.ask(method, address, json=body, status=401)
        story.api.ask(method, address, who=story.tokens["stranger"], json=body, status=403)


def _admins(story: Story) -> None:
    """The last part, since it takes badges away."""
    api, ada, stranger = story.api, story.tokens["ada"], story.tokens["stranger"]
    keys = [benches.to_jwks([new_key("other")[1]])["keys"][0]["x"] for _ in range(2)]
    asked = {"name": "other", "publicKey": keys[0]}
    assert api.post("/api/runners", who=stranger, json=asked)["state"] == "pending"
    api.post("/api/runners", who=stranger, json=asked, status=409)
    api.post("/api/runners/other/approve", who=stranger, status=403)
    api.post("/api/runners/other/approve", who=ada)
    kid = api.post("/api/runners/other/keys", who=stranger, json={"publicKey": keys[1]})["keys"][0]["kid"]
    api.post(f"/api/runners/other/keys/{kid}/revoke", who=stranger, json={"reason": "lost"})
    api.post("/api/runners/other/retire", who=ada)
    api.post(f"/api/runs/{story.run}/revoke", who=ada, json={"reason": "bad scorer"})
    assert "key-revoked" in [row["verification"]["state"] for row in api.get(RESULTS) if "verification" in row]
    api.get("/api/runs")
    api.get("/.well-known/jwks.json")
    api.get("/api/openapi.json")
    api.get("/api/models/mara/none/eval-results", status=404)
    api.get("/api/benchmarks", who="wrong", status=401)
    repos.move(story.hub, story.bench.people["mara"], story.bench.model, "mara", "renamed")
    api.ask("get", RESULTS, status=307)


def test_every_operation_answers_as_documented(story: Story):
    for part in (_reads, _inbox, _exports, _admins):
        part(story)
    assert story.api.kept == {operation["operationId"] for _, _, operation in story.api.operations(stock=False)}
