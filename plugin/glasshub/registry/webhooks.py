"""Webhooks and what they watch in the registry."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, select, union

from glasshub.names import folded
from glasshub.registry.tables import repos, webhook_watched, webhooks


@dataclass(frozen=True, slots=True)
class Target:
    """Something watched: ``target`` is a repo's key (kind model or dataset) or a lower-cased account (user or org)."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class WebhookRow:
    """A webhook. ``enabled_at`` is since when it is told; ``failures`` counts deliveries given up in a row."""

    id: str
    account: str
    url: str
    domains: tuple[str, ...]
    secret: str
    created_at: str
    enabled_at: str
    disabled: bool
    disabled_because: str
    failures: int


def add(db: Connection, row: WebhookRow) -> None:
    """Insert a webhook."""
    db.execute(
        webhooks.insert().values(
            id=row.id,
            account=row.account,
            url=row.url,
            domains=" ".join(row.domains),
            secret=row.secret,
            created_at=row.created_at,
            enabled_at=row.enabled_at,
            disabled=row.disabled,
            disabled_because=row.disabled_because,
            failures=row.failures,
        )
    )


def update(db: Connection, webhook: str, **values: object) -> None:
    """Change columns of one webhook (``domains`` as stored: words in one text)."""
    if values:
        db.execute(webhooks.update().where(webhooks.c.id == webhook).values(**values))


def delete(db: Connection, webhook: str) -> None:
    """Remove a webhook with its log."""
    db.execute(webhooks.delete().where(webhooks.c.id == webhook))


def by_id(db: Connection, webhook: str) -> WebhookRow | None:
    """The webhook with this id."""
    row = db.execute(select(webhooks).where(webhooks.c.id == webhook)).one_or_none()
    return None if row is None else _webhook(row)


def of_account(db: Connection, account: str) -> list[WebhookRow]:
    """The webhooks of a user, oldest first."""
    query = select(webhooks).where(webhooks.c.account == folded(account)).order_by(webhooks.c.created_at, webhooks.c.id)
    return [_webhook(row) for row in db.execute(query)]


def set_targets(db: Connection, webhook: str, targets: Iterable[Target]) -> None:
    """Make these the only things that a webhook watches."""
    db.execute(webhook_watched.delete().where(webhook_watched.c.webhook == webhook))
    for found in dict.fromkeys(targets):
        db.execute(webhook_watched.insert().values(webhook=webhook, target=found.target, kind=found.kind))


def targets(db: Connection, webhook: str) -> list[Target]:
    """What a webhook watches."""
    watched = webhook_watched.c
    query = (
        select(watched.kind, watched.target).where(watched.webhook == webhook).order_by(watched.kind, watched.target)
    )
    return [Target(row.kind, row.target) for row in db.execute(query)]


def forget_target(db: Connection, target: str) -> None:
    """Nobody watches this any more (the repo is gone)."""
    db.execute(webhook_watched.delete().where(webhook_watched.c.target == target))


def watching(db: Connection, among: Collection[str]) -> list[WebhookRow]:
    """The enabled webhooks that watch any of these targets, oldest first."""
    chosen = select(webhook_watched.c.webhook).where(webhook_watched.c.target.in_(list(among)))
    query = select(webhooks).where(webhooks.c.id.in_(chosen), webhooks.c.disabled.is_(False))
    return [_webhook(row) for row in db.execute(query.order_by(webhooks.c.created_at, webhooks.c.id))]


def watched_repos(db: Connection, webhook: str = "") -> set[str]:
    """The keys of the repos that enabled webhooks (or this one in any case) watch, also by their namespaces."""
    enabled = select(webhooks.c.id).where(webhooks.c.disabled.is_(False))
    chosen = webhook_watched.c.webhook == webhook if webhook else webhook_watched.c.webhook.in_(enabled)
    names = select(webhook_watched.c.target).where(chosen)
    direct = select(repos.c.key).where(repos.c.key.in_(names))
    below = select(repos.c.key).where(func.lower(repos.c.namespace).in_(names))
    return set(db.scalars(union(direct, below)))


def _webhook(row: Row[tuple[object, ...]]) -> WebhookRow:
    return WebhookRow(
        row.id, row.account, row.url, tuple(row.domains.split()), row.secret, row.created_at, row.enabled_at,
        bool(row.disabled), row.disabled_because, row.failures,
    )  # fmt: skip
