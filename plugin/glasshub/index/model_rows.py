"""The rows of what is known of a model from its files, and back."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlite_utils import Database

from glasshub.index.replace import Row
from glasshub.index.snapshot import RepoSnapshot
from glasshub.weights import conclusions
from glasshub.weights.facts import Header, ModelFacts


def facts(snap: RepoSnapshot) -> Iterator[Row]:
    """The row of a model of which anything is known."""
    known = snap.files.facts
    if known != ModelFacts():
        yield (snap.key, known.total, _json(known.parameters), _json(known.gguf), _json(known.config))


def headers(snap: RepoSnapshot) -> Iterator[Row]:
    """The headers that could be read."""
    for header in snap.files.headers:
        if not header.fault:
            said = {"size": header.size, "parameters": header.parameters, "metadata": header.metadata}
            yield (snap.key, header.path, header.blob, _json(said))


def known_headers(db: Database, key: str) -> dict[str, Header]:
    """The headers that were read of a model, by what they are known as."""
    rows = db.execute("SELECT path, blob, facts FROM weight_headers WHERE key = ?", [key])
    found = [Header(path, blob, **json.loads(said)) for path, blob, said in rows]
    return {header.known_as: header for header in found}


def library(snap: RepoSnapshot) -> str:
    """The library of a repo: as its card says, else as its files show."""
    return snap.card.library_name or conclusions.library(snap.files.names, snap.files.facts.config)


def pipeline(snap: RepoSnapshot) -> str:
    """The task of a repo: as its card says, else as its files show."""
    return snap.card.pipeline_tag or conclusions.pipeline(library(snap), snap.files.facts.config)


def tags(snap: RepoSnapshot) -> set[str]:
    """The tags that follow from a model's files, and how it came from its base models."""
    card, names, config = snap.card, snap.files.names, snap.files.facts.config
    found = conclusions.tags(names, config) | {library(snap), pipeline(snap)}
    said = card.front_matter.get("base_model_relation")
    if card.base_models:
        named = {*card.tags, library(snap)}
        how = conclusions.relation(said if isinstance(said, str) else "", card.base_models, named, names, config)
        found |= {f"base_model:{how}:{base}" for base in card.base_models}
    return found - {""}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True) if value else ""
