"""Jobs and what runners made of them, in the registry."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from glasshub.registry.tables import job_runs, jobs

State = Literal["requested", "queued", "running", "done", "failed", "cancelled"]
RunState = Literal["running", "issued", "failed", "cancelled"]
OPEN: tuple[State, ...] = ("requested", "queued", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """A run of a task that somebody asked for; ``model`` and ``dataset`` are repo keys, ``requester`` an account.

    ``result`` is the id of the result that it is to confirm (``""``: none), ``reason`` why it ended as it did, ``run``
    the present or last attempt, ``pull`` the pull request with the outcome (0: none yet).
    """

    id: str
    model: str
    model_sha: str
    dataset: str
    dataset_sha: str
    task: str
    result: str
    requester: str
    state: State
    created_at: str
    updated_at: str
    reason: str = ""
    run: str = ""
    lease_until: str = ""
    progress: str = ""
    log_tail: str = ""
    pull: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a runner tried: its ``run`` becomes the ``jti`` of the token."""

    run: str
    job: str
    runner: str
    number: int
    state: RunState
    started_at: str
    ended_at: str = ""
    error: str = ""
    token: str = ""
    log_repo: str = ""
    log_commit: str = ""


def add(db: Connection, job: Job) -> None:
    """Insert a job."""
    db.execute(jobs.insert().values(**asdict(job)))


def change(db: Connection, id: str, **values: Any) -> None:
    """Change columns of a job."""
    db.execute(jobs.update().where(jobs.c.id == id).values(**values))


def find(db: Connection, id: str) -> Job | None:
    """The job with this id."""
    row = db.execute(select(jobs).where(jobs.c.id == id)).one_or_none()
    return None if row is None else Job(**row._mapping)


def same(db: Connection, job: Job) -> Job | None:
    """A job that is still open and asks for the same."""
    wanted = select(jobs).where(
        (jobs.c.model == job.model) & (jobs.c.model_sha == job.model_sha) & (jobs.c.dataset == job.dataset)
        & (jobs.c.dataset_sha == job.dataset_sha) & (jobs.c.task == job.task) & jobs.c.state.in_(OPEN)
    )  # fmt: skip
    row = db.execute(wanted.limit(1)).one_or_none()
    return None if row is None else Job(**row._mapping)


def listing(
    db: Connection,
    *,
    model: str = "",
    dataset: str = "",
    states: Collection[str] = (),
    requester: str = "",
    after: tuple[str, str] | None = None,
) -> list[Job]:
    """Jobs, newest first (of one model, dataset, requester; in one of the states; after that moment and id)."""
    wanted = select(jobs).order_by(jobs.c.created_at.desc(), jobs.c.id)
    for column, value in ((jobs.c.model, model), (jobs.c.dataset, dataset), (jobs.c.requester, requester)):
        wanted = wanted.where(column == value) if value else wanted
    if states:
        wanted = wanted.where(jobs.c.state.in_(states))
    if after:
        same = (jobs.c.created_at == after[0]) & (jobs.c.id > after[1])
        wanted = wanted.where((jobs.c.created_at < after[0]) | same)
    return [Job(**row._mapping) for row in db.execute(wanted)]


def queued(db: Connection) -> list[Job]:
    """Jobs that wait for a runner, oldest first."""
    wanted = select(jobs).where(jobs.c.state == "queued").order_by(jobs.c.created_at, jobs.c.id)
    return [Job(**row._mapping) for row in db.execute(wanted)]


def overdue(db: Connection, now: str) -> list[Job]:
    """Running jobs whose runner was not heard of in time."""
    wanted = select(jobs).where((jobs.c.state == "running") & (jobs.c.lease_until < now))
    return [Job(**row._mapping) for row in db.execute(wanted)]


def add_attempt(db: Connection, attempt: Attempt) -> None:
    """Insert an attempt."""
    db.execute(job_runs.insert().values(**asdict(attempt)))


def change_attempt(db: Connection, run: str, **values: Any) -> None:
    """Change columns of an attempt."""
    db.execute(job_runs.update().where(job_runs.c.run == run).values(**values))


def attempt(db: Connection, run: str) -> Attempt | None:
    """The attempt of that run."""
    row = db.execute(select(job_runs).where(job_runs.c.run == run)).one_or_none()
    return None if row is None else Attempt(**row._mapping)


def attempts(db: Connection, job: str) -> list[Attempt]:
    """All attempts at a job, oldest first."""
    wanted = select(job_runs).where(job_runs.c.job == job).order_by(job_runs.c.started_at, job_runs.c.run)
    return [Attempt(**row._mapping) for row in db.execute(wanted)]


def running(db: Connection, runner: str) -> Attempt | None:
    """What a runner is at."""
    wanted = select(job_runs).where((job_runs.c.runner == runner) & (job_runs.c.state == "running")).limit(1)
    row = db.execute(wanted).one_or_none()
    return None if row is None else Attempt(**row._mapping)


def unsettled(db: Connection) -> list[Job]:
    """Jobs whose run is on record as issued, and whose pull request is not open yet."""
    issued = select(job_runs.c.run).where(job_runs.c.state == "issued")
    return [
        Job(**row._mapping)
        for row in db.execute(select(jobs).where((jobs.c.state == "running") & jobs.c.run.in_(issued)))
    ]


def count_attempts(db: Connection, runner: str, job: Job) -> int:
    """How many runs of the same model, commit and task a runner has begun."""
    wanted = (
        select(func.count())
        .select_from(job_runs.join(jobs, job_runs.c.job == jobs.c.id))
        .where(
            (job_runs.c.runner == runner) & (jobs.c.model == job.model) & (jobs.c.model_sha == job.model_sha)
            & (jobs.c.dataset == job.dataset) & (jobs.c.task == job.task)
        )
    )  # fmt: skip
    return db.scalar(wanted) or 0
