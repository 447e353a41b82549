"""Runners: who may sign what they measured, and with which keys. Admins of the hub decide; keys are never removed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from glasshub import clock, runs
from glasshub.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from glasshub.hub import Hub
from glasshub.identity import Actor
from glasshub.names import folded
from glasshub.registry import runners as rows
from glasshub.registry.runners import NEVER, Runner
from glasshub.verify.keys import RunnerKey, decode_public, thumbprint

__all__ = [
    "Runner",
    "add_key",
    "approve",
    "find",
    "keys",
    "listing",
    "may_decide",
    "register",
    "retire",
    "revoke_key",
    "waiting_keys",
]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,60}[A-Za-z0-9])?")
MAX_REASON = 500
MAX_KEYS = 50  # of one runner


def register(hub: Hub, actor: Actor, name: str, public: str) -> Runner:
    """Ask for a runner with a first key; an admin's own is active at once, others wait for approval.

    Args:
        hub: the hub.
        actor: who answers for the runner.
        name: up to 62 of ``A-Z a-z 0-9 . _ -``.
        public: the public key, 32 bytes in base64url.

    Raises:
        Invalid: the name or the key is none.
        Conflict: the name or the key is taken.
        Unauthenticated, Forbidden: nobody is signed in, or the token is read-only.
    """
    owner = _writer(actor)
    if not _NAME.fullmatch(name):
        raise Invalid(f"{name[:80]!r} cannot be the name of a runner: use letters, digits, dots, dashes, underscores.")
    runner = Runner(name, owner, "active" if actor.is_hub_admin else "pending", clock.now())
    key = _key(name, public)
    with hub.registry.write() as db:
        rows.add(db, runner)
        if runner.state == "active":
            rows.add_key(db, key)
        else:
            rows.add_key(db, RunnerKey(key.kid, name, key.public, NEVER))
    if runner.state == "active":
        runs.publish(hub)
    return runner


def approve(hub: Hub, actor: Actor, name: str) -> Runner:
    """Let a runner sign from now on. Raises ``NotFound``, ``Conflict`` (it is active), ``Forbidden``.

    Nobody being signed in is ``Unauthenticated``, here as in all that decides about runners.
    """
    _admin(actor)
    with hub.registry.write() as db:
        runner = _require(rows.find(db, name), name)
        if runner.state != "pending":
            raise Conflict(f"{runner.name} is {runner.state}.")
        rows.set_state(db, name, "active")
        for key in rows.keys(db, runner.name):
            rows.begin_key(db, key.kid, clock.now())
    runs.publish(hub)
    return find(hub, name)


def add_key(hub: Hub, actor: Actor, name: str, public: str) -> RunnerKey:
    """Give an active runner a further key (rotation); older ones go on until they are revoked.

    Raises:
        Forbidden: only its owner and admins may.
        Invalid, Conflict, NotFound: the key is none, or known, or there is no such runner, or it is not active.
    """
    key = _key(name, public)
    with hub.registry.write() as db:
        runner = _require(rows.find(db, name), name)
        _owner(actor, runner)
        if runner.state != "active":
            raise Conflict(f"{runner.name} is {runner.state}; it takes no keys.")
        if len(rows.keys(db, runner.name)) >= MAX_KEYS:
            raise Conflict(f"{runner.name} has {MAX_KEYS} keys already.")
        rows.add_key(db, RunnerKey(key.kid, runner.name, key.public, key.not_before))
    runs.publish(hub)
    return key


def revoke_key(hub: Hub, actor: Actor, kid: str, *, reason: str, since: str = "") -> RunnerKey:
    """End a key's window now, or as of an earlier moment: results signed after it lose their badge.

    Args:
        hub: the hub.
        actor: an admin, or the runner's owner.
        kid: the key.
        reason: why; it becomes public.
        since: ISO-8601; now by default.

    Raises:
        NotFound: there is no such key.
        Invalid: no reason is given, or ``since`` is no moment in the past.
        Conflict: it is revoked already, as of that moment or before.
        Forbidden: only its owner and admins may.
    """
    at = _moment(since)
    if not reason.strip() or len(reason) > MAX_REASON:
        raise Invalid(f"Give a reason of 1 to {MAX_REASON} characters; it becomes public.")
    with hub.registry.write() as db:
        found = next((key for key in rows.keys(db) if key.kid == kid), None)
        if found is None:
            raise NotFound(f"No runner of this hub has the key {kid[:60]!r}.")
        _owner(actor, _require(rows.find(db, found.runner), found.runner))
        if found.revoked_at and found.revoked_at <= at:
            raise Conflict(f"This key is revoked as of {found.revoked_at} already.")
        rows.revoke_key(db, kid, at, reason.strip())
    runs.publish(hub)
    return RunnerKey(kid, found.runner, found.public, found.not_before, at, reason.strip())


def retire(hub: Hub, actor: Actor, name: str) -> Runner:
    """Let a runner sign no more: no jobs, no keys. What it signed before stays. Raises as :func:`approve`."""
    _admin(actor)
    with hub.registry.write() as db:
        runner = _require(rows.find(db, name), name)
        rows.set_state(db, name, "retired")
        for key in rows.keys(db, runner.name):
            if not key.revoked_at:
                rows.revoke_key(db, key.kid, clock.now(), "the runner was retired")
    runs.publish(hub)
    return find(hub, name)


def find(hub: Hub, name: str) -> Runner:
    """The runner of that name. Raises ``NotFound``."""
    with hub.registry.read() as db:
        return _require(rows.find(db, name), name)


def listing(hub: Hub) -> list[Runner]:
    """All runners by name."""
    with hub.registry.read() as db:
        return rows.listing(db)


def keys(hub: Hub, name: str | None = None) -> list[RunnerKey]:
    """All keys whose window has begun, revoked ones included (of one runner, or of all)."""
    with hub.registry.read() as db:
        return [key for key in rows.keys(db, name) if key.not_before != NEVER]


def waiting_keys(hub: Hub, name: str) -> list[RunnerKey]:
    """The keys of a runner that count once it is approved."""
    with hub.registry.read() as db:
        return [key for key in rows.keys(db, name) if key.not_before == NEVER]


def may_decide(actor: Actor, runner: Runner) -> bool:
    """Whether the actor may revoke the runner's keys (and, if they are an admin of the hub, approve and retire it)."""
    mine = actor.name is not None and folded(actor.name) == folded(runner.owner)
    return _for_everything(actor) and (mine or actor.is_hub_admin)


def _key(name: str, public: str) -> RunnerKey:
    raw = decode_public(public)
    return RunnerKey(thumbprint(raw), name, raw, clock.now())


def _moment(since: str) -> str:
    now = clock.now()
    if not since:
        return now
    try:
        moment = datetime.fromisoformat(since)
        at = clock.iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise Invalid(f"{since[:60]!r} is no moment; write it like 2026-01-31T12:00:00Z.") from error
    if at > now:
        raise Invalid("A key is revoked as of now or an earlier moment, not a later one.")
    return at


def _require(runner: Runner | None, name: str) -> Runner:
    if runner is None:
        raise NotFound(f"There is no runner called {name[:80]!r}.")
    return runner


def _writer(actor: Actor) -> str:
    if actor.name is None:
        raise Unauthenticated("Sign in to register a runner.")
    if actor.scope != "write" or actor.only_repos is not None:
        raise Forbidden("This token may not register runners; use one with scope write for all repos.")
    return actor.name


def _admin(actor: Actor) -> None:
    if actor.name is None:
        raise Unauthenticated("Sign in to decide about runners.")
    if not actor.is_hub_admin or not _for_everything(actor):
        raise Forbidden("Only admins of the hub decide which runners may sign.")


def _owner(actor: Actor, runner: Runner) -> None:
    if not may_decide(actor, runner):
        _admin(actor)


def _for_everything(actor: Actor) -> bool:
    """A session, or a token that may write and is not limited to some repos."""
    return actor.scope == "write" and actor.only_repos is None
