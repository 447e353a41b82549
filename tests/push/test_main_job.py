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


def test_all_mistakes_of_an_eval_yaml_are_told_at_once_each_with_its_place(live, tmp_path: Path):
    ada = live.person("ada")
    data = init(tmp_path / "data", live.git_url(f"datasets/{ada.name}/wrong", ada))
    broken = EVAL_YAML.replace("name: Capitals", "name: []").replace("- id: asia", "- id: 7")
    data.commit("Begin", **{"README.md": "# Data\n"})
    data.git("push", "-q", "origin", "main")
    data.commit("Ask", **{"eval.yaml": broken.replace("range: [0, 1]", "range: [1, 0], colour: red")})
    refused = data.git("push", "origin", "main", check=False)
    assert not refused.ok
    for place in ("eval.yaml:1:7", "eval.yaml:6:9", "eval.yaml:8:35", "eval.yaml:8:43"):
        assert f"{place}: error: " in refused.err, refused.err
    assert "eval.yaml has 4 error(s), listed above; correct them and push again" in refused.err
    data.git("push", "-q", "origin", "main:refs/heads/draft")  # only main makes a benchmark
    data.commit("Mend", **{"eval.yaml": EVAL_YAML})
    assert "Benchmark with 2 leaderboards" in data.git("push", "origin", "main").err


def test_a_file_that_cannot_be_read_is_reported_and_its_neighbours_count(live, tmp_path: Path):
    ada = live.person("ada")
    dataset_id, model_id = f"{ada.name}/capitals", f"{ada.name}/small"
    data = init(tmp_path / "data", live.git_url(f"datasets/{dataset_id}", ada))
    data.commit("Ask", **{"eval.yaml": EVAL_YAML})
    data.git("push", "-q", "origin", "main")
    model = init(tmp_path / "model", live.git_url(model_id, ada))
    good = f"- dataset: {{id: {dataset_id}, task_id: europe}}\n  value: 0.5\n"
    model.write(".eval_results/bytes.yaml", b"- dataset: \xff\xfe\n")
    model.write(".eval_results/good.yaml", good)
    model.write(".eval_results/open.yaml", "- dataset: {id: a/b\n  value: 1\n")
    model.write(".eval_results/mixed.yaml", "- value: 1\n" + good.replace("europe", "asia"))
    model.commit("Report")
    said = model.git("push", "origin", "main").err
    assert "2 results on leaderboards:" in said
    assert "europe: 0.5 (rank 1 of 1)" in said
    assert "asia: 0.5 (rank 1 of 1)" in said
    assert ".eval_results/bytes.yaml:1:12: error: The file is not UTF-8. Save it as UTF-8." in said
    assert ".eval_results/mixed.yaml:1:3: error: Give the result a dataset" in said
    assert ".eval_results/open.yaml:2:8: error: This is not YAML" in said
    info = json.loads(_get(f"{live.url}/api/models/{model_id}?expand=evalResults"))
    assert {item["filename"] for item in info["evalResults"] if "error" in item} == {
        ".eval_results/bytes.yaml",
        ".eval_results/mixed.yaml",
        ".eval_results/open.yaml",
    }


def test_pushing_to_a_repo_that_does_not_exist_creates_it_only_in_ones_own_namespace(live, tmp_path: Path):
    ada, eve = live.person("ada"), live.person("eve")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/fresh.git", ada))
    tree.commit("Begin", **{"README.md": "# Fresh\n"})
    tree.git("push", "origin", "main")
    assert clone(f"{live.url}/{ada.name}/fresh", tmp_path / "again").head() == tree.head()

    refused = tree.git("push", live.git_url(f"{ada.name}/stolen", eve), "main", check=False)
    assert not refused.ok
    assert "Repository Not Found" in refused.err or "not found" in refused.err
