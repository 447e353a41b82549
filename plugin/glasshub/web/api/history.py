"""The evaluation history of a model as JSON."""

from __future__ import annotations

import math
from typing import Any

from flask import Blueprint, Response, request

from glasshub.acts import Act, Change, Claim
from glasshub.evals.yaml_nodes import Scalar
from glasshub.history import MOST_ACTS, read_history
from glasshub.index.queries.results import shown_ids
from glasshub.web.api.arguments import api_repo, limit, paged
from glasshub.web.context import hub

bp = Blueprint("api_history", __name__)
MOST_NAMED = 1000  # results of one act


@bp.get("/api/models/<ns>/<name>/eval-results/history")
def history(ns: str, name: str) -> Response:
    """Every act on the model's results, newest first; ours."""
    repo = api_repo("models", ns, name)
    page = read_history(hub(), repo, cursor=request.args.get("cursor"), limit=limit(30, MOST_ACTS))
    shown = shown_ids(hub().index.read(), repo.key)
    items = []
    for act in page.acts:
        named = act.changes[:MOST_NAMED]
        results = [{**_change_json(change), "state": page.state(change, shown)} for change in named]
        items.append({**_act_json(act), "results": results, "moreResults": len(act.changes) - len(named)})
    return paged(items, page.cursor)


def _act_json(act: Act) -> dict[str, Any]:
    """What was done, by whom, when and why; ``null`` for what it does not have."""
    pull = {"num": act.pull, "title": act.title, "author": act.proposed} if act.pull else None
    known = {"gitAuthor": act.git_author} if act.git_author else {}
    return {
        "action": act.action,
        "actor": act.who or None,
        **known,
        "date": act.date,
        "commit": act.commit or None,
        "record": act.record or None,
        "title": act.title or None,
        "pullRequest": pull,
        "how": act.how or None,
        "reason": act.reason or None,
        "tooLarge": act.unread,
    }


def _change_json(change: Change) -> dict[str, Any]:
    said = {"change": change.kind or None, **_claim_json(change.claim), "pullRequest": change.pull or None}
    return {**said, "before": _claim_json(change.before)} if change.before else said


def _claim_json(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "dataset": {"id": claim.dataset, "task_id": claim.task},
        "value": _number(claim.value),
        "filename": claim.path,
        "line": claim.line or None,
        "source": claim.source or None,
    }


def _number(text: str) -> int | float | str | None:
    value = Scalar(text, True, 1, 1).value
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    return value if number else text or None
