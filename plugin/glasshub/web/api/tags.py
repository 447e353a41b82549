"""The tags that models and datasets have, by kind, as clients list what they may filter by."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from glasshub.index.queries.tags import tags
from glasshub.web.api.arguments import repo_type, see
from glasshub.web.context import hub

bp = Blueprint("api_tags", __name__)
# Kinds that are answered even when nothing has such a tag: clients look them up by name.
_KINDS = {
    "model": ("pipeline_tag", "library", "dataset", "language", "license", "other"),
    "dataset": (
        "task_categories", "task_ids", "size_categories", "multilinguality", "language_creators",
        "annotations_creators", "source_datasets", "benchmark", "language", "license", "other",
    ),
}  # fmt: skip


@bp.get("/api/<any('models','datasets'):kind>-tags-by-type")
def tags_by_type(kind: str) -> Response:
    """Lists of tags by kind, those of most repos first."""
    type = repo_type(kind)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _KINDS[type]}
    for tag, what in tags(hub().index.read(), see(), type):
        prefix, _, value = tag.partition(":")
        name = what or (prefix if value and prefix in found else "other")
        label = tag if what or name == "other" else value
        found[name].append({"id": tag, "label": label, "type": name})
    return jsonify(found)
