"""Records of Every Eval Ever: what its schema demands is there, nothing is made up, and they can be read in again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from glasshub import accounts
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.evals.importers.proposal import LogFile
from glasshub.evals.importers.reading import propose
from glasshub.hub import open_hub
from tests.index.town import Town, eval_yaml, result

pytestmark = pytest.mark.slow
EXTRA = """  source: {url: "https://example.org/log", org: example}
  extra: {stderr: 0.05, n: 27, shots: 5, harness: inspect-ai, harness_version: "0.3.285", temperature: 0,
          max_tokens: 64, model_revision: "1234567", log_sha256: "ab", tools: true}
"""
# What eval.schema.json 0.3 lists as required, and what it allows at the top.
REQUIRED = {
    "": {"schema_version", "evaluation_id", "retrieved_timestamp", "source_metadata", "model_info", "eval_library",
         "evaluation_results"},
    "source_metadata": {"source_type", "source_organization_name", "evaluator_relationship"},
    "eval_library": {"name", "version"},
    "model_info": {"name", "id", "additional_details"},
    "model_info.additional_details": {"deployment_type", "model_availability"},
    "evaluation_results": {"evaluation_name", "source_data", "metric_config", "score_details"},
    "evaluation_results.source_data": {"dataset_name", "source_type"},
    "evaluation_results.metric_config": {"lower_is_better"},
    "evaluation_results.score_details": {"score"},
}  # fmt: skip
ALLOWED = REQUIRED[""] | {"evaluation_timestamp", "detailed_evaluation_results"}
WORDS = {
    "source_metadata.source_type": {"documentation", "evaluation_run"},
    "source_metadata.evaluator_relationship": {"first_party", "third_party", "collaborative", "other"},
    "model_info.additional_details.deployment_type": {"self_deployed", "externally_managed", "unknown"},
    "model_info.additional_details.model_availability": {"open_weights", "closed_weights", "unknown"},
    "evaluation_results.source_data.source_type": {"url", "hf_dataset", "other"},
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    hub = open_hub(Settings(data=tmp_path_factory.mktemp("eee") / "data"))
    for name in ("ada", "bob"):
        accounts.add_user(hub, name)
    built = Town(hub)
    built.dataset("ada/cap", eval_yaml("europe", "asia", metrics="asia: {name: errors, higher_is_better: false}"))
    full = result("ada/cap", "europe", 0.5, date="2026-01-31") + EXTRA
    built.model("ada/one", full + result("ada/cap", "asia", 7) + result("x/y", "z", 1))
    built.model("bob/secret", result("ada/cap", "europe", 1), private=True)
    yield built
    hub.close()


def lines(town: Town, address: str) -> list[dict[str, Any]]:
    answer = create_app(town.hub).test_client().get(address, query_string={"format": "eee"}, buffered=True)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def check(found: Any, path: str = "") -> None:
    """Complain about what the schema would refuse, as far as it is written down above."""
    for item in found if isinstance(found, list) else [found]:
        if isinstance(item, Mapping):
            assert REQUIRED.get(path, set()) <= set(item), path
            for key, value in item.items():
                if key == "additional_details":
                    assert all(isinstance(text, str) for text in value.values()), path
                check(value, f"{path}.{key}".strip("."))
        else:
            assert path not in WORDS or item in WORDS[path], path
    if not path:
        assert set(found) <= ALLOWED


def test_records_hold_what_the_schema_demands_and_what_is_known(town: Town):
    found = {record["evaluation_results"][0]["evaluation_name"]: record for record in
             lines(town, "/api/models/ada/one/eval-results/export")}  # fmt: skip
    assert set(found) == {"ada/cap/europe", "ada/cap/asia"}  # x/y is not here: which direction is better?
    for record in found.values():
        check(record)
    europe, asia = found["ada/cap/europe"], found["ada/cap/asia"]
    assert europe["eval_library"] == {"name": "inspect-ai", "version": "0.3.285"}
    assert asia["eval_library"] == {"name": "unknown", "version": "unknown"}
    (score,) = europe["evaluation_results"]
    uncertainty = {"standard_error": {"value": 0.05}, "num_samples": 27}
    assert score["score_details"] == {"score": 0.5, "uncertainty": uncertainty}
    assert score["generation_config"]["generation_args"] == {"temperature": 0, "max_tokens": 64}
    assert score["evaluation_timestamp"] == "1769817600"
    assert europe["model_info"]["additional_details"]["revision"] == "1234567"
    assert (europe["source_metadata"]["source_type"], asia["source_metadata"]["source_type"]) == (
        "evaluation_run", "documentation",
    )  # fmt: skip
    assert europe["source_metadata"]["source_organization_name"] == "example"
    assert asia["evaluation_results"][0]["metric_config"] == {"lower_is_better": True, "metric_name": "errors"}
    assert "uncertainty" not in asia["evaluation_results"][0]["score_details"]


def test_what_the_hub_writes_it_reads(town: Town):
    for record in lines(town, "/api/models/ada/one/eval-results/export"):
        proposal = propose(LogFile("record.json", json.dumps(record).encode()))
        (draft,) = proposal.drafts
        written = record["evaluation_results"][0]
        assert (draft.dataset, draft.task) == ("ada/cap", written["source_data"]["additional_details"]["task_id"])
        assert float(draft.measures[0].value) == written["score_details"]["score"]
        assert draft.measures[0].higher_is_better is not written["metric_config"]["lower_is_better"]


def test_one_result_and_those_that_nobody_may_see(town: Town):
    client = create_app(town.hub).test_client()
    listed = client.get("/api/models/ada/one", query_string={"expand": "evalResults"}).json["evalResults"]
    address = "/api/models/ada/one/eval-results/{}/every-eval-ever"
    answers = {item["data"]["dataset"]["id"]: client.get(address.format(item["id"])) for item in listed}
    assert answers["x/y"].status_code == 409
    assert "whether lower is better" in answers["x/y"].json["error"]
    check(answers["ada/cap"].json)
    assert client.get(address.format("0" * 16)).status_code == 404
    assert client.get("/api/models/bob/secret/eval-results/x/every-eval-ever").status_code in (401, 404)
    assert all("secret" not in json.dumps(record) for record in lines(town, "/api/results/export"))
