"""The outbox: what happened to a repo since webhooks were told last becomes deliveries, in one transaction.

The same function serves the request that moved the refs, the start after a crash, and the check from time to time: it
compares what was announced with what is (:mod:`glasshub.notices.changes`), so calling it again does no harm.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from glasshub import clock
from glasshub.events import Event
from glasshub.git.read import list_refs, open_repo
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.notices import changes
from glasshub.notices.changes import State
from glasshub.notices.payload import VERSION, Notice
from glasshub.notices.readers import may_read
from glasshub.record import Record
from glasshub.registry import announced, deliveries, repos, webhooks
from glasshub.registry.webhooks import WebhookRow
from glasshub.result_files import DAMAGE, printable

FOLLOWED = ("refs/heads/", "refs/tags/")
MOST_WAITING = 1000  # deliveries of one webhook
TRIES = 5
UNREADABLE = (*DAMAGE, OSError, sqlite3.Error)
_FULL = f"More than {MOST_WAITING:,} deliveries were waiting."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be written for one repo, if ``before`` still stands there."""

    before: str
    now: str
    told: Mapping[WebhookRow, Sequence[Notice]]
    erased: frozenset[int]
    deleted: bool = False


def announce(hub: Hub, key: str) -> int:
    """Write what is to be told of one repo into the outbox; returns how many deliveries that made.

    Raises:
        Busy: the registry could not be had in time; a later call makes up for it.
        GlasshubError, OSError: the repo cannot be read now.
    """
    for _ in range(TRIES):
        plan = _plan(hub, key)
        if plan is None:
            return 0
        with hub.registry.write() as db:
            if announced.state(db, key) == plan.before:
                return _write(db, key, plan)
    with hub.registry.write() as db:  # it changes faster than we read: let the others wait this once
        plan = _plan(hub, key)
        return _write(db, key, plan) if plan else 0


def begin(hub: Hub, keys: Iterable[str]) -> None:
    """Take repos as announced as they are now, where nothing is written of them yet."""
    with hub.registry.read() as db:
        known = announced.keys(db)
        missing = [repo for key in keys if key not in known and (repo := repos.by_key(db, key))]
    texts = {}
    for repo in missing:
        try:
            texts[repo.key] = _read(hub, repo)[0].to_json()
        except UNREADABLE:
            _log.exception("repo %s cannot be read for webhooks now", repo.key)
    if texts:
        with hub.registry.write() as db:
            for key in texts.keys() - announced.keys(db):
                announced.write(db, key, texts[key])


def catch_up(hub: Hub) -> int:
    """Announce every repo that is watched or was; returns how many deliveries that made. For starts and idle times."""
    with hub.registry.read() as db:
        keys = webhooks.watched_repos(db) | announced.keys(db)
    made = 0
    for key in sorted(keys):
        try:
            made += announce(hub, key)
        except UNREADABLE:
            _log.exception("repo %s cannot be announced to webhooks now", key)
    return made


def _plan(hub: Hub, key: str) -> _Plan | None:
    """``None``: nothing is to be written."""
    with hub.registry.read() as db:
        before_text = announced.state(db, key)
        before = State.from_json(before_text) if before_text else None
        repo = repos.by_key(db, key)
        known = [found for found in (repo, before.repo if before else None) if found is not None]
        hooks = webhooks.watching(db, {key, *(found.namespace.lower() for found in known)})
        logged = deliveries.numbers(db, key)
    if not (hooks or before or logged):
        return None
    now, events = _read(hub, repo) if repo else (None, ())
    told = {} if _is_old(before, now, hooks) else _told(hub, hooks, before, now, events)
    text = now.to_json() if now and hooks else ""
    erased = changes.erased_numbers(before, events) & logged
    if text == before_text and not erased and not (logged and now is None):
        return None
    return _Plan(before_text, text, told, erased, now is None)


def _is_old(before: State | None, now: State | None, hooks: Sequence[WebhookRow]) -> bool:
    """Whether the repo was there before anybody watched: there is nothing to tell of it yet."""
    return before is None and now is not None and all(now.repo.created_at < hook.enabled_at for hook in hooks)


def _told(
    hub: Hub, hooks: Sequence[WebhookRow], before: State | None, now: State | None, events: Sequence[Event]
) -> dict[WebhookRow, Sequence[Notice]]:
    """What each webhook is to be told: what it asked for, of what its owner may read."""
    subject = now or before
    notices = list(changes.notices(before, now, events, hub.settings.public_url)) if hooks else []
    if subject is None or not notices:
        return {}
    readers = {account for account in {hook.account for hook in hooks} if may_read(hub, account, subject.repo)}
    return {
        hook: [notice for notice in notices if notice.domain in hook.domains]
        for hook in hooks
        if hook.account in readers
    }


def _read(hub: Hub, repo: Repo) -> tuple[State, Sequence[Event]]:
    """A repo as it is now, and its record."""
    with open_repo(hub.git_dir(repo)) as git:
        refs = {printable(name): oid for name, oid in list_refs(git).items() if name.startswith(FOLLOWED)}
        events = Record.read(hub, repo.key, repo.repo_id, git).events
    return State(repo, refs, events[-1].id if events else ""), events


def _write(db: Connection, key: str, plan: _Plan) -> int:
    announced.write(db, key, plan.now)
    if plan.deleted:
        # What is about a deleted repo goes with it; only that it was deleted is still told.
        deliveries.forget_repo(db, key)
        webhooks.forget_target(db, key)
    if plan.erased:
        deliveries.forget_discussions(db, key, plan.erased)
    moment, made = clock.now(), 0
    for hook, notices in plan.told.items():
        if webhooks.by_id(db, hook.id) is None:
            continue  # deleted meanwhile
        room = MOST_WAITING - deliveries.waiting(db, hook.id) if notices else 0
        if len(notices) > room:
            disable(db, hook.id, _FULL)
            continue
        for notice in notices:
            _add(db, key, hook, notice, moment)
        made += len(notices)
    return made


def _add(db: Connection, key: str, hook: WebhookRow, notice: Notice, moment: str) -> None:
    payload = {**notice.payload, "webhook": {"id": hook.id, "version": VERSION}}
    # What git keeps may hold halves of characters, which are no text to send.
    body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace").decode()
    deliveries.add(
        db, guid=secrets.token_hex(12), webhook=hook.id, repo=key, number=notice.number, action=notice.action,
        scope=notice.scope, body=body, now=moment,
    )  # fmt: skip


def disable(db: Connection, webhook: str, why: str) -> None:
    """Stop telling a webhook anything; what was waiting for it is dropped."""
    webhooks.update(db, webhook, disabled=True, disabled_because=why)
    deliveries.drop_pending(db, webhook, why or "The webhook was disabled.")


def after_change(hub: Hub, key: str) -> None:
    """:func:`announce` for those whose own work must not fail by it: what goes wrong is made up for later."""
    try:
        announce(hub, key)
    except UNREADABLE:
        _log.exception("repo %s is announced to webhooks later", key)
