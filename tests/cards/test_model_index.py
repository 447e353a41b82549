"""``model-index``: read strictly, shown with its place, and always readable by the stock client."""

from __future__ import annotations

import pytest
from huggingface_hub import ModelCardData
from huggingface_hub.repocard_data import DatasetCardData, model_index_to_eval_results

from glasshub.cards import parse_card

GOOD = """\
---
license: mit
model-index:
- name: tiny
  results:
  - task: {type: text-classification, name: Classification}
    dataset: {type: imdb, name: IMDb, config: plain, split: test, revision: abc}
    metrics:
    - {type: accuracy, value: 0.9310, name: Accuracy, verified: true}
    - type: f1
      value: 91
    source: {name: The paper, url: "https://example.org/p"}
---
# Tiny
"""


def test_what_a_card_claims():
    card = parse_card(GOOD.encode())
    first, second = card.claims
    assert (first.line, first.task, first.dataset, first.dataset_type) == (9, "Classification", "IMDb", "imdb")
    assert (first.config, first.split, first.revision) == ("plain", "test", "abc")
    assert (first.metric, first.value) == ("Accuracy", "0.9310")
    assert (second.line, second.metric, second.value) == (10, "f1", "91")
    assert (second.source_name, second.source_url) == ("The paper", "https://example.org/p")
    assert card.problems == ()
    name, results = model_index_to_eval_results(card.front_matter["model-index"])
    assert (name, [result.metric_value for result in results]) == ("tiny", [0.931, 91])


def _in(index: str) -> bytes:
    return f"---\nlicense: mit\nmodel-index: {index}\n---\n# T\n".encode()


RESULT = "task: {type: t}, dataset: {type: d, name: D}"
BAD = [
    "5",
    "{a: b}",
    "[5]",
    "[{name: x}]",
    "[{name: x, results: 5}]",
    "[{results: []}]",
    "[{name: x, results: [5]}]",
    "[{name: x, results: [{task: t, dataset: {type: d, name: D}, metrics: []}]}]",
    "[{name: x, results: [{task: {type: t}, dataset: {type: d}, metrics: []}]}]",
    f"[{{name: x, results: [{{{RESULT}, metrics: {{}}}}]}}]",
    f"[{{name: x, results: [{{{RESULT}, metrics: [5]}}]}}]",
    f"[{{name: x, results: [{{{RESULT}, metrics: [{{type: m}}]}}]}}]",
    f"[{{name: x, results: [{{{RESULT}, metrics: [{{type: m, value: [1]}}]}}]}}]",
    f"[{{name: x, results: [{{{RESULT}, metrics: [{{type: m, value: .nan}}]}}]}}]",
    f"[{{name: x, results: [{{{RESULT}, metrics: [{{type: m, value: true}}]}}]}}]",
    f"[{{name: x, results: [{{{RESULT}, metrics: [{{type: m, value: {'9' * 301}}}]}}]}}]",
]


@pytest.mark.parametrize("index", BAD)
def test_what_is_malformed_is_left_out_with_its_place(index: str):
    card = parse_card(_in(index))
    assert card.claims == ()
    assert "model-index" not in card.front_matter
    assert {problem.severity for problem in card.problems} == {"warning"}
    assert {problem.line for problem in card.problems} == {3}


@pytest.mark.parametrize(
    "source", ["x", "{name: x}", "{url: 'javascript:alert(1)', name: x}", "{url: 'http://a:b@c'}", "[1]"]
)
def test_a_bad_source_leaves_the_score_without_one(source: str):
    card = parse_card(
        _in(f"[{{name: x, results: [{{{RESULT}, source: {source}, metrics: [{{type: m, value: 1}}]}}]}}]")
    )
    assert [(claim.value, claim.source_url, claim.source_name) for claim in card.claims] == [("1", "", "")]
    assert "source" in card.problems[0].message
    assert ModelCardData(**card.front_matter).eval_results[0].metric_value == 1


def test_good_neighbours_stay():
    text = f"[{{name: x, results: [{{{RESULT}, metrics: [{{type: m, value: 1}}, {{type: n}}]}}, 5]}}]"
    card = parse_card(_in(text))
    assert [claim.metric for claim in card.claims] == ["m"]
    assert len(card.problems) == 2


@pytest.mark.parametrize(
    "line", ["self: 1", "ignore_metadata_errors: false", "tags: 5", "tags: {a: 1}", "eval_results: 3"]
)
def test_no_card_breaks_the_stock_client(line: str):
    card = parse_card(f"---\nlicense: mit\n{line}\n---\n".encode())
    for kind in (ModelCardData, DatasetCardData):
        assert kind(**card.front_matter, ignore_metadata_errors=True).license == "mit"


def test_how_models_build_on_each_other_is_not_a_free_tag():
    card = parse_card(b"---\ntags: ['base_model:quantized:a/b', tiny]\nbase_model: c/d\n---\n")
    assert card.tags == ("base_model:c/d", "tiny")
