"""Badges follow what they depend on: keys, runs, weights, benchmarks, names; kept and rebuilt index agree."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from glasshub import accounts, attested, repos, runners, runs
from glasshub.app import create_app
from glasshub.evals.eval_yaml import parse_eval_yaml
from glasshub.git import read
from glasshub.identity import Actor, Repo
from glasshub.verify import digests, token
from glasshub.verify.claims import parse_claims
from glasshub.verify.keys import RunnerKey, load_private_key, new_private_key, public_bytes, thumbprint, to_jwks
from glasshub.verify.record import Kind
from tests.index.town import Town, eval_yaml
from tests.verify.statements import said

pytestmark = pytest.mark.slow

BENCHMARK = eval_yaml("choice", "order")
OPERATOR = Actor(name="operator", is_hub_admin=True, scope="write")


@dataclass
class Bench:
    """A hub with a benchmark, a model, and a runner that signs whatever it is told to."""

    town: Town
    model: Repo
    dataset: Repo

    @property
    def hub(self):
        return self.town.hub

    def head(self, repo: Repo) -> str:
        with read.open_repo(self.hub.git_dir(repo)) as git:
            return read.list_refs(git)["refs/heads/main"]

    def content(self, repo: Repo) -> str:
        with read.open_repo(self.hub.git_dir(repo)) as git:
            return attested.content_of(git, self.head(repo))

    def claims(self, **changes: Any) -> dict[str, Any]:
        task = next(t for t in parse_eval_yaml(BENCHMARK.encode()).spec.tasks if t.id == "choice")
        true = {
            "model__id": self.model.repo_id, "model__sha": self.head(self.model),
            "model__weights_sha256": self.content(self.model), "dataset__id": self.dataset.repo_id,
            "dataset__sha": self.head(self.dataset), "dataset__data_sha256": self.content(self.dataset),
            "task__spec_sha256": digests.spec_sha256(task.spec, None),
        }  # fmt: skip
        claims = said(**{**true, **changes})
        if "sub" not in changes:
            claims["sub"] = f"models/{claims['model']['id']}@{claims['model']['sha']}"
        return claims

    def token(self, private, *, record: bool = True, **changes: Any) -> str:
        claims = parse_claims(json.dumps(self.claims(**changes)).encode())
        text = token.sign(claims, private)
        if record:
            self.record(claims.jti, text)
        return text

    def record(self, run: str, text: str) -> None:
        details = {"token_sha256": digests.sha256(text.encode())}
        runs.enter(self.hub, runs.Act(Kind.ISSUED, run, "bench-1", self.model, self.dataset, details))

    def report(
        self, text: str, *, value: float = 0.75, task: str = "choice", path: str = "verified", repo: Repo | None = None
    ) -> None:
        entry = (
            f"- dataset: {{id: {self.dataset.repo_id}, task_id: {task}}}\n  value: {value}\n"
            f'  date: "2026-01-01"\n  verifyToken: {text}\n'
        )
        self.town.push(repo or self.model, {f".eval_results/{path}.yaml": entry})

    def badges(self, repo: Repo | None = None) -> list[str]:
        self.town.assert_equal_to_rebuilt()
        return [row.badge for row in self.town.results(repo or self.model) if row.verify_token]


@pytest.fixture
def private():
    return load_private_key(new_private_key())


@pytest.fixture
def bench(town: Town, private) -> Bench:
    dataset = town.dataset("lab/quiz", BENCHMARK)
    town.push(dataset, {"data/test.jsonl": '{"question": "1 + 1", "answer": "2"}\n'})
    model = town.model("lab/tiny")
    town.push(model, {"model.safetensors": b"weights", "config.json": "{}"})
    public = public_bytes(private)
    jwk = to_jwks([RunnerKey(thumbprint(public), "bench-1", public, "")])["keys"][0]
    accounts.add_user(town.hub, "root-admin", admin=True)
    runners.register(town.hub, replace(accounts.actor_for(town.hub, "root-admin"), scope="write"), "bench-1", jwk["x"])
    with town.hub.registry.write() as db:  # the statements of these tests were signed long ago
        runs.rows.begin_key(db, thumbprint(public), "2026-01-01T00:00:00.000Z")
    runs.publish(town.hub)
    return Bench(town, model, dataset)


def test_a_run_on_weights_is_verified_and_stands_for_the_model(bench: Bench, private):
    bench.town.push(
        bench.model, {".eval_results/own.yaml": "- dataset: {id: lab/quiz, task_id: choice}\n  value: 0.99\n"}
    )
    bench.report(bench.token(private))
    assert bench.badges() == ["verified"]
    assert bench.town.standing(bench.dataset, "choice") == [(1, "lab/tiny", 0.75)]


def test_an_endpoint_run_ranks_below_weights_and_above_the_author(bench: Bench, private):
    bench.town.push(
        bench.model, {".eval_results/own.yaml": "- dataset: {id: lab/quiz, task_id: choice}\n  value: 0.99\n"}
    )
    bench.report(bench.token(private, model__served="endpoint", jti="e" * 32), path="endpoint")
    assert bench.badges() == ["verified-endpoint"]
    assert bench.town.standing(bench.dataset, "choice") == [(1, "lab/tiny", 0.75)]
    bench.report(bench.token(private, value=0.7), value=0.7)
    assert bench.town.standing(bench.dataset, "choice") == [(1, "lab/tiny", 0.7)]


def test_readme_edits_keep_the_badge_and_weights_do_not(bench: Bench, private):
    bench.report(bench.token(private))
    bench.town.push(bench.model, {"README.md": "# Tiny\n"})
    assert bench.badges() == ["verified"]
    bench.town.push(bench.model, {"model.safetensors": b"other weights"})
    assert bench.badges() == ["verified-older-weights"]
    bench.town.push(bench.model, {"model.safetensors": b"weights"})
    assert bench.badges() == ["verified"]


def test_a_benchmark_that_moves_on_is_told(bench: Bench, private):
    bench.report(bench.token(private))
    bench.town.push(bench.dataset, {"README.md": "# Quiz\n"})
    assert bench.badges() == ["verified"]
    bench.town.push(bench.dataset, {"data/test.jsonl": '{"question": "1 + 1", "answer": "3"}\n'})
    assert bench.badges() == ["verified-older-benchmark"]
    bench.town.push(bench.dataset, {"data/test.jsonl": '{"question": "1 + 1", "answer": "2"}\n'})
    assert bench.badges() == ["verified"]
    bench.town.push(bench.dataset, {"eval.yaml": BENCHMARK.replace("id: choice", "id: choice\n    epochs: 2")})
    assert bench.badges() == ["verified-older-benchmark"]


CARD = "---\nconfigs:\n- config_name: default\n  data_files: [{split: test, path: data/%s.jsonl}]\n---\n# Quiz\n"


def test_a_card_that_makes_other_files_the_data_is_told(bench: Bench, private):
    """Regression: what the card says of data files was bound by no digest."""
    bench.town.push(
        bench.dataset, {"README.md": CARD % "test", "data/easy.jsonl": '{"question": "1", "answer": "1"}\n'}
    )
    entry = {"config_name": "default", "data_files": [{"split": "test", "path": "data/test.jsonl"}]}
    task = next(t for t in parse_eval_yaml(BENCHMARK.encode()).spec.tasks if t.id == "choice")
    bench.report(bench.token(private, task__spec_sha256=digests.spec_sha256(task.spec, entry)))
    assert bench.badges() == ["verified"]
    bench.town.push(bench.dataset, {"README.md": CARD % "easy"})
    assert bench.badges() == ["verified-older-benchmark"]


def test_a_task_that_no_digest_can_be_made_of_costs_no_push(bench: Bench, private):
    bench.report(bench.token(private))
    huge = BENCHMARK.replace("id: choice", f"id: choice\n    seed: {2**60}")
    bench.town.push(bench.dataset, {"eval.yaml": huge})
    assert bench.badges() == ["verified-older-benchmark"]
    bench.town.push(bench.model, {"README.md": "# Tiny\n"})
    assert bench.badges() == ["verified-older-benchmark"]


def test_a_revoked_key_takes_what_was_signed_after(bench: Bench, private):
    bench.report(bench.token(private))
    (key,) = runners.keys(bench.hub)
    runners.revoke_key(bench.hub, OPERATOR, key.kid, reason="lost")
    assert bench.badges() == ["verified"]
    runners.revoke_key(bench.hub, OPERATOR, key.kid, reason="stolen in spring", since="2026-03-01")
    assert bench.badges() == ["key-revoked"]
    assert bench.town.board(bench.dataset, "choice")[0].result.verified is False


def test_what_is_shown_does_not_wait_for_the_index(bench: Bench, private, monkeypatch):
    bench.report(bench.token(private))
    client = create_app(bench.hub).test_client()
    (shown,) = client.get("/api/models/lab/tiny/eval-results").json
    assert shown["verified"] is True
    monkeypatch.setattr(runs, "publish", lambda _hub: None)  # as if the process had died there
    (key,) = runners.keys(bench.hub)
    runners.revoke_key(bench.hub, OPERATOR, key.kid, reason="stolen in spring", since="2026-03-01")
    assert bench.town.results(bench.model)[0].badge == "verified"
    (now,) = client.get("/api/models/lab/tiny/eval-results").json
    assert (now["verified"], now["verification"]["state"]) == (False, "key-revoked")
    for page in ("/lab/tiny", "/lab/tiny/evaluations", f"/lab/tiny/results/{now['id']}"):
        assert "stolen in spring" in client.get(page).text


def test_a_revoked_run_loses_its_badge(bench: Bench, private):
    bench.report(bench.token(private))
    runs.revoke(bench.hub, OPERATOR, "0" * 32, reason="bad scorer")
    assert bench.badges() == ["key-revoked"]
    assert "bad scorer" in bench.town.results(bench.model)[0].badge_reason


def test_a_token_that_was_not_recorded_waits_for_its_line(bench: Bench, private):
    text = bench.token(private, record=False)
    bench.report(text)
    assert bench.badges() == ["not-recorded"]
    bench.record("0" * 32, text)
    assert bench.badges() == ["verified"]


def test_a_token_that_comes_before_its_benchmark_counts_by_itself(bench: Bench, private):
    late = bench.town.repo("dataset", "lab/late")
    text = bench.token(private)
    bench.report(text)
    repos.move(bench.hub, bench.town.actor(), bench.dataset, "lab", "gone")
    assert bench.badges() == ["verified"]  # renamed repos are the same repos
    assert late


def test_a_token_copied_to_another_model_earns_nothing(bench: Bench, private):
    text = bench.token(private)
    copy = bench.town.model("lab/copy")
    bench.town.push(copy, {"model.safetensors": b"weights", "config.json": "{}"})
    bench.report(text, repo=copy)
    assert bench.badges(copy) == ["token-mismatch"]


@pytest.mark.parametrize("change", [{"value": 0.751}, {"task": "order"}], ids=["an edited value", "a swapped task"])
def test_a_row_that_says_something_else_earns_nothing(bench: Bench, private, change):
    bench.report(bench.token(private), **change)
    assert bench.badges() == ["token-mismatch"]


def test_a_token_for_a_commit_that_never_was_earns_nothing(bench: Bench, private):
    bench.report(bench.token(private, model__sha="c" * 40))
    assert bench.badges() == ["token-mismatch"]


def test_a_run_of_another_dataset_commit_earns_nothing(bench: Bench, private):
    bench.report(bench.token(private, dataset__sha="c" * 40))
    assert bench.badges() == ["token-mismatch"]


def test_other_hubs_tokens_are_shown_as_theirs(bench: Bench):
    bench.report("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.AAAA")
    assert bench.badges() == ["issued-elsewhere"]


def test_a_verified_result_in_a_pull_request_counts_as_verified(bench: Bench, private):
    text = bench.token(private)
    entry = f"- dataset: {{id: lab/quiz, task_id: choice}}\n  value: 0.75\n  verifyToken: {text}\n"
    bench.town.push(
        bench.model, {".eval_results/v.yaml": entry}, ref="refs/for/main", parent=bench.head(bench.model), who="bob"
    )
    (row,) = bench.town.results(bench.model)
    assert (row.badge, row.origin) == ("verified", "community")


def test_the_api_tells_state_runner_and_reason(bench: Bench, private):
    bench.report(bench.token(private))
    client = create_app(bench.hub).test_client()
    (found,) = client.get("/api/models/lab/tiny?expand=evalResults").json["evalResults"]
    assert found["verified"] is True
    assert found["verification"]["state"] == "verified"
    assert found["verification"]["runner"] == "bench-1"
    (row,) = client.get("/api/datasets/lab/quiz/leaderboard?task_id=choice").json
    assert row["verified"] is True
    page = client.get("/lab/tiny").text
    assert "signed what it measured" in page
