"""Webhooks of users: make, change, disable, remove, and look at what was sent. Rules and use cases."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from glasshub import access, accounts, clock, repos
from glasshub.access import Action
from glasshub.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from glasshub.hub import Hub
from glasshub.identity import REPO_TYPES, Actor, RepoType
from glasshub.notices import outbox
from glasshub.notices.addresses import check_url
from glasshub.registry import deliveries as delivery_rows
from glasshub.registry import people
from glasshub.registry import repos as repo_rows
from glasshub.registry import webhooks as rows
from glasshub.registry.deliveries import Delivery
from glasshub.registry.webhooks import Target, WebhookRow

__all__ = ["DOMAINS", "Delivery", "Watched", "Webhook", "create", "delete", "deliveries", "delivery", "get", "listing",
           "redeliver", "set_enabled", "update"]  # fmt: skip

DOMAINS = ("repo", "discussion")
MOST_WATCHED = 100
MAX_SECRET = 200
BY_OWNER = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """Something that a webhook watches: ``type`` is model, dataset, user or org."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as its owner sees it. ``disabled_because`` is empty unless the hub itself disabled it."""

    id: str
    url: str
    watched: tuple[Watched, ...]
    domains: tuple[str, ...]
    secret: str
    created_at: str
    disabled: bool
    disabled_because: str


def listing(hub: Hub, actor: Actor) -> list[Webhook]:
    """The actor's webhooks, oldest first. Raises ``Unauthenticated``."""
    account = _owner(actor)
    with hub.registry.read() as db:
        return [_webhook(db, actor, row) for row in rows.of_account(db, account)]


def get(hub: Hub, actor: Actor, webhook: str) -> Webhook:
    """One of the actor's webhooks. Raises ``NotFound``, ``Unauthenticated``."""
    with hub.registry.read() as db:
        return _webhook(db, actor, _row(db, actor, webhook))


def create(
    hub: Hub,
    actor: Actor,
    *,
    url: str,
    watched: Sequence[Watched],
    domains: Sequence[str] = DOMAINS,
    secret: str = "",
    request: str = "",
) -> Webhook:
    """Make a webhook that is told from now on.

    Args:
        hub: the hub.
        actor: whose it is.
        url: what is called.
        watched: what it is told of.
        domains: and of which kinds of events.
        secret: sent along, and signs what is sent.
        request: 24 hex digits that only the very same request has: it makes one webhook, which is answered again.

    Raises:
        Unauthenticated, Forbidden: nobody is signed in, or the token may not do this.
        Invalid: a bad URL, secret or domain, or nothing to watch.
        RepoNotFound, AccountNotFound: something to watch does not exist (for this actor).
        Conflict: the actor has as many as the setting ``webhooks_per_user`` allows.
    """
    account = _owner(actor, change=True)
    targets = _targets(hub, actor, watched)
    if not targets:
        raise Invalid("Say what to watch: at least one user, organisation, model or dataset.")
    moment = clock.now()
    url = check_url(url, private=hub.settings.webhooks_private_addresses)
    row = WebhookRow(
        request or secrets.token_hex(12), account, url, _domains(domains), _secret(secret), moment, moment, False,
        BY_OWNER, 0,
    )  # fmt: skip
    with hub.registry.write() as db:
        made = rows.by_id(db, row.id)
        if made is not None:
            return _webhook(db, actor, made)
        most = hub.settings.webhooks_per_user
        if len(rows.of_account(db, account)) >= most:
            raise Conflict(f"You have {most} webhooks, which is the most one user may have here. Delete one first.")
        rows.add(db, row)
        rows.set_targets(db, row.id, targets)
    return _begun(hub, actor, row.id)


def update(
    hub: Hub,
    actor: Actor,
    webhook: str,
    *,
    url: str | None = None,
    watched: Sequence[Watched] = (),
    domains: Sequence[str] | None = None,
    secret: str | None = None,
) -> Webhook:
    """Change what is given; nothing in ``watched`` leaves it as it is. Raises as :func:`create`, and ``NotFound``."""
    _owner(actor, change=True)
    targets = _targets(hub, actor, watched)
    values: dict[str, object] = {}
    if url is not None:
        values["url"] = check_url(url, private=hub.settings.webhooks_private_addresses)
    if domains is not None:
        values["domains"] = " ".join(_domains(domains))
    if secret is not None:
        values["secret"] = _secret(secret)
    with hub.registry.write() as db:
        _row(db, actor, webhook)
        rows.update(db, webhook, **values)
        if targets:
            rows.set_targets(db, webhook, targets)
    return _begun(hub, actor, webhook)


def set_enabled(hub: Hub, actor: Actor, webhook: str, *, enabled: bool) -> Webhook:
    """Have a webhook told from now on, or no longer. Raises as :func:`get`, and ``Forbidden``."""
    _owner(actor, change=True)
    with hub.registry.write() as db:
        row = _row(db, actor, webhook)
        if enabled and row.disabled:
            rows.update(db, webhook, disabled=False, disabled_because="", failures=0, enabled_at=clock.now())
        elif not enabled and not row.disabled:
            outbox.disable(db, webhook, BY_OWNER)
    return _begun(hub, actor, webhook)


def delete(hub: Hub, actor: Actor, webhook: str) -> None:
    """Remove a webhook with its log. Raises as :func:`get`, and ``Forbidden``."""
    _owner(actor, change=True)
    with hub.registry.write() as db:
        rows.delete(db, _row(db, actor, webhook).id)


def deliveries(hub: Hub, actor: Actor, webhook: str, *, before: int = 0, limit: int = 50) -> list[Delivery]:
    """What was and is to be sent, newest first. Raises as :func:`get`, and ``Forbidden``."""
    _owner(actor, change=True)
    with hub.registry.read() as db:
        return delivery_rows.listing(db, _row(db, actor, webhook).id, before=before, limit=limit)


def delivery(hub: Hub, actor: Actor, webhook: str, id: int) -> Delivery:
    """One delivery, without its text if the actor may not read the repo any more. Raises as :func:`deliveries`."""
    _owner(actor, change=True)
    with hub.registry.read() as db:
        found = _delivery(db, actor, webhook, id)
        repo = repo_rows.by_key(db, found.repo)
    return found if repo is None or access.may_read(actor, repo) else replace(found, body="", response_body="")


def redeliver(hub: Hub, actor: Actor, webhook: str, id: int) -> int:
    """Send the same once more, as a delivery of its own; returns its number.

    Raises:
        Conflict: the webhook is disabled, or there is too much to send already.
        NotFound, Unauthenticated, Forbidden: as :func:`deliveries`.
    """
    _owner(actor, change=True)
    with hub.registry.write() as db:
        if _row(db, actor, webhook).disabled:
            raise Conflict("This webhook is disabled. Enable it first.")
        old = _delivery(db, actor, webhook, id)
        if old.state == delivery_rows.PENDING:
            raise Conflict("This delivery is still to be sent.")
        if delivery_rows.waiting(db, webhook) >= outbox.MOST_WAITING:
            raise Conflict("Too many deliveries are waiting already. Try again later.")
        return delivery_rows.add(
            db, guid=old.guid, webhook=webhook, repo=old.repo, number=old.number, action=old.action, scope=old.scope,
            body=old.body, now=clock.now(),
        )  # fmt: skip


def _begun(hub: Hub, actor: Actor, webhook: str) -> Webhook:
    """The webhook, once all that it watches is taken as announced as it is now."""
    found = get(hub, actor, webhook)
    if not found.disabled:
        with hub.registry.read() as db:
            keys = rows.watched_repos(db, webhook)
        outbox.begin(hub, keys)
    return found


def _owner(actor: Actor, *, change: bool = False) -> str:
    if actor.name is None:
        raise Unauthenticated("Sign in to see your webhooks.")
    if change and not _is_free(actor):
        raise Forbidden("Webhooks need a token with scope write that is not limited to some repos.")
    return actor.name.lower()


def _is_free(actor: Actor) -> bool:
    return actor.scope == "write" and actor.only_repos is None


def _row(db: Connection, actor: Actor, webhook: str) -> WebhookRow:
    row = rows.by_id(db, webhook)
    if row is None or row.account != _owner(actor):
        raise NotFound("You have no such webhook. The list of your webhooks shows their ids.")
    return row


def _delivery(db: Connection, actor: Actor, webhook: str, id: int) -> Delivery:
    found = delivery_rows.by_id(db, _row(db, actor, webhook).id, id)
    if found is None:
        raise NotFound("This webhook has no such delivery. Old ones are removed.")
    return found


def _webhook(db: Connection, actor: Actor, row: WebhookRow) -> Webhook:
    named = [_named(db, actor, target) for target in rows.targets(db, row.id)]
    watched = tuple(found for found in named if found is not None)
    secret = row.secret if _is_free(actor) else ""
    return Webhook(
        row.id, row.url, watched, row.domains, secret, row.created_at, row.disabled, row.disabled_because
    )  # fmt: skip


def _named(db: Connection, actor: Actor, target: Target) -> Watched | None:
    """What a target is called now; ``None`` when it is gone, or not for this actor any more."""
    if target.kind in REPO_TYPES:
        repo = repo_rows.by_key(db, target.target)
        return Watched(repo.type, repo.repo_id) if repo and access.may_read(actor, repo) else None
    account = people.find(db, target.target)
    return Watched(account.kind, account.name) if account else None


def _targets(hub: Hub, actor: Actor, watched: Sequence[Watched]) -> list[Target]:
    if len(watched) > MOST_WATCHED:
        raise Invalid(f"A webhook watches at most {MOST_WATCHED} things. Watch an organisation, or make another one.")
    return [_target(hub, actor, item) for item in watched]


def _target(hub: Hub, actor: Actor, item: Watched) -> Target:
    if item.type in ("user", "org"):
        account = accounts.find(hub, item.name)
        return Target(account.kind, account.name.lower())
    type: RepoType | None = next((known for known in REPO_TYPES if known == item.type), None)
    if type is None:
        raise Invalid(f"This hub has no {item.type!r} to watch; the types are user, org, model and dataset.")
    namespace, _, name = item.name.partition("/")
    repo = repos.find(hub, type, namespace, name)
    access.require(actor, Action.READ, repo)
    return Target(repo.type, repo.key)


def _domains(domains: Sequence[str]) -> tuple[str, ...]:
    unknown = [domain for domain in domains if domain not in DOMAINS]
    if unknown or not domains:
        raise Invalid(f"The domains of a webhook are {' and '.join(DOMAINS)}; choose one or both.")
    return tuple(domain for domain in DOMAINS if domain in domains)


def _secret(secret: str) -> str:
    if len(secret) > MAX_SECRET or not all(" " < character <= "~" for character in secret):
        raise Invalid(f"A secret has at most {MAX_SECRET} letters, digits and signs of ASCII, and no spaces.")
    return secret
