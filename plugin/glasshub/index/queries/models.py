"""What models are, and which build on which."""

from __future__ import annotations

import json

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.index.queries.visible import condition, parameters
from glasshub.weights.conclusions import RELATIONS
from glasshub.weights.facts import ModelFacts


def model_facts(db: Database, key: str) -> ModelFacts:
    """What is known of a model from its files (the caller has checked access)."""
    row = db.execute("SELECT parameters, total, gguf, config FROM model_facts WHERE key = ?", [key]).fetchone()
    if row is None:
        return ModelFacts()
    counts, total, gguf, config = row
    return ModelFacts(json.loads(counts or "{}"), total, json.loads(gguf or "{}"), json.loads(config or "{}"))


def children(db: Database, see: Visibility, model_id: str) -> dict[str, int]:
    """How many models that the reader may see name ``model_id`` as base model, by relation (those there are)."""
    tags = {f"base_model:{relation}:{model_id}": relation for relation in RELATIONS}
    rows = db.execute(
        "SELECT t.tag, count(*) FROM repo_tags t JOIN repos r ON r.key = t.key "
        f"WHERE t.tag IN (SELECT value FROM json_each(:tags)) AND r.type = 'model' "
        f"AND {condition(see, 'r.scope', 'r.key')} GROUP BY t.tag",
        parameters(see, tags=json.dumps(list(tags))),
    )
    return {tags[tag]: count for tag, count in rows}
