"""The one door: every write to a repo becomes a move of refs that passes through :func:`_write`.

Two callers stand before it: :func:`apply_ref_updates` for what clients push, :func:`decide` for what the hub itself
decides in a repo (merge, comment, web edit). Order: objects first, then refs (the commit point), then the index. A
process that dies in between has either not moved the refs (nothing was acknowledged) or left an index that the next
sync brings up to date.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from glasshub import access, arrivals, indexing, policy, push_report, pushes, repos
from glasshub.desk import Desk, Move, Tell, signature
from glasshub.errors import GlasshubError, Invalid
from glasshub.events import Event, to_message
from glasshub.git import event_log, refs
from glasshub.git.fsck import check_tip
from glasshub.git.lock import repo_lock
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import open_repo
from glasshub.git.refs import ZERO, RefResult, RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.repeats import once

__all__ = ["Tell", "apply_ref_updates", "decide", "silent"]

ATOMIC = "atomic push: another ref was refused, so none was changed"
Decide = Callable[[Desk], Sequence[Move]]
_log = logging.getLogger(__name__)


def silent(line: str) -> None:
    """A listener for callers without a terminal."""


def apply_ref_updates(
    hub: Hub,
    repo: Repo,
    updates: Sequence[RefUpdate],
    actor: Actor,
    *,
    incoming: Quarantine,
    atomic: bool = False,
    options: Sequence[str] = (),
    tell: Tell = silent,
    base_url: str = "",
) -> list[RefResult]:
    """Check, apply and index what a client asks for.

    ``refs/for/main`` opens a pull request and ``refs/pr/N`` changes one; other refs are branches and tags.

    Args:
        hub: the hub.
        repo: the repo to change; its settings are read again under the lock.
        updates: what is asked for, each with the old id the caller saw.
        actor: who asks (access is checked here).
        incoming: the new objects, already found sound; moved in only if an update is accepted.
        atomic: all or none.
        options: push options (``title=...``, ``description=...``, ``draft``).
        tell: called with lines for the person at the terminal.
        base_url: the hub's address for links in those lines (the setting by default).

    Returns:
        One result per update, in order; refused ones carry the reason.

    Raises:
        RepoNotFound: the repo was deleted meanwhile.
        Busy: the repo's lock could not be had in time. Nothing was changed.
    """

    def moves(desk: Desk) -> Sequence[Move]:
        return pushes.moves(desk, updates, options)

    done = _write(hub, repo, actor, moves, incoming=incoming, atomic=atomic, tell=tell, base_url=base_url)
    return [RefResult(update, move.refusal) for update, move in zip(updates, done, strict=True)]


def decide(
    hub: Hub,
    repo: Repo,
    actor: Actor,
    decision: Callable[[Desk], Move],
    *,
    incoming: Quarantine | None = None,
    request: str = "",
) -> Move:
    """Make a decision about a repo under its lock, and carry it out.

    Args:
        hub: the hub.
        repo: the repo.
        actor: who decides; the decision itself checks what they may.
        decision: looks at the desk and says what is to change.
        incoming: holds objects that the decision needs, if there are any yet.
        request: names the request, so that it is carried out once (:func:`glasshub.repeats.once`); ``""``: each time.

    Returns:
        What was changed.

    Raises:
        GlasshubError: what the decision raises; ``Invalid`` when the hub's rules or a plugin refuse its outcome;
            ``Busy`` when the repo's lock could not be had in time. Nothing was changed then.
    """
    said: list[str] = []
    decision = once(decision, request) if request else decision
    with _quarantine(hub, repo, incoming) as place:
        (done,) = _write(
            hub, repo, actor, lambda desk: [decision(desk)], incoming=place, tell=said.append, report=False
        )
    if done.refusal:
        raise Invalid("\n".join([done.refusal, *said]))
    return done


@contextmanager
def _quarantine(hub: Hub, repo: Repo, incoming: Quarantine | None) -> Iterator[Quarantine]:
    if incoming is not None:
        with nullcontext(incoming):
            yield incoming
        return
    with open_repo(hub.git_dir(repo)) as git, Quarantine(git) as fresh:
        yield fresh


def _write(
    hub: Hub,
    repo: Repo,
    actor: Actor,
    decide: Decide,
    *,
    incoming: Quarantine,
    atomic: bool = False,
    tell: Tell = silent,
    base_url: str = "",
    report: bool = True,
) -> list[Move]:
    """The only function in the hub that moves a ref. Returns the moves; those not made carry a refusal."""
    with repo_lock(hub.git_dir(repo), timeout=hub.settings.lock_timeout):
        repo = repos.by_key(hub, repo.key)
        refs.recover(hub.git_dir(repo))
        desk = Desk(hub, repo, actor, incoming)
        moves = _pre_receive(desk, decide(desk), tell)
        if atomic and any(move.refusal for move in moves):
            return [move if move.refusal else replace(move, refusal=ATOMIC) for move in moves]
        moves, applied = _apply(desk, [arrivals.told(desk, move) for move in moves], atomic=atomic)
    address = base_url or hub.settings.public_url
    if applied:
        _post_receive(hub, repo, applied, moves, actor, tell=tell, base_url=address, report=report)
    elif report:
        for line in push_report.notes([move for move in moves if not move.refusal], base_url=address):
            tell(line)
    return moves


def _pre_receive(desk: Desk, moves: Sequence[Move], tell: Tell) -> list[Move]:
    """The moves, refused where soundness, the rules for refs and benchmarks, or a plugin say so."""
    checked = [move if move.refusal else replace(move, refusal=_refuse(desk, move, tell)) for move in moves]
    checked = _refuse_impossible(desk, checked)
    updates = [update for move in checked for update in move.updates]
    if any(move.refusal for move in checked) or not updates:
        return checked
    try:
        desk.hub.plugins.hook.pre_receive(repo=desk.repo, updates=updates, actor=desk.actor)
    except GlasshubError as error:
        return [replace(move, refusal=error.message) for move in checked]
    return checked


def _refuse_impossible(desk: Desk, moves: Sequence[Move]) -> list[Move]:
    """Refuse what the refs as they are now do not allow, so that no object of it moves in."""
    updates = [update for move in moves if not move.refusal for update in move.updates]
    reasons = dict(zip(updates, refs.check_updates(desk.git, updates), strict=True))
    return [_with_failure(move, {update: reason for update, reason in reasons.items() if reason}) for move in moves]


def _refuse(desk: Desk, move: Move, tell: Tell) -> str:
    if reason := policy.refuse_missing_files(desk, move.updates):
        return reason
    for update in move.updates:
        reason = check_tip(desk.incoming, update) or policy.refuse_rewrite(
            desk.repo, update, desk.store, beside=move.updates
        )
        reason = reason or _refuse_benchmark(desk, update, tell)
        if reason:
            return reason
    return ""


def _refuse_benchmark(desk: Desk, update: RefUpdate, tell: Tell) -> str:
    problems = policy.benchmark_problems(desk.repo, update, desk.store)
    errors = [problem for problem in problems if problem.severity == "error"]
    for problem in errors:
        tell(str(problem))
    return f"eval.yaml has {len(errors)} error(s), listed above; correct them and push again" if errors else ""


def _apply(desk: Desk, moves: Sequence[Move], *, atomic: bool) -> tuple[list[Move], list[RefUpdate]]:
    """Move the refs of all moves that are not refused; returns the moves and the updates that were made."""
    accepted = [move for move in moves if not move.refusal]
    updates = [update for move in accepted for update in move.updates]
    events = [event for move in accepted for event in move.events]
    if events:
        # The record must not tell of what did not happen, so all goes together.
        updates.append(_append(desk, events))
        atomic = True
    if not updates:
        return list(moves), []
    desk.incoming.migrate()
    results = refs.apply_updates(desk.git, updates, atomic=atomic)
    failed = {result.update: result.error for result in results if not result.ok}
    if events and failed:
        reason = next((error for error in failed.values() if error != refs.ATOMIC), refs.ATOMIC)
        return [move if move.refusal else replace(move, refusal=reason) for move in moves], []
    made = [update for update in updates if update not in failed]
    return [_with_failure(move, failed) for move in moves], made


def _with_failure(move: Move, failed: dict[RefUpdate, str]) -> Move:
    reason = next((failed[update] for update in move.updates if update in failed), "")
    return move if move.refusal or not reason else replace(move, refusal=reason)


def _append(desk: Desk, events: Sequence[Event]) -> RefUpdate:
    tip = desk.record.tip
    messages = [(to_message(event), signature(desk.hub, event.actor, event.date)) for event in events]
    return RefUpdate(tip or ZERO, event_log.append(desk.incoming, tip or None, messages), event_log.EVENTS)


def _post_receive(
    hub: Hub,
    repo: Repo,
    applied: Sequence[RefUpdate],
    moves: Sequence[Move],
    actor: Actor,
    *,
    tell: Tell,
    base_url: str,
    report: bool,
) -> None:
    """Bring the index up to date and report. The refs have moved: nothing here may fail the write."""
    try:
        outcome = indexing.sync_repo(hub, repo.key, see=access.visibility(actor), look=report)
    except (GlasshubError, sqlite3.Error, OSError) as error:
        _log.exception("index sync of %s failed; it is repeated at the next push or start", repo.key)
        tell(f"Your push is safe, but indexing it failed ({error}); the hub will try again.")
    else:
        done = [move for move in moves if not move.refusal]
        for line in push_report.lines(repo, outcome, done, base_url=base_url) if report else ():
            tell(line)
    try:
        hub.plugins.hook.post_receive(repo=repo, updates=list(applied), actor=actor, hub=hub)
    except GlasshubError as error:
        _log.exception("a plugin failed after the push")
        tell(f"Your push is safe; a plugin of the hub said: {error.message}")
