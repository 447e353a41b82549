"""``model-index`` in the front matter of a model's card: an older way to claim scores, shown and never counted.

Format: https://github.com/huggingface/hub-docs/blob/main/modelcard.md?plain=1 (as ``model_index_to_eval_results`` of
``huggingface_hub`` reads it). What is not written so is left out, with a warning that says where.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from glasshub.evals import yaml_nodes
from glasshub.evals.yaml_nodes import Mapping, Node, Problems, Scalar, to_python

KEY = "model-index"
MAX_CLAIMS = 5_000
MAX_TEXT = 300


@dataclass(frozen=True, slots=True)
class Claim:
    """One metric that a card claims. ``value`` is as written; ``line`` counts from the start of the front matter."""

    line: int
    task: str
    dataset: str
    dataset_type: str
    config: str
    split: str
    revision: str
    metric: str
    value: str
    source_name: str
    source_url: str


@dataclass(frozen=True, slots=True)
class ModelIndex:
    """The claims of a card, and ``plain``: the same as clients read it, without what is malformed."""

    claims: tuple[Claim, ...] = ()
    plain: tuple[dict[str, Any], ...] = ()


def parse_model_index(node: Node, problems: Problems) -> ModelIndex:
    """Read an untrusted ``model-index``; notes a warning for everything that is left out, and never raises."""
    if not isinstance(node, yaml_nodes.Sequence):
        problems.warn(node, "model-index must be a list of {name, results}. It is not shown.")
        return ModelIndex()
    reader = _Reader(problems)
    plain = [found for item in node.items if (found := reader.model(item)) is not None]
    return ModelIndex(tuple(reader.claims), tuple(plain))


class _Reader:
    """Reads models, results and metrics, and gathers what they claim."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self.claims: list[Claim] = []

    def model(self, node: Node) -> dict[str, Any] | None:
        if not isinstance(node, Mapping):
            self._drop(node, "a model in model-index is a mapping with name and results")
            return None
        results = node.get("results")
        if not self._text(node, "name"):
            self._drop(node, "a model in model-index needs a name")
            return None
        if not isinstance(results, yaml_nodes.Sequence):
            self._drop(node.at("results"), "a model in model-index needs a list of results")
            return None
        kept = [found for item in results.items if (found := self._result(item)) is not None]
        return {**_plain(node), "results": kept} if kept else None

    def _result(self, node: Node) -> dict[str, Any] | None:
        if not isinstance(node, Mapping):
            self._drop(node, "a result in model-index is a mapping with task, dataset and metrics")
            return None
        task, dataset, metrics = node.get("task"), node.get("dataset"), node.get("metrics")
        if not isinstance(task, Mapping) or not self._text(task, "type"):
            self._drop(node.at("task"), "a result in model-index needs task.type")
            return None
        if not isinstance(dataset, Mapping) or not self._text(dataset, "type") or not self._text(dataset, "name"):
            self._drop(node.at("dataset"), "a result in model-index needs dataset.type and dataset.name")
            return None
        if not isinstance(metrics, yaml_nodes.Sequence):
            self._drop(node.at("metrics"), "a result in model-index needs a list of metrics")
            return None
        source = self._source(node)
        kept = [item for item in metrics.items if self._metric(item, task, dataset, source)]
        if not kept:
            return None
        plain = {key: value for key, value in _plain(node).items() if key != "source"}
        plain["metrics"] = [_plain(item) for item in kept]
        return {**plain, "source": source} if source else plain

    def _metric(self, node: Node, task: Mapping, dataset: Mapping, source: dict[str, str]) -> bool:
        if not isinstance(node, Mapping) or not self._text(node, "type"):
            self._drop(node, "a metric in model-index is a mapping with type and value")
            return False
        value = node.get("value")
        if not isinstance(value, Scalar) or not _is_value(value):
            self._drop(node.at("value"), "the value of a metric in model-index is a number, or short text")
            return False
        if len(self.claims) == MAX_CLAIMS:
            self._drop(node, f"more than {MAX_CLAIMS:,} metrics are not read")
        if len(self.claims) >= MAX_CLAIMS:
            return False
        text = self._text
        self.claims.append(
            Claim(
                line=node.line,
                task=text(task, "name") or text(task, "type"),
                dataset=text(dataset, "name"),
                dataset_type=text(dataset, "type"),
                config=text(dataset, "config"),
                split=text(dataset, "split"),
                revision=text(dataset, "revision"),
                metric=text(node, "name") or text(node, "type"),
                value=value.text,
                source_name=source.get("name", ""),
                source_url=source.get("url", ""),
            )
        )
        return True

    def _source(self, node: Mapping) -> dict[str, str]:
        source = node.get("source")
        if source is None or to_python(source) in (None, {}):
            return {}
        url = self._text(source, "url") if isinstance(source, Mapping) else ""
        if not isinstance(source, Mapping) or not _is_address(url):
            self._problems.warn(source, "A source in model-index needs a url that begins with http. It is left out.")
            return {}
        name = self._text(source, "name")
        return {"name": name, "url": url} if name else {"url": url}

    def _text(self, node: Mapping, key: str) -> str:
        value = node.get(key)
        known = isinstance(value, Scalar) and value.value is not None and len(value.text) <= MAX_TEXT
        return value.text.strip() if isinstance(value, Scalar) and known else ""

    def _drop(self, node: Node, reason: str) -> None:
        self._problems.warn(node, f"{reason[0].upper()}{reason[1:]}. This one is not shown.")


def _plain(node: Node) -> dict[str, Any]:
    found = to_python(node)
    return found if isinstance(found, dict) else {}


def _is_value(value: Scalar) -> bool:
    said = value.value
    if isinstance(said, bool) or said is None or len(value.text) > MAX_TEXT:
        return False
    return not isinstance(said, float) or math.isfinite(said)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
