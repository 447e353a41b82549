"""Jobs: somebody asks for a run of a task on a model, somebody who answers for the model or the hub agrees, and a
runner takes it, under a lease that it must renew.

A step that changes several things changes them in one transaction of the registry, and what is told of it in the public
list of runs is noted there too: so that runner or hub may die at any moment.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from sqlalchemy import Connection

from glasshub import access, benchmark_data, clock, gates, repos, runs
from glasshub.access import Action
from glasshub.errors import Conflict, Forbidden, Invalid, NotFound, RepoNotFound, Unauthenticated
from glasshub.evals import stock_commands
from glasshub.git.read import open_repo, resolve_revision
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.index import queries
from glasshub.names import folded
from glasshub.registry import jobs as rows
from glasshub.registry import runners as runner_rows
from glasshub.registry.jobs import Attempt, Job, State
from glasshub.runs import Act
from glasshub.verify.record import Kind

__all__ = [
    "LEASE_SECONDS",
    "MAX_TAIL",
    "MAX_TEXT",
    "STATES",
    "TRIES",
    "Attempt",
    "Job",
    "Shown",
    "State",
    "about",
    "approve",
    "cancel",
    "deadline",
    "end_attempt",
    "expire",
    "find",
    "is_owner",
    "listing",
    "request",
    "show",
    "shown_to_all",
]

STATES: tuple[State, ...] = get_args(State)
LEASE_SECONDS = 120
TRIES = 3  # of a job whose runner is lost
MAX_OPEN = 20  # jobs of one requester that await approval
MAX_TEXT, MAX_TAIL = 500, 16_000
_JUDGES = frozenset({"model_graded_qa", "model_graded_fact"})


@dataclass(frozen=True, slots=True)
class Shown:
    """A job with its repos and what was tried, as somebody may see it."""

    job: Job
    model: Repo
    dataset: Repo
    attempts: tuple[Attempt, ...]
    may_approve: bool
    may_cancel: bool

    @property
    def is_lost(self) -> bool:
        """Whether its runner has not been heard of in time: the next that asks for a job may get it."""
        return self.job.state == "running" and self.job.lease_until < clock.now()

    @property
    def runner(self) -> str:
        """Who is at it, or was last."""
        return self.attempts[-1].runner if self.attempts else ""


def request(
    hub: Hub, actor: Actor, model: Repo, dataset: Repo, task: str, *,
    model_revision: str = "", dataset_revision: str = "", result: str = "",
) -> Job:  # fmt: skip
    """Ask that a runner measures a task on a model. The same asked for again is the same job.

    It is queued at once if the actor may write to the model or is an admin of the hub; else it awaits one of them.

    Args:
        hub: the hub.
        actor: who asks: anybody who may read the files of both repos.
        model: the model, and ``dataset`` the benchmark.
        task: the task's id.
        model_revision: of the model (``main`` by default), and ``dataset_revision`` of the benchmark.
        result: the id of the result that it is to confirm, if there is one.

    Raises:
        Invalid: runners cannot measure this task.
        Conflict: too many requests of the actor are open.
        NotFound, RepoNotFound, GatedRepo, Forbidden, Unauthenticated: as for reading; no read-only token may ask.
    """
    for repo in (model, dataset):
        gates.require_files(hub, actor, repo)
        access.require(actor, Action.DISCUSS, repo)
    if not model.pulls_enabled:
        raise Invalid(
            f"Pull requests are switched off in {model.repo_id}, so no outcome could be brought there. Ask its admins "
            "to switch them on in its settings."
        )
    model_sha, dataset_sha = _commit(hub, model, model_revision), _commit(hub, dataset, dataset_revision)
    _require_runnable(hub, dataset, dataset_sha, task)
    now = clock.now()
    mine = _may_decide(actor, model)
    job = Job(
        secrets.token_hex(12), model.key, model_sha, dataset.key, dataset_sha, task, result, actor.name or "",
        "queued" if mine else "requested", now, now,
    )  # fmt: skip
    with hub.registry.write() as db:
        known = rows.same(db, job)
        if known is not None:
            return known
        if not mine and len(rows.listing(db, requester=job.requester, states=("requested",))) >= MAX_OPEN:
            raise Conflict(f"{MAX_OPEN} requests of yours await approval. Wait until they are decided.")
        rows.add(db, job)
    return job


def approve(hub: Hub, actor: Actor, id: str) -> Job:
    """Queue a job that was asked for. Raises ``Forbidden``, ``Conflict`` (it is not waiting), ``NotFound``."""
    shown = show(hub, actor, id)
    _require_decide(actor, shown)
    with hub.registry.write() as db:
        job = _again(db, id)
        if job.state != "requested":
            raise Conflict(f"This job is {job.state}.")
        rows.change(db, id, state="queued", updated_at=clock.now())
    return find(hub, id)


def cancel(hub: Hub, actor: Actor, id: str, *, reason: str = "") -> Job:
    """End a job that has not ended; a run that is under way is recorded as cancelled.

    Raises:
        Forbidden: it is for those who may approve it, and for who asked for it.
        Conflict: it has ended, or its outcome is signed and on record already.
    """
    shown = show(hub, actor, id)
    if not shown.may_cancel:
        _require_decide(actor, shown)
    words = reason.strip()[:MAX_TEXT] or f"cancelled by {actor.name}"
    with hub.registry.write() as db:
        job = _again(db, id)
        if job.state not in rows.OPEN:
            raise Conflict(f"This job is {job.state}.")
        attempt = rows.attempt(db, job.run) if job.state == "running" else None
        if attempt is not None and attempt.state == "issued":
            raise Conflict("Its outcome is signed and on record already.")
        if attempt is not None:
            end_attempt(db, shown, attempt, Kind.CANCELLED, words)
        rows.change(db, id, state="cancelled", reason=words, lease_until="", updated_at=clock.now())
    runs.publish(hub)
    return find(hub, id)


def find(hub: Hub, id: str) -> Job:
    """The job with this id. Raises ``NotFound``."""
    with hub.registry.read() as db:
        return _again(db, id)


def show(hub: Hub, actor: Actor, id: str) -> Shown:
    """A job, for who may see both repos. Raises ``NotFound``."""
    job = find(hub, id)
    found = _shown(hub, actor, job)
    if found is None:
        raise _unknown(id)
    return found


def listing(
    hub: Hub, actor: Actor, *, model: str = "", dataset: str = "", states: Collection[State] = (), limit: int = 100,
    after: tuple[str, str] | None = None,
) -> list[Shown]:  # fmt: skip
    """Jobs that the actor may see, newest first.

    Args:
        hub: the hub.
        actor: who asks.
        model: only those of this model (a repo key), and ``dataset`` of this benchmark.
        states: only those in one of these.
        limit: how many at most.
        after: the ``created_at`` and ``id`` of the last job of the page before.
    """
    with hub.registry.read() as db:
        found = rows.listing(db, model=model, dataset=dataset, states=states, after=after)
    shown: list[Shown] = []
    for job in found:
        if (one := _shown(hub, actor, job)) is not None:
            shown.append(one)
        if len(shown) == limit:
            break
    return shown


def expire(hub: Hub) -> None:
    """Put the lost runs on record as failed, and their jobs back into the queue, or end them after some tries."""
    now, changed = clock.now(), False
    with hub.registry.read() as db:
        lost = rows.overdue(db, now)
    for job in lost:
        shown = _shown(hub, runs.ITSELF, job, any_reader=True)
        with hub.registry.write() as db:
            current, attempt = rows.find(db, job.id), rows.attempt(db, job.run)
            if shown is None or current != job or attempt is None or attempt.state != "running":
                continue  # it was heard of meanwhile, or another process was faster
            end_attempt(db, shown, attempt, Kind.FAILED, "the runner was not heard of in time")
            again = len(rows.attempts(db, job.id)) < TRIES
            reason = "" if again else f"The runner was lost {TRIES} times."
            state = "queued" if again else "failed"
            rows.change(db, job.id, state=state, reason=reason, lease_until="", progress="", updated_at=now)
            changed = True
    if changed:
        runs.publish(hub)


def end_attempt(db: Connection, shown: Shown, attempt: Attempt, kind: Kind, reason: str) -> None:
    """Note that a run ended without an outcome, in the caller's transaction."""
    state = "cancelled" if kind is Kind.CANCELLED else "failed"
    rows.change_attempt(db, attempt.run, state=state, error=reason, ended_at=clock.now())
    runs.note(
        db, Act(kind, attempt.run, attempt.runner, shown.model, shown.dataset, about(shown, attempt, reason=reason))
    )


def about(shown: Shown, attempt: Attempt, **more: Any) -> Mapping[str, Any]:
    """What the list of runs tells of an attempt."""
    return {
        "model": shown.model.repo_id, "model_sha": shown.job.model_sha, "dataset": shown.dataset.repo_id,
        "dataset_sha": shown.job.dataset_sha, "task": shown.job.task, "job": shown.job.id, "attempt": attempt.number,
        "started_at": attempt.started_at, **more,
    }  # fmt: skip


def shown_to_all(hub: Hub, job: Job) -> Shown:
    """A job for the hub itself. Raises ``NotFound`` when a repo of it is gone."""
    found = _shown(hub, runs.ITSELF, job, any_reader=True)
    if found is None:
        raise _unknown(job.id)
    return found


def deadline() -> str:
    """When a lease that is given or renewed now ends."""
    return clock.iso(datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS))


def _shown(hub: Hub, actor: Actor, job: Job, *, any_reader: bool = False) -> Shown | None:
    try:
        model, dataset = repos.by_key(hub, job.model), repos.by_key(hub, job.dataset)
    except RepoNotFound:
        return None
    if not any_reader and not all(access.may_read(actor, repo) for repo in (model, dataset)):
        return None
    with hub.registry.read() as db:
        attempts = tuple(rows.attempts(db, job.id))
    mine = _may_decide(actor, model)
    own = actor.name is not None and folded(actor.name) == folded(job.requester) and actor.scope == "write"
    is_open = job.state in rows.OPEN
    return Shown(
        job, model, dataset, attempts, mine and job.state == "requested",
        is_open and (mine or (own and job.state != "running")),
    )  # fmt: skip


def _again(db: Connection, id: str) -> Job:
    job = rows.find(db, id)
    if job is None:
        raise _unknown(id)
    return job


def _unknown(id: str) -> NotFound:
    return NotFound(f"There is no job {id[:60]!r}.")


def _may_decide(actor: Actor, model: Repo) -> bool:
    if actor.scope != "write":
        return False
    return (actor.is_hub_admin and actor.only_repos is None) or access.may(actor, Action.WRITE, model)


def _require_decide(actor: Actor, shown: Shown) -> None:
    if actor.name is None:
        raise Unauthenticated("Sign in to decide about jobs.")
    if not _may_decide(actor, shown.model):
        raise Forbidden(f"Only those who may write to {shown.model.repo_id} and admins of the hub decide about this.")


def _commit(hub: Hub, repo: Repo, revision: str) -> str:
    with open_repo(hub.git_dir(repo)) as git:
        return resolve_revision(git, revision or "main").commit


def _require_runnable(hub: Hub, dataset: Repo, commit: str, task_id: str) -> None:
    found = queries.benchmark(hub.index.read(), access.Visibility(everything=True), dataset.key)
    if found is None or found.state != "registered" or found.framework != stock_commands.INSPECT:
        raise Invalid(f"{dataset.repo_id} is no benchmark that runners can measure: it takes {stock_commands.INSPECT}.")
    with open_repo(hub.git_dir(dataset)) as git:
        asked = benchmark_data.asked(git, commit, task_id)
    if not stock_commands.task_name(dataset.repo_id, task_id, commit, tasks=len(found.tasks)):
        raise Invalid("Inspect cannot select this task by its name.")
    if any(scorer.get("name") in _JUDGES for scorer in asked.task.spec.get("scorers", ())):
        raise Invalid("A model grades this task, and the outcome would depend on it. Runners measure no such task.")


def is_owner(actor: Actor, runner: runner_rows.Runner) -> bool:
    """Whether somebody speaks for a runner."""
    mine = actor.name is not None and folded(actor.name) == folded(runner.owner)
    return mine and actor.scope == "write" and actor.only_repos is None
