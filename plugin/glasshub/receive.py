"""The one door: every write to a repo becomes ref updates that pass through :func:`apply_ref_updates`.

Order: objects first, then refs (the commit point), then the index. A process that dies in between has
either not moved the refs (nothing was acknowledged) or left an index that the next sync brings up to date.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence

from glasshub import access, indexing, policy, push_report, repos
from glasshub.errors import GlasshubError
from glasshub.git import refs
from glasshub.git.fsck import check_tip
from glasshub.git.lock import repo_lock
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefResult, RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo

Tell = Callable[[str], None]
ATOMIC = "atomic push: another ref was refused, so none was changed"
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
    tell: Tell = silent,
    base_url: str = "",
) -> list[RefResult]:
    """Check, apply and index ref updates. The only function in the hub that moves a ref.

    Args:
        hub: the hub.
        repo: the repo to change; its settings are read again under the lock.
        updates: what is asked for, each with the old id the caller saw.
        actor: who asks (access is checked here).
        incoming: the new objects, already found sound; moved in only if an update is accepted.
        atomic: all or none.
        tell: called with lines for the person at the terminal.
        base_url: the hub's address for links in those lines (the setting by default).

    Returns:
        One result per update, in order; refused ones carry the reason.

    Raises:
        RepoNotFound: the repo was deleted meanwhile.
        Busy: the repo's lock could not be had in time. Nothing was changed.
    """
    with repo_lock(hub.git_dir(repo), timeout=hub.settings.lock_timeout):
        repo = repos.by_key(hub, repo.key)
        refs.recover(hub.git_dir(repo))
        refusals = pre_receive(hub, repo, updates, actor, incoming=incoming, tell=tell)
        results = _apply(updates, refusals, incoming, atomic=atomic)
    applied = [result.update for result in results if result.ok]
    if applied:
        post_receive(hub, repo, applied, actor, tell=tell, base_url=base_url or hub.settings.public_url)
    return results


def pre_receive(
    hub: Hub, repo: Repo, updates: Sequence[RefUpdate], actor: Actor, *, incoming: Quarantine, tell: Tell
) -> list[str]:
    """Why each update is refused (``""``: it is not): access, ref rules, soundness, benchmarks, then plugins."""
    refusals = [_refuse(repo, update, actor, incoming, tell) for update in updates]
    if any(refusals):
        return refusals
    try:
        hub.plugins.hook.pre_receive(repo=repo, updates=list(updates), actor=actor)
    except GlasshubError as error:
        return [error.message] * len(updates)
    return refusals


def post_receive(
    hub: Hub, repo: Repo, applied: Sequence[RefUpdate], actor: Actor, *, tell: Tell, base_url: str
) -> None:
    """Bring the index up to date and report. The refs have moved: nothing here may fail the push."""
    try:
        outcome = indexing.sync_repo(hub, repo.key, see=access.visibility(actor))
    except (GlasshubError, sqlite3.Error, OSError) as error:
        _log.exception("index sync of %s failed; it is repeated at the next push or start", repo.key)
        tell(f"Your push is safe, but indexing it failed ({error}); the hub will try again.")
    else:
        for line in push_report.lines(repo, outcome, base_url=base_url):
            tell(line)
    try:
        hub.plugins.hook.post_receive(repo=repo, updates=list(applied), actor=actor)
    except GlasshubError as error:
        _log.exception("a plugin failed after the push")
        tell(f"Your push is safe; a plugin of the hub said: {error.message}")


def _refuse(repo: Repo, update: RefUpdate, actor: Actor, incoming: Quarantine, tell: Tell) -> str:
    reason = policy.refuse_actor(repo, actor) or policy.refuse_ref(repo, update) or check_tip(incoming, update)
    reason = reason or policy.refuse_rewrite(repo, update, incoming.store)
    if reason:
        return reason
    problems = policy.benchmark_problems(repo, update, incoming.store)
    errors = [problem for problem in problems if problem.severity == "error"]
    for problem in errors:
        tell(str(problem))
    return f"eval.yaml has {len(errors)} error(s), listed above; correct them and push again" if errors else ""


def _apply(
    updates: Sequence[RefUpdate], refusals: Sequence[str], incoming: Quarantine, *, atomic: bool
) -> list[RefResult]:
    if atomic and any(refusals):
        return [RefResult(u, reason or ATOMIC) for u, reason in zip(updates, refusals, strict=True)]
    accepted = [u for u, reason in zip(updates, refusals, strict=True) if not reason]
    outcome: dict[RefUpdate, RefResult] = {}
    if accepted:
        incoming.migrate()
        outcome = {r.update: r for r in refs.apply_updates(incoming.repo, accepted, atomic=atomic)}
    return [RefResult(u, reason) if reason else outcome[u] for u, reason in zip(updates, refusals, strict=True)]
