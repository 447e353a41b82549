"""What older clients cannot read they are not given."""

from __future__ import annotations

import os

import pytest

from tests.api.lab import Lab, adds
from tests.lfs import wire

pytestmark = pytest.mark.slow


def test_versions_that_break_off_at_errors_are_told_of_results_only(lab: Lab):
    repo = lab.repo()
    files = {
        ".eval_results/a.yaml": "- dataset: {id: a/b, task_id: c}\n  value: 1\n",
        ".eval_results/b.yaml": "- no: [",
    }
    lab.api("writer").create_commit(repo, adds(**files), commit_message="Scores")
    for agent, known in (
        ("hf_hub/1.19.0", False),
        ("x; hf_hub/1.32.9; y", False),
        ("hf_hub/2.0.0", True),
        ("curl/8", True),
    ):
        answer = lab.http("anonymous").get(f"/api/models/{repo}?expand=evalResults", headers={"User-Agent": agent})
        found = answer.json()["evalResults"]
        assert [item["data"]["value"] for item in found if "data" in item] == [1], agent
        assert any("error" in item for item in found) is known, agent


def test_xet_is_chosen_for_those_who_offer_it_in_the_batch(lab: Lab):
    repo, data = lab.repo(), os.urandom(1000)
    for offered, chosen in (
        (("basic", "multipart", "xet"), "xet"),
        (("basic", "multipart"), "multipart"),
        (("basic", "xet"), "basic"),
    ):
        answer = wire.batch(lab, "writer", repo, "upload", data, transfers=offered).json()
        assert answer["transfer"] == chosen
        assert "upload" in answer["objects"][0]["actions"]
    assert (
        wire.batch(lab, "writer", repo, "download", data, transfers=("basic", "multipart", "xet")).json()["transfer"]
        == "basic"
    )
