"""Webhooks of whoever asks, as the stock client manages them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify

from glasshub.errors import Invalid
from glasshub.notices import webhooks
from glasshub.notices.webhooks import DOMAINS, Watched, Webhook
from glasshub.web.api.json_body import JsonBody, json_body
from glasshub.web.context import actor, hub
from glasshub.web.repeats import request_id

bp = Blueprint("api_webhooks", __name__)
_ONE = "/api/settings/webhooks/<webhook>"


@bp.get("/api/settings/webhooks")
def listing() -> Response:
    """All of them."""
    return jsonify([_json(found) for found in webhooks.listing(hub(), actor())])


@bp.post("/api/settings/webhooks")
def create() -> Response:
    """Make one: ``url``, ``watched``, ``domains``, ``secret``."""
    body = json_body()
    _refuse_job(body)
    made = webhooks.create(
        hub(),
        actor(),
        url=body.text("url"),
        watched=_watched(body),
        domains=_domains(body) or DOMAINS,
        secret=body.text("secret", ""),
        request=request_id(),
    )
    return _answer(made)


@bp.get(_ONE)
def show(webhook: str) -> Response:
    """One of them."""
    return _answer(webhooks.get(hub(), actor(), webhook))


@bp.post(_ONE)
def update(webhook: str) -> Response:
    """Change what is sent; an empty ``watched`` (which the stock client sends when it is not given) changes nothing."""
    body = json_body()
    _refuse_job(body)
    changed = webhooks.update(
        hub(),
        actor(),
        webhook,
        url=body.text("url") if body.fields.get("url") is not None else None,
        watched=_watched(body),
        domains=_domains(body),
        secret=body.text("secret") if body.fields.get("secret") is not None else None,
    )
    return _answer(changed)


@bp.delete(_ONE)
def delete(webhook: str) -> Response:
    """Remove one with its log."""
    webhooks.delete(hub(), actor(), webhook)
    return jsonify({})


@bp.post(f"{_ONE}/<any('enable','disable'):verb>")
def switch(webhook: str, verb: str) -> Response:
    """Have one told, or no longer."""
    return _answer(webhooks.set_enabled(hub(), actor(), webhook, enabled=verb == "enable"))


def _answer(webhook: Webhook) -> Response:
    return jsonify({"webhook": _json(webhook)})


def _json(webhook: Webhook) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": webhook.id,
        "url": webhook.url,
        "watched": [{"type": item.type, "name": item.name} for item in webhook.watched],
        "domains": list(webhook.domains),
        "disabled": webhook.disabled,
    }
    if webhook.secret:
        said["secret"] = webhook.secret
    return said


def _refuse_job(body: JsonBody) -> None:
    if body.fields.get("jobSourceId"):
        raise Invalid("This hub runs no jobs. Give a url to be called.")


def _watched(body: JsonBody) -> list[Watched]:
    found = body.fields.get("watched") or []
    if not isinstance(found, list) or not all(_is_item(item) for item in found):
        raise Invalid('Send watched as a list of objects such as {"type": "model", "name": "ns/name"}.')
    return [Watched(item["type"], item["name"]) for item in found]


def _is_item(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("type"), str) and isinstance(item.get("name"), str)


def _domains(body: JsonBody) -> Sequence[str] | None:
    found = body.fields.get("domains")
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(domain, str) for domain in found):
        raise Invalid(f"Send domains as a list of {' and '.join(DOMAINS)}.")
    return found
