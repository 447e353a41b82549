"""Sending what is in the outbox: take, send once, write down how it went, and when to try again."""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPException

from glasshub import __version__, clock
from glasshub.hub import Hub
from glasshub.notices import outbox, sending
from glasshub.notices.readers import may_read
from glasshub.notices.signature import SIGNATURE, TIMESTAMP, sign
from glasshub.registry import deliveries, repos, webhooks
from glasshub.registry.deliveries import DELIVERED, DROPPED, FAILED, PENDING, Delivery
from glasshub.registry.webhooks import WebhookRow

MOST_ATTEMPTS = 8  # with the default settings, over some 23 hours
GIVE_UP_AFTER = 10  # deliveries that failed for good, in a row
KEPT_DAYS = 14
KEPT = 500  # deliveries of one webhook
SECRET = "X-Webhook-Secret"  # noqa: S105 - the header's name
_GIVEN_UP = f"{GIVE_UP_AFTER} deliveries in a row failed, each {MOST_ATTEMPTS} times."


def take(hub: Hub, limit: int) -> list[Delivery]:
    """Take up to ``limit`` deliveries that are due; they are this process's until the lease ends. Raises ``Busy``."""
    now = datetime.now(UTC)
    with hub.registry.read() as db:
        if not deliveries.is_due(db, clock.iso(now)):
            return []
    until = now + timedelta(seconds=_lease(hub))
    with hub.registry.write() as db:
        lease = secrets.token_hex(8)
        return deliveries.claim(db, now=clock.iso(now), until=clock.iso(until), lease=lease, limit=limit)


def deliver(hub: Hub, taken: Delivery) -> None:
    """Send one delivery that was taken, and write down how it went. Raises ``Busy``: then it is sent again."""
    with hub.registry.read() as db:
        hook = webhooks.by_id(db, taken.webhook)
    if hook is None:
        return  # and its deliveries with it
    reason = _refusal(hub, hook, taken)
    if reason:
        _finish(hub, taken, state=DROPPED, error=reason)
        return
    headers = _headers(hook, taken)
    said = {"sent_at": clock.now(), "request_headers": json.dumps(_without_secret(headers))}
    began = time.monotonic()
    try:
        answer = sending.post(
            hook.url,
            taken.body.encode(),
            headers,
            timeout=max(0.1, hub.settings.webhook_timeout),
            private=hub.settings.webhooks_private_addresses,
        )
    except (OSError, HTTPException, ValueError) as error:
        outcome: dict[str, object] = {"status": 0, "error": _words(error), "response_headers": "[]"}
        good = False
    else:
        good = 200 <= answer.status < 300
        outcome = {
            "status": answer.status,
            "error": "" if good else _complaint(answer.status),
            "response_headers": json.dumps(answer.headers),
            "response_body": answer.body.replace("\0", ""),
        }
    milliseconds = int(1000 * (time.monotonic() - began))
    values = {**said, **outcome, "milliseconds": milliseconds}
    if good:
        _finish(hub, taken, state=DELIVERED, **values)
    else:
        _failed(hub, taken, values)


def prune(hub: Hub) -> int:
    """Remove old deliveries from the log; returns how many. Raises ``Busy``."""
    before = clock.iso(datetime.now(UTC) - timedelta(days=KEPT_DAYS))
    with hub.registry.write() as db:
        return deliveries.prune(db, before=before, keep=KEPT)


def pause(hub: Hub, attempts: int) -> float:
    """Seconds until the next attempt after so many: four times as long each time, a quarter more or less."""
    return float(hub.settings.webhook_retry_seconds * 4 ** (attempts - 1) * random.uniform(0.75, 1.25))  # noqa: S311


def _lease(hub: Hub) -> float:
    """How long a delivery is its sender's: longer than sending may take."""
    return 2 * hub.settings.webhook_timeout + 5


def _refusal(hub: Hub, hook: WebhookRow, taken: Delivery) -> str:
    """Why it is not to be sent any more: much may have changed since it was written."""
    if hook.disabled:
        return hook.disabled_because or "The webhook was disabled."
    if taken.attempts > MOST_ATTEMPTS:
        return "It was tried too often."
    with hub.registry.read() as db:
        repo = repos.by_key(db, taken.repo)
    if repo is not None and not may_read(hub, hook.account, repo):
        return "You may not read this repo any more."
    return ""


def _headers(hook: WebhookRow, taken: Delivery) -> dict[str, str]:
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"Glasshub/{__version__} webhook",
        "X-Glasshub-Delivery": taken.guid,
        TIMESTAMP: timestamp,
    }
    if hook.secret:
        headers[SECRET] = hook.secret
        headers[SIGNATURE] = sign(hook.secret, timestamp, taken.body.encode())
    return headers


def _without_secret(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "(not shown)" if name == SECRET else value for name, value in headers.items()}


def _complaint(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered {status}; redirects are not followed. Give the address that it leads to."
    return f"It answered {status}."


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "It did not answer in time."
    return (str(error) or type(error).__name__)[:500]


def _failed(hub: Hub, taken: Delivery, values: Mapping[str, object]) -> None:
    if taken.attempts < MOST_ATTEMPTS:
        after = datetime.now(UTC) + timedelta(seconds=pause(hub, taken.attempts))
        _finish(hub, taken, state=PENDING, next_at=clock.iso(after), **values)
    else:
        _finish(hub, taken, state=FAILED, **values)


def _finish(hub: Hub, taken: Delivery, *, state: str, **values: object) -> None:
    with hub.registry.write() as db:
        if not deliveries.finish(db, taken.id, taken.lease, state=state, **values):
            return  # it was removed meanwhile, or the lease had ended and somebody else sent it
        hook = webhooks.by_id(db, taken.webhook)
        if hook is None or state not in (DELIVERED, FAILED):
            return
        failures = 0 if state == DELIVERED else hook.failures + 1
        if failures != hook.failures:
            webhooks.update(db, hook.id, failures=failures)
        if failures >= GIVE_UP_AFTER:
            outbox.disable(db, hook.id, _GIVEN_UP)
