"""The hub's main job: push a benchmark and a model with stock git, and see the score everywhere a moment later."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from tests.push.gitclient import clone, init

pytestmark = pytest.mark.slow

EVAL_YAML = """\
name: Capitals
description: Name the capital.
evaluation_framework: custom
tasks:
  - id: europe
  - id: asia
metrics:
  europe: {name: accuracy, range: [0, 1]}
"""
RESULTS = """\
- dataset: {{id: {dataset}, task_id: europe}}
  value: {value}
  date: "2026-01-02"
  source: {{url: "https://example.org/report", name: Report}}
- dataset: {{id: {dataset}, task_id: africa}}
  value: 0.5
- dataset: {{id: {dataset}, task_id: europe}}
  value: "high"
"""


def _get(url: str):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_a_benchmark_and_a_model_pushed_with_stock_git_meet_on_card_leaderboard_and_api(live, tmp_path: Path):
    ada = live.person("ada")
    dataset_id, model_id = f"{ada.name}/capitals", f"{ada.name}/small"

    data = init(tmp_path / "data", live.git_url(f"datasets/{dataset_id}", ada))
    data.write("eval.yaml", EVAL_YAML)
    data.commit("Ask for capitals", **{"README.md": "# Capitals\n"})
    said = data.git("push", "origin", "main").err
    assert "Benchmark with 2 leaderboards: europe, asia" in said

    model = init(tmp_path / "model", live.git_url(model_id, ada))
    model.write(".eval_results/own.yaml", RESULTS.format(dataset=dataset_id, value=0.75))
    model.commit("Report scores", **{"README.md": "---\nlicense: mit\n---\n# Small\n"})
    said = model.git("push", "origin", "main").err
    assert f"{dataset_id} / europe: 0.75 (rank 1 of 1)" in said
    assert ".eval_results/own.yaml:8:10: error:" in said
    assert "africa" in said
    assert f"{live.url}/{model_id}" in said

    board = json.loads(_get(f"{live.url}/api/datasets/{dataset_id}/leaderboard"))
    assert [(row["rank"], row["modelId"], row["value"]) for row in board] == [(1, model_id, 0.75)]
    info = json.loads(_get(f"{live.url}/api/models/{model_id}?expand=evalResults"))
    assert 0.75 in [item["data"]["value"] for item in info["evalResults"] if "data" in item]
    assert "0.75" in _get(f"{live.url}/{model_id}")
    assert model_id in _get(f"{live.url}/datasets/{dataset_id}")


def test_results_pushed_before_their_benchmark_count_as_soon_as_it_appears(live, tmp_path: Path):
    ada = live.person("ada")
    dataset_id, model_id = f"{ada.name}/later", f"{ada.name}/early"
    model = init(tmp_path / "model", live.git_url(model_id, ada))
    model.commit("Report scores", **{".eval_results/own.yaml": RESULTS.format(dataset=dataset_id, value=0.25)})
    said = model.git("push", "origin", "main").err
    assert "on no leaderboard yet" in said

    data = init(tmp_path / "data", live.git_url(f"datasets/{dataset_id}", ada))
    data.commit("Ask", **{"eval.yaml": EVAL_YAML})
    data.git("push", "origin", "main")
    board = json.loads(_get(f"{live.url}/api/datasets/{dataset_id}/leaderboard?task_id=europe"))
    assert [(row["modelId"], row["value"]) for row in board] == [(model_id, 0.25)]


def test_a_broken_eval_yaml_is_refused_with_its_place_and_nothing_changes(live, tmp_path: Path):
    ada = live.person("ada")
    data = init(tmp_path / "data", live.git_url(f"datasets/{ada.name}/fragile", ada))
    good = data.commit("Ask", **{"eval.yaml": EVAL_YAML})
    data.git("push", "origin", "main")
    data.commit("Break it", **{"eval.yaml": EVAL_YAML.replace("- id: asia", "- id: europe")})
    refused = data.git("push", "origin", "main", check=False)
    assert not refused.ok
    assert "eval.yaml:6:" in refused.err
    assert data.git("ls-remote", "origin", "refs/heads/main").out.split()[0] == good


def test_pushing_to_a_repo_that_does_not_exist_creates_it_only_in_ones_own_namespace(live, tmp_path: Path):
    ada, eve = live.person("ada"), live.person("eve")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/fresh.git", ada))
    tree.commit("Begin", **{"README.md": "# Fresh\n"})
    tree.git("push", "origin", "main")
    assert clone(f"{live.url}/{ada.name}/fresh", tmp_path / "again").head() == tree.head()

    refused = tree.git("push", live.git_url(f"{ada.name}/stolen", eve), "main", check=False)
    assert not refused.ok
    assert "Repository Not Found" in refused.err or "not found" in refused.err
