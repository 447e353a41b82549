"""Checking a card before it is committed."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from glasshub.cards import parse_card

bp = Blueprint("api_cards", __name__)


@bp.post("/api/validate-yaml")
def validate_yaml() -> tuple[Response, int]:
    """``{errors, warnings}`` for a README; 400 when its front matter is broken. Needs nobody to be signed in."""
    body = request.get_json(silent=True)
    content = body.get("content") if isinstance(body, dict) else None
    if not isinstance(content, str):
        return jsonify({"errors": [{"message": "Send JSON with the card's text as content."}], "warnings": []}), 400
    problems = parse_card(content.encode("utf-8", "replace")).problems
    errors = [{"message": str(problem)} for problem in problems if problem.severity == "error"]
    warnings = [{"message": str(problem)} for problem in problems if problem.severity == "warning"]
    return jsonify({"errors": errors, "warnings": warnings}), 400 if errors else 200
