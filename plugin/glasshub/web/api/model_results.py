"""All results of a model; ours."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from glasshub.index import queries
from glasshub.web.api.arguments import api_repo, flag
from glasshub.web.api.repo_json import eval_results
from glasshub.web.api.results import hidden_json
from glasshub.web.context import hub

bp = Blueprint("api_model_results", __name__)


@bp.get("/api/models/<ns>/<name>/eval-results")
def results(ns: str, name: str) -> Response:
    """All results of a model with what each counts and why, beyond ``expand=evalResults``.

    ``X-Hidden-Results`` counts those that are hidden; ``hidden=true`` adds them at the end.
    """
    key = api_repo("models", ns, name).key
    hidden = queries.hidden_results(hub().index.read(), key)
    items = eval_results(key) + ([hidden_json(row) for row in hidden] if flag("hidden") else [])
    response = jsonify(items)
    response.headers["X-Hidden-Results"] = str(len(hidden))
    return response
