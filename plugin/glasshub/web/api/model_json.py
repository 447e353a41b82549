"""What models are as JSON: size, configuration, and how they build on each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glasshub import access, repos
from glasshub.errors import RepoNotFound
from glasshub.index import queries
from glasshub.index.rows import RepoRow
from glasshub.web.api.arguments import see
from glasshub.web.context import actor, hub
from glasshub.weights import conclusions
from glasshub.weights.conclusions import RELATIONS
from glasshub.weights.facts import ModelFacts


def _facts(row: RepoRow) -> ModelFacts:
    return queries.model_facts(hub().index.read(), row.key)


def _safetensors(row: RepoRow) -> dict[str, Any] | None:
    parameters = _facts(row).parameters
    return {"parameters": dict(parameters), "total": sum(parameters.values())} if parameters else None


def _transformers_info(row: RepoRow) -> dict[str, str] | None:
    return conclusions.transformers_info(_facts(row).config) if row.library_name == "transformers" else None


def _mask_token(row: RepoRow) -> str | None:
    tokenizer = _facts(row).config.get("tokenizer_config", {})
    return tokenizer.get("mask_token") if row.pipeline_tag == "fill-mask" else None


def _base_models(row: RepoRow) -> dict[str, Any] | None:
    if not row.base_models:
        return None
    relation = next((how for how in RELATIONS if f"base_model:{how}:{row.base_models[0]}" in row.tags), "finetune")
    return {"relation": relation, "models": [_base_model(name) for name in row.base_models]}


def _base_model(name: str) -> dict[str, str]:
    """A base model; ``_id`` tells that it is on this hub, for those who may see it."""
    namespace, _, rest = name.partition("/")
    try:
        repo = repos.find(hub(), "model", namespace, rest)
    except RepoNotFound:
        return {"id": name}
    return {"_id": repo.key, "id": repo.repo_id} if access.may_read(actor(), repo) else {"id": name}


def _children(row: RepoRow) -> dict[str, int]:
    found = queries.children(hub().index.read(), see(), row.repo_id)
    return {relation: found.get(relation, 0) for relation in RELATIONS}


MODEL_FIELDS: dict[str, Callable[[RepoRow], Any]] = {
    "safetensors": _safetensors,
    "gguf": lambda row: dict(_facts(row).gguf) or None,
    "config": lambda row: dict(_facts(row).config) or None,
    "transformersInfo": _transformers_info,
    "mask_token": _mask_token,
    "baseModels": _base_models,
    "childrenModelCount": _children,
}
