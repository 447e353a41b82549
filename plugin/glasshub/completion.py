"""The end of a run: the hub looks at token and log, puts the run on record, and only then opens the pull request.

The registry knows a run as issued from the moment that it is on record; whatever is missing then (the line in the list,
the pull request) is done by :func:`recover`, whichever process died before it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from glasshub import benchmark_data, clock, jobs, leases, outcome, runners, runs
from glasshub.background import Chore, Loop
from glasshub.errors import Busy, Conflict, EntryNotFound, GlasshubError, Invalid
from glasshub.git.read import open_repo
from glasshub.hub import Hub
from glasshub.identity import Actor
from glasshub.jobs import Shown
from glasshub.registry import jobs as rows
from glasshub.registry.jobs import Attempt, Job
from glasshub.runs import Act
from glasshub.verify.assignment import Assignment, claims_of, difference
from glasshub.verify.claims import Claims
from glasshub.verify.digests import sha256, sha256_of
from glasshub.verify.logs.audit import audit
from glasshub.verify.logs.log import open_log
from glasshub.verify.logs.measured import measured
from glasshub.verify.record import Kind
from glasshub.verify.token import Attestation, check

LOOK_SECONDS = 30.0
SKEW = timedelta(minutes=5)  # between the clocks of runner and hub


def finish(hub: Hub, actor: Actor, run: str, token: str, *, address: str) -> Job:
    """End a run with an outcome. The same token sent again (an answer was lost) is answered alike.

    Args:
        hub: the hub.
        actor: the owner of the runner.
        run: the run.
        token: what the runner signed.
        address: the hub's, as the runner sees it.

    Raises:
        Invalid: the token, the log or its audit is not as it must be; the run goes on.
        Conflict: the run has ended otherwise, or was given to another.
        NotFound, Forbidden: there is no such run of the actor's.
    """
    job, attempt = leases.mine(hub, actor, run)
    if attempt.state == "issued":
        if attempt.token != token:
            raise Conflict("This run has been issued with another token.")
        return settle(hub, job.id)
    if attempt.state != "running" or job.state != "running" or job.run != run:
        raise Conflict(f"This run has ended: {attempt.state}.")
    shown = jobs.shown_to_all(hub, job)
    given = leases.assignment(hub, shown, attempt, address)
    attestation = _signed(hub, token, attempt)
    _check_log(hub, shown, given, attestation.claims)
    _issue(hub, shown, attempt, attestation.claims, token)
    return settle(hub, job.id)


def loop(hub: Hub) -> Loop:
    """Looks now and then for runs whose runner was lost, and for what a process that died left undone."""
    return Loop(
        hub, "glasshub-jobs", LOOK_SECONDS, [Chore(recover, LOOK_SECONDS, first=10.0), Chore(jobs.expire, 60.0)]
    )


def recover(hub: Hub) -> None:
    """Do what is left of runs that are on record as issued, and publish what a process that died had not."""
    runs.publish(hub)
    with hub.registry.read() as db:
        left = rows.unsettled(db)
    for job in left:
        settle(hub, job.id)


def settle(hub: Hub, id: str) -> Job:
    """Bring an issued run to the list of runs and into a pull request. Idempotent. Raises ``Busy``, ``NotFound``."""
    shown = jobs.shown_to_all(hub, jobs.find(hub, id))
    with hub.registry.read() as db:
        attempt = rows.attempt(db, shown.job.run)
    if shown.job.state != "running" or attempt is None or attempt.state != "issued":
        return shown.job
    runs.publish(hub)
    try:
        placed = outcome.bring(hub, shown, attempt, runners.find(hub, attempt.runner).owner)
    except Busy:
        raise
    except GlasshubError as error:
        _close(
            hub, shown, "failed", reason=f"The run is on record, but no pull request could be opened: {error.message}"
        )
        return jobs.find(hub, id)
    with hub.registry.write() as db:
        rows.change_attempt(db, attempt.run, log_repo=placed.log_repo, log_commit=placed.log_commit)
        rows.change(
            db, id, state="done", pull=placed.pull, progress="", lease_until="", updated_at=clock.now(), reason=""
        )
    leases.discard_log(hub, attempt.run)
    return jobs.find(hub, id)


def _close(hub: Hub, shown: Shown, state: str, *, reason: str) -> None:
    with hub.registry.write() as db:
        rows.change(
            db, shown.job.id, state=state, reason=reason[: jobs.MAX_TEXT], lease_until="", updated_at=clock.now()
        )


def _signed(hub: Hub, token: str, attempt: Attempt) -> Attestation:
    """The token, if it was signed a moment ago by the runner that the run was given to."""
    attestation = check(token, {key.kid: key for key in runners.keys(hub, attempt.runner)})
    now = clock.now()
    if not (attestation.key.covers(now) and attestation.key.covers(attestation.issued_at)):
        raise Invalid("The key that signed does not count now.")
    signed, began = (datetime.fromisoformat(text) for text in (attestation.issued_at, attempt.started_at))
    if not began - SKEW <= signed <= datetime.now(UTC) + SKEW:
        raise Invalid("The token was not signed between the beginning of the run and now. Look at the runner's clock.")
    return attestation


def _check_log(hub: Hub, shown: Shown, given: Assignment, claims: Claims) -> None:
    """Whether the claims are what the log and the repos say. Raises ``Invalid``."""
    try:
        with leases.log_path(hub, given.run).open("rb") as file:
            _check_bytes(file, given, claims)
            _check_audit(hub, shown, given, claims, file)
    except FileNotFoundError as error:
        raise Invalid("The log was not sent. Send it first.") from error


def _check_bytes(file: BinaryIO, given: Assignment, claims: Claims) -> None:
    digest, size = sha256_of(file)
    if (digest, size, given.log_uri) != (claims.log.sha256, claims.log.size, claims.log.uri):
        raise Invalid("The token names another log than the one that was sent.")


def _check_audit(hub: Hub, shown: Shown, given: Assignment, claims: Claims, file: BinaryIO) -> None:
    with open_repo(hub.git_dir(shown.dataset)) as git:
        asked = benchmark_data.asked(git, given.dataset_sha, given.task)
        rows_then = benchmark_data.rows_of(
            git, given.dataset_sha, given.config, given.split, benchmark_data.content(hub, shown.dataset)
        )
    log = open_log(file)
    report = audit(log, asked.task.spec, rows_then)
    if not report.audited:
        wrong = [check for check in report.checks if check.outcome.value in ("failed", "unknown")]
        raise Invalid(
            "The log does not pass its audit: "
            + "; ".join(f"{check.id} {check.outcome.value}, {check.detail}" for check in wrong)[:400]
        )
    if name := difference(claims, claims_of(given, measured(log.header, report))):
        raise Invalid(f"The token says {name} otherwise than the job and its log do.")


def _issue(hub: Hub, shown: Shown, attempt: Attempt, claims: Claims, token: str) -> None:
    """Put the run on record: from here on it is settled, whatever dies."""
    details = jobs.about(
        shown, attempt, token_sha256=sha256(token.encode()), value=claims.value, n=claims.n_items, epochs=claims.epochs,
        served=claims.model.served, engine=claims.runner.engine,
        network=claims.runner.network or "not told", **({"stderr": claims.stderr} if claims.stderr is not None else {}),
    )  # fmt: skip
    with hub.registry.write() as db:
        now, job = rows.attempt(db, attempt.run), rows.find(db, shown.job.id)
        if now is None or now.state != "running" or job is None or job.state != "running" or job.run != attempt.run:
            raise Conflict("This run has ended meanwhile.")
        rows.change_attempt(db, attempt.run, state="issued", token=token, ended_at=clock.now())
        runs.note(db, Act(Kind.ISSUED, attempt.run, attempt.runner, shown.model, shown.dataset, details))


def log_place(hub: Hub, actor: Actor, run: str) -> tuple[str, str]:
    """Where the log of a run stands, as (path of the repo's page, path and commit for resolve).

    Raises:
        EntryNotFound: there is no such log, or not for the actor.
    """
    with hub.registry.read() as db:
        attempt = rows.attempt(db, run)
    if attempt is None or not attempt.log_commit:
        raise EntryNotFound(f"There is no log of a run {run[:40]!r}.")
    shown = jobs.show(hub, actor, attempt.job)
    repo = shown.model if attempt.log_repo == shown.model.key else shown.dataset
    return repo.path, attempt.log_commit
