"""What every badge says, and what it does not prove."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

bp = Blueprint("badges", __name__)


@bp.get("/badges")
def page() -> ResponseReturnValue:
    """All badges, from the best proven one down."""
    return render_template("badges/badges.html")
