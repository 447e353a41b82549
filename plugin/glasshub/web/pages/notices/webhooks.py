"""The webhooks of a user: list, make, change, and what was delivered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from glasshub.errors import Forbidden, GlasshubError
from glasshub.notices import webhooks
from glasshub.notices.webhooks import DOMAINS, Delivery, Watched, Webhook
from glasshub.web import auth
from glasshub.web.context import actor, hub
from glasshub.web.pages.settings import user
from glasshub.web.repeats import request_id

bp = Blueprint("webhooks", __name__)
PER_PAGE = 50
_LIST = "/settings/webhooks"
_ONE = f"{_LIST}/<webhook>"


@bp.get(_LIST)
def listing() -> ResponseReturnValue:
    """All webhooks, and the form for a new one."""
    return _list_page()


@bp.post(_LIST)
def create() -> ResponseReturnValue:
    """Make a webhook."""
    _signed_in()
    form = request.form
    try:
        made = webhooks.create(
            hub(),
            actor(),
            url=form.get("url", ""),
            watched=_watched(form.get("watched", "")),
            domains=_domains(),
            secret=form.get("secret", "").strip(),
            request=request_id(),
        )
    except GlasshubError as error:
        return _list_page(error=error.message), 400
    flash("The webhook is made. It is told of what happens from now on.", "good")
    return redirect(f"{_LIST}/{made.id}", code=303)


@bp.get(_ONE)
def show(webhook: str) -> ResponseReturnValue:
    """One webhook and its deliveries."""
    _signed_in()
    return _page(webhooks.get(hub(), actor(), webhook))


@bp.post(_ONE)
def change(webhook: str) -> ResponseReturnValue:
    """Save a changed webhook; an empty secret stays as it is unless it is to be taken away."""
    _signed_in()
    form = request.form
    secret = form.get("secret", "").strip() or ("" if "no_secret" in form else None)
    try:
        webhooks.update(
            hub(),
            actor(),
            webhook,
            url=form.get("url", ""),
            watched=_watched(form.get("watched", "")),
            domains=_domains(),
            secret=secret,
        )
    except GlasshubError as error:
        return _page(webhooks.get(hub(), actor(), webhook), form=form, error=error.message), 400
    flash("The webhook is saved.", "good")
    return redirect(f"{_LIST}/{webhook}", code=303)


@bp.post(f"{_ONE}/<any('enable','disable'):verb>")
def switch(webhook: str, verb: str) -> ResponseReturnValue:
    """Have it told from now on, or no longer."""
    _signed_in()
    webhooks.set_enabled(hub(), actor(), webhook, enabled=verb == "enable")
    flash(f"The webhook is {verb}d.", "good")
    return redirect(f"{_LIST}/{webhook}", code=303)


@bp.post(f"{_ONE}/delete")
def delete(webhook: str) -> ResponseReturnValue:
    """Remove it with its log."""
    _signed_in()
    webhooks.delete(hub(), actor(), webhook)
    flash("The webhook is deleted.", "good")
    return redirect(_LIST, code=303)


@bp.get(f"{_ONE}/deliveries/<int:number>")
def delivery(webhook: str, number: int) -> ResponseReturnValue:
    """What was sent and what was answered."""
    _signed_in()
    found = webhooks.delivery(hub(), actor(), webhook, number)
    return render_template(
        "notices/delivery.html",
        webhook=webhooks.get(hub(), actor(), webhook),
        delivery=found,
        request_headers=json.loads(found.request_headers),
        response_headers=json.loads(found.response_headers),
        body=_pretty(found),
    )


@bp.post(f"{_ONE}/deliveries/<int:number>/redeliver")
def redeliver(webhook: str, number: int) -> ResponseReturnValue:
    """Send the same once more."""
    _signed_in()
    try:
        again = webhooks.redeliver(hub(), actor(), webhook, number)
    except GlasshubError as error:
        flash(error.message, "bad")
        return redirect(f"{_LIST}/{webhook}/deliveries/{number}", code=303)
    flash("It is sent again. Reload this page to see how it went.", "good")
    return redirect(f"{_LIST}/{webhook}/deliveries/{again}", code=303)


def _signed_in() -> None:
    """Raises ``Unauthenticated`` or ``Forbidden``: pages of settings are for browsers, tokens have the API."""
    user()
    if not auth.in_session():
        raise Forbidden("A token may not see these pages. Use the API, or sign in with your password in a browser.")


def _watched(text: str) -> list[Watched]:
    """One a line: ``name`` of a user or organisation, ``ns/model``, ``datasets/ns/data``."""
    found = []
    for line in text.split():
        if line.startswith("datasets/"):
            found.append(Watched("dataset", line.removeprefix("datasets/")))
        else:
            found.append(Watched("model" if "/" in line else "user", line.removeprefix("models/")))
    return found


def _written(watched: Sequence[Watched]) -> str:
    return "\n".join(f"datasets/{item.name}" if item.type == "dataset" else item.name for item in watched)


def _domains() -> list[str]:
    return [domain for domain in DOMAINS if f"domain_{domain}" in request.form]


def _list_page(*, error: str = "") -> str:
    _signed_in()
    found = webhooks.listing(hub(), actor())
    form: Mapping[str, Any] = request.form if error else {f"domain_{domain}": "1" for domain in DOMAINS}
    return render_template(
        "notices/webhooks.html",
        webhooks=found,
        form=form,
        error=error,
        most=hub().settings.webhooks_per_user,
        address=hub().settings.public_url,
    )


def _page(webhook: Webhook, *, form: Mapping[str, Any] | None = None, error: str = "") -> str:
    before = request.args.get("before", 0, type=int)
    found = webhooks.deliveries(hub(), actor(), webhook.id, before=max(0, before), limit=PER_PAGE + 1)
    if form is None:
        form = {"url": webhook.url, "watched": _written(webhook.watched), "secret": ""}
        form |= {f"domain_{domain}": "1" for domain in webhook.domains}
    return render_template(
        "notices/webhook.html",
        webhook=webhook,
        form=form,
        error=error,
        deliveries=found[:PER_PAGE],
        before=before,
        more=found[PER_PAGE - 1].id if len(found) > PER_PAGE else 0,
    )


def _pretty(delivery: Delivery) -> str:
    return json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False) if delivery.body else ""
