"""A small world on the live hub: one benchmark, three models, seen through the stock client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from glasshub import accounts, repos
from tests.api.lab import Lab, make_lab
from tests.conftest import Live, Person
from tests.push.gitclient import init

EVAL_YAML = """\
name: Quiz
description: Questions.
evaluation_framework: custom
tasks: [{id: easy}, {id: hard}]
metrics: {hard: {name: error rate, higher_is_better: false}}
"""
RESULTS = """\
- dataset: {{id: {dataset}, task_id: easy}}
  value: {easy}
  source: {{url: https://example.org/paper, name: Paper}}
- dataset: {{id: {dataset}, task_id: hard}}
  value: {hard}
  notes: with tools
"""


@dataclass
class World:
    """Who and what there is."""

    live: Live
    owner: Person
    dataset: str
    models: dict[str, str]
    api: HfApi
    anonymous: HfApi


@pytest.fixture(scope="session")
def world(live: Live, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder: Path = tmp_path_factory.mktemp("world")
    owner = live.person("owner")
    dataset = f"{owner.name}/quiz"
    data = init(folder / "quiz", live.git_url(f"datasets/{dataset}", owner))
    data.commit(
        "Ask", **{"eval.yaml": EVAL_YAML, "README.md": "---\nlicense: mit\n---\n# Quiz\n", "test.jsonl": "{}\n"}
    )
    data.git("push", "-q", "origin", "main")
    models = {}
    for name, easy, hard in (("good", 0.9, 1.5), ("fair", 0.5, 2.5), ("derived", 0.95, 1)):
        models[name] = f"{owner.name}/{name}"
        tree = init(folder / name, live.git_url(models[name], owner))
        base = f"base_model: {owner.name}/good\n" if name == "derived" else ""
        card = f"---\nlicense: mit\nlanguage: en\nreleased: 2026-01-02\n{base}---\n# {name.capitalize()}\n"
        tree.write("README.md", card)
        tree.write("sub/deep/a b.txt", "hello\n")
        tree.commit("Begin")
        tree.write(".eval_results/own.yaml", RESULTS.format(dataset=dataset, easy=easy, hard=hard))
        tree.write("weights.bin", bytes(range(256)) * 40)
        tree.commit("Add scores\n\nMeasured twice.")
        tree.git("tag", "-a", "v1", "-m", "First")
        tree.git("push", "-q", "origin", "main", "v1", "HEAD~1:refs/heads/dev/a")
    secret = repos.create(
        live.hub, accounts.actor_for(live.hub, owner.name), "model", owner.name, "secret", private=True
    )
    models["secret"] = secret.repo_id
    return World(live, owner, dataset, models, HfApi(live.url, token=owner.token), HfApi(live.url, token=False))


@pytest.fixture(scope="module")
def lab(live: Live) -> Iterator[Lab]:
    """An organisation with people of all standings, of this module alone."""
    made = make_lab(live)
    yield made
    for client in made.clients.values():
        client.close()
