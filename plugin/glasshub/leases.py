"""What runners do with jobs: take one, tell how it goes, bring its log, give up."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import IO

from glasshub import attested, benchmark_data, clock, gates, jobs, repos, runs
from glasshub.errors import Conflict, Forbidden, GlasshubError, Invalid, NotFound, TooLarge, Unauthenticated
from glasshub.evals import stock_commands
from glasshub.git.durable import sync_folder
from glasshub.git.read import open_repo, read_file
from glasshub.hub import Hub
from glasshub.identity import Actor
from glasshub.jobs import Shown
from glasshub.registry import jobs as rows
from glasshub.registry import runners as runner_rows
from glasshub.registry.jobs import Attempt, Job
from glasshub.registry.runners import Runner
from glasshub.verify.assignment import Assignment
from glasshub.verify.record import Kind

_FOLDER = "run-logs"
_PIECE = 1024 * 1024


def lease(hub: Hub, actor: Actor, name: str, *, address: str, job: str = "", run: str = "") -> Assignment | None:
    """Take the oldest queued job whose repos the runner's owner may read (``None``: there is none).

    Args:
        hub: the hub.
        actor: the owner of the runner.
        name: the runner's.
        address: the hub's, as the runner sees it; the token names it.
        job: only this one.
        run: the id that the run is to have (32 hex digits; a random one by default).

    Raises:
        Conflict: the runner is not active, or is at another job already.
        Forbidden, Unauthenticated, NotFound: the actor does not speak for such a runner.
    """
    jobs.expire(hub)
    runner = _runner(hub, actor, name)
    with hub.registry.read() as db:
        waiting = [found for found in rows.queued(db) if job in ("", found.id)]
    for found in waiting:
        if not _may_read(hub, actor, found):
            continue
        attempt = _take(hub, runner, found.id, run or secrets.token_hex(16))
        if attempt is None:
            continue  # another runner was faster
        try:
            return assignment(hub, jobs.shown_to_all(hub, found), attempt, address)
        except GlasshubError as error:
            fail(hub, actor, attempt.run, error=error.message)
            if job:
                raise
    if job:
        raise Conflict("This job does not wait for a runner, or not for this one.")
    return None


def assignment(hub: Hub, shown: Shown, attempt: Attempt, address: str) -> Assignment:
    """What a runner needs to know of an attempt. Raises ``NotFound``, ``Invalid`` when git has it no more."""
    job, model, dataset = shown.job, shown.model, shown.dataset
    with open_repo(hub.git_dir(model)) as git:
        weights = attested.content_of(git, job.model_sha)
    with open_repo(hub.git_dir(dataset)) as git:
        asked = benchmark_data.asked(git, job.dataset_sha, job.task)
        tasks = benchmark_data.count_tasks(read_file(git, job.dataset_sha, "eval.yaml"))
    metric = asked.task.metric
    return Assignment(
        hub=address, run=attempt.run, job=job.id, runner=attempt.runner, attempt=attempt.number,
        model=model.repo_id, model_sha=job.model_sha, weights_sha256=weights,
        dataset=dataset.repo_id, dataset_sha=job.dataset_sha, eval_yaml_sha256=asked.eval_yaml_sha256,
        data_sha256=asked.data_sha256, task=job.task, config=asked.task.config, split=asked.task.split,
        spec_sha256=asked.spec_sha256, direction="higher" if metric.higher_is_better else "lower", unit=metric.unit,
        name=stock_commands.task_name(dataset.repo_id, job.task, job.dataset_sha, tasks=tasks),
        needs_token=any(repo.private or repo.gated for repo in (model, dataset)),
        lease_seconds=jobs.LEASE_SECONDS,
    )  # fmt: skip


def progress(hub: Hub, actor: Actor, run: str, *, text: str, log_tail: str = "") -> Job:
    """Renew a lease, and tell how it goes.

    Returns:
        The job; if it is not running any more, or by another run, the runner must stop.
    """
    job, attempt = mine(hub, actor, run)
    with hub.registry.write() as db:
        job = rows.find(db, job.id) or job
        if job.run == run and job.state == "running" and attempt.state == "running":
            rows.change(
                db, job.id, lease_until=jobs.deadline(), progress=text[: jobs.MAX_TEXT],
                log_tail=log_tail[-jobs.MAX_TAIL :], updated_at=clock.now(),
            )  # fmt: skip
        return rows.find(db, job.id) or job


def fail(hub: Hub, actor: Actor, run: str, *, error: str, log_tail: str = "") -> Job:
    """Give up: the run is recorded as failed. Told again, it changes nothing. Raises ``Conflict`` if it was issued."""
    job, _ = mine(hub, actor, run)
    shown, words = jobs.shown_to_all(hub, job), error.strip()[: jobs.MAX_TEXT] or "no reason given"
    with hub.registry.write() as db:
        attempt = rows.attempt(db, run)
        if attempt is None or attempt.state == "issued":
            raise Conflict("The outcome of this run is signed and on record already.")
        if attempt.state == "running":
            jobs.end_attempt(db, shown, attempt, Kind.FAILED, words)
            rows.change(
                db, job.id, state="failed", reason=words, lease_until="", log_tail=log_tail[-jobs.MAX_TAIL :],
                updated_at=clock.now(),
            )  # fmt: skip
    runs.publish(hub)
    discard_log(hub, run)
    return jobs.find(hub, job.id)


def mine(hub: Hub, actor: Actor, run: str) -> tuple[Job, Attempt]:
    """A run of one of the actor's runners, and its job. Raises ``NotFound``, ``Forbidden``, ``Unauthenticated``."""
    with hub.registry.read() as db:
        attempt = rows.attempt(db, run)
        job = rows.find(db, attempt.job) if attempt else None
        runner = runner_rows.find(db, attempt.runner) if attempt else None
    if attempt is None or job is None or runner is None:
        raise NotFound(f"There is no run {run[:40]!r}.")
    if not jobs.is_owner(actor, runner):
        raise _refusal(actor, "This is the run of another runner.")
    return job, attempt


def log_path(hub: Hub, run: str) -> Path:
    """Where the log of a run lies until it is in a repo."""
    return hub.settings.data / _FOLDER / f"{run}.eval"


def receive_log(hub: Hub, actor: Actor, run: str, stream: IO[bytes]) -> int:
    """Keep the log of a run that is under way; returns its size. Sent again, it replaces what was there.

    Raises:
        Conflict: the run has ended.
        TooLarge: it is larger than the setting ``max_log_bytes``.
        Invalid: it is empty, or the transfer was cut.
        NotFound, Forbidden: there is no such run of the actor's.
    """
    _, attempt = mine(hub, actor, run)
    if attempt.state != "running":
        raise Conflict(f"This run has ended: {attempt.state}.")
    path, most, size = log_path(hub, attempt.run), hub.settings.max_log_bytes, 0
    path.parent.mkdir(exist_ok=True, mode=0o750)
    part = path.with_name(f".{attempt.run}.{secrets.token_hex(4)}")
    try:
        with part.open("xb") as file:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > most:
                    raise TooLarge(
                        f"The log has more than {most:,} bytes, the most that this hub takes (max_log_bytes)."
                    )
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if not size:
            raise Invalid("The log is empty.")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return size


def discard_log(hub: Hub, run: str) -> None:
    """Remove what lies outside of repos."""
    with contextlib.suppress(FileNotFoundError):
        log_path(hub, run).unlink()


def _runner(hub: Hub, actor: Actor, name: str) -> Runner:
    with hub.registry.read() as db:
        runner = runner_rows.find(db, name)
    if runner is None:
        raise NotFound(f"There is no runner called {name[:80]!r}.")
    if not jobs.is_owner(actor, runner):
        raise _refusal(actor, f"Only {runner.owner} takes jobs for {runner.name}, with a write token for all repos.")
    if runner.state != "active":
        raise Conflict(f"{runner.name} is {runner.state}.")
    return runner


def _refusal(actor: Actor, why: str) -> GlasshubError:
    return Unauthenticated("Sign in as the owner of the runner.") if actor.name is None else Forbidden(why)


def _may_read(hub: Hub, actor: Actor, job: Job) -> bool:
    try:
        return all(gates.may_read_files(hub, actor, repos.by_key(hub, key)) for key in (job.model, job.dataset))
    except NotFound:
        return False


def _take(hub: Hub, runner: Runner, id: str, run: str) -> Attempt | None:
    now = clock.now()
    with hub.registry.write() as db:
        busy, job = rows.running(db, runner.name), rows.find(db, id)
        if busy is not None:
            raise Conflict(f"{runner.name} is at the run {busy.run} already; one at a time.")
        if job is None or job.state != "queued":
            return None
        number = rows.count_attempts(db, runner.name, job) + 1
        attempt = Attempt(run, id, runner.name, number, "running", now)
        rows.add_attempt(db, attempt)
        rows.change(
            db, id, state="running", run=attempt.run, lease_until=jobs.deadline(), progress="taken", log_tail="",
            updated_at=now,
        )  # fmt: skip
    return attempt
