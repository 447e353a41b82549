"""The page of a model: card, evaluation results, problems; and the full list of its evaluations."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import shown_results
from glasshub.git.read import open_repo
from glasshub.index import queries
from glasshub.index.rows import RepoRow
from glasshub.web.context import hub
from glasshub.web.pages.card import card_html, panels, repo_address
from glasshub.web.pages.evaluations import counted, matching, settings_of, uncounted
from glasshub.web.pages.repo_view import MAIN, see, view_repo
from glasshub.weights.conclusions import RELATIONS

bp = Blueprint("model", __name__)
bp.add_app_template_filter(settings_of, "settings")
bp.add_app_template_global(panels, "card_panels")
bp.add_app_template_global(repo_address)
ON_CARD = 12
PER_PAGE = 100


@bp.get("/<ns>/<name>")
def page(ns: str, name: str) -> ResponseReturnValue:
    """The model's card with its most telling results."""
    view = view_repo("model", ns, name)
    db = hub().index.read()
    results = shown_results.of_model(hub(), see(), view.repo.key)
    groups = counted(results)
    with open_repo(hub().git_dir(view.repo)) as git:
        card, html = card_html(git, view.repo.path, MAIN)
    return render_template(
        "model/card.html",
        view=view,
        card=card,
        model=queries.model_facts(db, view.repo.key),
        relation=_relation(view.row),
        children=queries.children(db, see(), view.repo.repo_id),
        html=html,
        groups=groups[:ON_CARD],
        more=max(0, len(groups) - ON_CARD),
        uncounted=uncounted(results),
        hidden=len(queries.hidden_results(db, view.repo.key)),
        problems=queries.problems(db, view.repo.key),
    )


def _relation(row: RepoRow) -> str:
    """How the model came from its base models."""
    return next((how for how in RELATIONS if any(tag.startswith(f"base_model:{how}:") for tag in row.tags)), "")


@bp.get("/<ns>/<name>/evaluations")
def evaluations(ns: str, name: str) -> ResponseReturnValue:
    """Every result of the model, a hundred tasks a page, filtered by the words in ``q``."""
    view = view_repo("model", ns, name)
    results = shown_results.of_model(hub(), see(), view.repo.key)
    words = request.args.get("q", "").strip()[:200]
    groups = matching(counted(results), words)
    start = max(0, request.args.get("start", 0, type=int))
    return render_template(
        "model/evaluations.html",
        view=view,
        words=words,
        total=len(groups),
        start=start,
        groups=groups[start : start + PER_PAGE],
        next_start=start + PER_PAGE if start + PER_PAGE < len(groups) else 0,
        uncounted=uncounted(results),
        hidden=len(queries.hidden_results(hub().index.read(), view.repo.key)),
        problems=queries.problems(hub().index.read(), view.repo.key),
    )
