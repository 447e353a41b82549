"""Asking for access to a gated repo, and deciding who gets it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub import gates
from glasshub.access import Action
from glasshub.cards import Card
from glasshub.errors import AccountNotFound, Conflict, Invalid, NotFound
from glasshub.gate_form import BUTTON, BUTTON_AUTO, HEADING, GateForm, gate_form
from glasshub.gates import STATUSES, AccessRequest, Status
from glasshub.git.read import open_repo
from glasshub.identity import RepoType
from glasshub.web.context import actor, hub
from glasshub.web.pages.card import card_html, markdown_html
from glasshub.web.pages.repo_view import MAIN, RepoView, repo_routes, view_repo

bp = Blueprint("access_requests", __name__)
PER_PAGE = 50
_WORDS = {"accepted": "has access now", "rejected": "was rejected", "pending": "waits for a decision again"}


@bp.app_template_global("gate_form_of")
def gate_form_of(card: Card) -> GateForm:
    """The form that the front matter of a card asks for."""
    return gate_form(card.front_matter)


@bp.app_template_global("gate_html")
def gate_html(view: RepoView, text: str) -> str:
    """What a card says to those who ask for access, as sanitised HTML."""
    return markdown_html(text, view.path, MAIN, "README.md", ids="gate-") if text else ""


@bp.app_template_global("own_request")
def own_request(view: RepoView) -> AccessRequest | None:
    """The reader's request for access."""
    return gates.request_of(hub(), actor(), view.repo)


@bp.app_template_global("gate_words")
def gate_words(view: RepoView, form: GateForm) -> tuple[str, str]:
    """Heading and button of the form, those of the card first."""
    return form.heading or HEADING, form.button or (BUTTON_AUTO if view.repo.gated == "auto" else BUTTON)


@repo_routes(bp, "/ask-access", methods=("POST",))
def ask(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Send the form, or with ``do=withdraw`` take a request back that nobody has decided."""
    view = view_repo(type, ns, name, Action.DISCUSS)
    if request.form.get("do") == "withdraw":
        gates.withdraw(hub(), actor(), view.repo)
        flash("Your request is withdrawn.", "good")
        return redirect(view.path, code=303)
    with open_repo(hub().git_dir(view.repo)) as git:
        form = gate_form(card_html(git, view.path, MAIN)[0].front_matter)
    if request.form.get("version") != form.version:
        raise Conflict("The terms have changed since you opened the page. Go back, reload it, and read them again.")
    try:
        made = gates.ask(hub(), actor(), view.repo, form, request.form, terms=view.row.head)
    except Invalid as error:
        flash(error.message, "bad")
        return redirect(f"{view.path}#gate", code=303)
    said = "You have access now." if made.status == "accepted" else "You have asked. Your inbox will tell the answer."
    flash(said, "good")
    return redirect(view.path, code=303)


@repo_routes(bp, "/access-requests")
def listing(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Who asked for access, by ``status``."""
    return _page(view_repo(type, ns, name, Action.WRITE))


@repo_routes(bp, "/access-requests", methods=("POST",))
def decide(type: RepoType, ns: str, name: str) -> ResponseReturnValue:
    """Accept or reject a request, put it back, or (``do=grant``) let somebody in unasked."""
    view, form = view_repo(type, ns, name, Action.WRITE), request.form
    try:
        if form.get("do") == "grant":
            found = gates.grant(hub(), actor(), view.repo, form.get("user", "").strip())
        else:
            status = next((known for known in STATUSES if known == form.get("do")), None)
            if status is None:
                raise Invalid("Choose what is to become of the request.")
            reason = form.get("reason", "") if status == "rejected" else ""
            found = gates.handle(hub(), actor(), view.repo, status, id=form.get("request", ""), reason=reason)
    except (Invalid, AccountNotFound, NotFound) as error:
        return _page(view, error=error.message), 400
    flash(f"{found.user} {_WORDS[found.status]}.", "good")
    shown = next((known for known in STATUSES if known == form.get("shown")), "pending")
    return redirect(f"{view.path}/access-requests?status={shown}", code=303)


def _page(view: RepoView, *, error: str = "") -> str:
    asked = request.args.get("status") or request.form.get("shown")
    status: Status = next((known for known in STATUSES if known == asked), "pending")
    start = max(0, request.args.get("start", 0, type=int))
    listed = gates.listing(hub(), actor(), view.repo, status, skip=start, limit=PER_PAGE + 1) if view.repo.gated else []
    return render_template(
        "settings/access_requests.html",
        view=view,
        status=status,
        counts=gates.counts(hub(), view.repo),
        requests=listed[:PER_PAGE],
        start=start,
        next_start=start + PER_PAGE if len(listed) > PER_PAGE else 0,
        error=error,
    )
