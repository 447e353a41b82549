"""Asking for a run in the browser's way, without scripts; deciding; what strangers see."""

from __future__ import annotations

import re

import pytest

from glasshub import accounts
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.verify import bench as benches
from tests.verify.test_jobs import finish, measured

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(tmp_path):
    hub = open_hub(Settings(data=tmp_path))
    yield benches.make(hub)
    hub.close()


def client_of(bench, name: str):
    client = create_app(bench.hub).test_client()
    if name:
        accounts.set_password(bench.hub, name, "correct horse battery")
        page = client.get("/login").get_data(as_text=True)
        form = {"csrf_token": token_in(page), "name": name, "password": "correct horse battery"}
        assert client.post("/login", data=form).status_code in (302, 303)
    return client


def token_in(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def test_a_reader_asks_and_a_writer_approves(bench):
    stranger, mara, nobody = (client_of(bench, name) for name in ("stranger", "mara", ""))
    listing = stranger.get("/mara/first-option/evaluations").get_data(as_text=True)
    address = re.search(r'href="(/mara/first-option/results/[^"]+)"', listing)[1]
    page = stranger.get(address).get_data(as_text=True)
    assert "Request verification" in page
    assert "Request verification" not in nobody.get(address).get_data(as_text=True)
    assert stranger.post(f"{address}/verify").status_code == 403  # no form token
    answer = stranger.post(f"{address}/verify", data={"csrf_token": token_in(page)})
    assert answer.status_code == 303
    job = answer.headers["Location"]
    assert "awaits approval" in stranger.get(job).get_data(as_text=True)
    assert "Approve" not in stranger.get(job).get_data(as_text=True)
    assert stranger.post(f"{job}/approve", data={"csrf_token": token_in(page)}).status_code == 403
    seen = mara.get(job).get_data(as_text=True)
    assert mara.post(f"{job}/approve", data={"csrf_token": token_in(seen)}).status_code == 303
    assert "waits for a runner" in mara.get("/jobs").get_data(as_text=True)
    assert "Cancel this job" in mara.get(job).get_data(as_text=True)


def test_what_came_of_it_is_shown(bench):
    given, _, token = measured(bench)
    finish(bench, given, token)
    nobody = client_of(bench, "")
    job = nobody.get(f"/jobs/{given.job}").get_data(as_text=True)
    assert "Pull request 1" in job
    runs = nobody.get("/runs").get_data(as_text=True)
    assert given.run[:12] in runs
    assert "issued" in runs
    assert "network not told" in runs
    answer = nobody.get(f"/api/runs/{given.run}/log", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.get_data()[:2] == b"PK"
    pages = nobody.get("/mara/first-option/evaluations").get_data(as_text=True)
    assert ">verified</span>" in pages
