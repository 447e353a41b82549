"""Runners in the browser: who sees what, who may decide, and badges whose reasons can be read without hovering."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from glasshub import accounts, repos, runners, runs
from glasshub.app import create_app
from glasshub.errors import Forbidden
from glasshub.verify.record import Kind
from glasshub.web.auth import COOKIE
from tests.verify.test_badges import Bench, bench, private
from tests.verify.test_runners import public

__all__ = ["bench", "private"]
pytestmark = pytest.mark.slow


class Visitor:
    """A browser of somebody."""

    def __init__(self, bench: Bench, who: str = "") -> None:
        self.client = create_app(bench.hub).test_client()
        if who:
            self.client.set_cookie(COOKIE, accounts.start_session(bench.hub, who))

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, page: str, path: str, status: int = 303, **form: str) -> str:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page))
        answer = self.client.post(path, data={"csrf_token": token[1] if token else "", **form})
        assert answer.status_code == status, answer.text
        return answer.text


def test_a_runner_is_registered_approved_rotated_revoked_and_retired_in_the_browser(bench: Bench):
    owner, admin, stranger = Visitor(bench, "bob"), Visitor(bench, "root-admin"), Visitor(bench)
    assert "cannot be the name" in owner.post(
        "/settings/runners", "/settings/runners", 400, name="no name", public_key=public()
    )
    owner.post("/settings/runners", "/settings/runners", name="bobs-runner", public_key=public())
    assert "bobs-runner" in owner.get("/settings/runners")
    assert "awaits approval" in stranger.get("/runners")
    (waiting,) = runners.waiting_keys(bench.hub, "bobs-runner")
    assert waiting.kid in admin.get("/runners/bobs-runner")
    assert waiting.kid not in stranger.get("/runners/bobs-runner")
    assert "Approve" not in owner.get("/runners/bobs-runner")
    owner.post("/settings/runners", "/runners/bobs-runner/approve", 403)
    admin.post("/runners/bobs-runner", "/runners/bobs-runner/approve")
    assert waiting.kid in stranger.get("/runners/bobs-runner")
    owner.post("/runners/bobs-runner", "/runners/bobs-runner/keys", public_key=public())
    revoke = f"/runners/bobs-runner/keys/{waiting.kid}/revoke"
    assert "reason" in owner.post("/runners/bobs-runner", revoke, 400, reason=" ")
    owner.post("/runners/bobs-runner", revoke, reason="<b>lost</b> on a train")
    assert "&lt;b&gt;lost&lt;/b&gt; on a train" in stranger.get("/runners/bobs-runner")
    admin.post("/runners/bobs-runner", "/runners/bobs-runner/retire")
    assert "retired" in stranger.get("/runners")
    stranger.get("/runners/none", 404)


def test_forged_forms_decide_nothing(bench: Bench):
    admin = Visitor(bench, "root-admin")
    assert admin.client.post("/runners/bench-1/retire", data={}).status_code in (400, 403)
    assert runners.find(bench.hub, "bench-1").state == "active"


def test_others_may_not_decide(bench: Bench):
    (key,) = runners.keys(bench.hub)
    bob = Visitor(bench, "bob")
    for path in ("approve", "retire", "keys", f"keys/{key.kid}/revoke"):
        bob.post("/settings/runners", f"/runners/bench-1/{path}", 403, reason="no", public_key=public())
    assert "Revoke" not in bob.get("/runners/bench-1")
    assert Visitor(bench).client.get("/settings/runners").status_code == 302


def test_a_token_for_some_repos_decides_nothing_about_runners(bench: Bench):
    admin = replace(accounts.actor_for(bench.hub, "root-admin"), scope="write", only_repos=frozenset({bench.model.key}))
    (key,) = runners.keys(bench.hub)
    for decide in (
        lambda: runners.retire(bench.hub, admin, "bench-1"),
        lambda: runners.revoke_key(bench.hub, admin, key.kid, reason="no"),
        lambda: runners.add_key(bench.hub, admin, "bench-1", public()),
    ):
        with pytest.raises(Forbidden):
            decide()


def test_why_a_badge_is_there_can_be_read_without_hovering(bench: Bench, private):
    bench.report(bench.token(private))
    bench.town.push(bench.model, {"model.safetensors": b"other weights"})
    (row,) = bench.town.results(bench.model)
    assert row.badge == "verified-older-weights"
    visitor = Visitor(bench)
    card = visitor.get("/lab/tiny")
    assert f'href="/lab/tiny/results/{row.id}"' in card
    for page in (f"/lab/tiny/results/{row.id}", "/datasets/lab/quiz/leaderboard?task=choice&model=lab/tiny"):
        text = re.sub(r'title="[^"]*"', "", visitor.get(page))
        assert row.badge_reason in text
    badges = visitor.get("/badges")
    for word in ("verified", "endpoint run", "older weights", "older benchmark", "token does not match", "key revoked",
                 "not recorded", "token invalid", "issued elsewhere", "log audited", "log attached"):  # fmt: skip
        assert f">{word}</span>" in badges


def test_runs_of_private_models_are_told_without_their_names(bench: Bench):
    details = {"model": "lab/tiny", "dataset": "lab/quiz", "task": "choice", "value": 0.75}
    runs.enter(bench.hub, runs.Act(Kind.FAILED, "1" * 32, "bench-1", bench.model, bench.dataset, details))
    assert "lab/tiny" in Visitor(bench).get("/runs")
    repos.configure(bench.hub, bench.town.actor(), bench.model, private=True)
    page = Visitor(bench).get("/runs")
    assert "a run of a private model" in page
    assert "lab/tiny" not in page
    assert "git clone" in page
