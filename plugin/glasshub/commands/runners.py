"""``runner``: who may sign what they measured."""

from __future__ import annotations

import click

from glasshub import jobs, runners, runs
from glasshub.commands.opened import OPERATOR, opened


@click.group()
def runner() -> None:
    """Runners: programs that run benchmarks and sign what they measure."""


@runner.command("list")
@click.pass_context
def runner_list(context: click.Context) -> None:
    """List runners: name, state, owner, and the keys that count now (tab-separated)."""
    with opened(context) as hub:
        keys = runners.keys(hub)
        for found in runners.listing(hub):
            valid = [key.kid for key in keys if key.runner == found.name and not key.revoked_at]
            click.echo(f"{found.name}\t{found.state}\t{found.owner}\t{' '.join(valid)}")


@runner.command("approve")
@click.argument("name")
@click.pass_context
def runner_approve(context: click.Context, name: str) -> None:
    """Let a runner sign: its results count as verified from now on."""
    with opened(context) as hub:
        runners.approve(hub, OPERATOR, name)
    click.echo(f"Approved {name}.", err=True)


@runner.command("retire")
@click.argument("name")
@click.pass_context
def runner_retire(context: click.Context, name: str) -> None:
    """Let a runner sign no more. What it signed before stays verified."""
    with opened(context) as hub:
        runners.retire(hub, OPERATOR, name)
    click.echo(f"Retired {name}.", err=True)


@runner.command("revoke", context_settings={"ignore_unknown_options": True})  # a kid may begin with a dash
@click.argument("kid")
@click.option("--reason", required=True, help="Why; it becomes public.")
@click.option("--since", default="", help="As of when, ISO-8601, for a key that was stolen earlier (default: now).")
@click.pass_context
def runner_revoke(context: click.Context, kid: str, reason: str, since: str) -> None:
    """Revoke a key: what was signed with it afterwards loses its badge."""
    with opened(context) as hub:
        key = runners.revoke_key(hub, OPERATOR, kid, reason=reason, since=since)
    click.echo(f"Revoked the key of {key.runner} as of {key.revoked_at}.", err=True)


@runner.command("revoke-run")
@click.argument("run", metavar="RUN")
@click.option("--reason", required=True, help="Why; it becomes public.")
@click.pass_context
def runner_revoke_run(context: click.Context, run: str, reason: str) -> None:
    """Take back what a run was issued for: its results lose their badge."""
    with opened(context) as hub:
        runs.revoke(hub, OPERATOR, run, reason=reason)
    click.echo(f"Revoked the run {run}.", err=True)


@runner.command("jobs")
@click.option("--state", type=click.Choice(jobs.STATES), help="Only those in this state.")
@click.pass_context
def runner_jobs(context: click.Context, state: jobs.State | None) -> None:
    """List jobs, newest first: id, state, model, dataset, task, requester, runner, progress (tab-separated)."""
    with opened(context) as hub:
        for shown in jobs.listing(hub, OPERATOR, states=[state] if state else ()):
            job = shown.job
            columns = (job.id, job.state, shown.model.repo_id, shown.dataset.repo_id, job.task, job.requester,
                       shown.runner, " ".join((job.reason or job.progress).split()))  # fmt: skip
            click.echo("\t".join(columns))


@runner.command("approve-job")
@click.argument("job_id", metavar="JOB")
@click.pass_context
def runner_approve_job(context: click.Context, job_id: str) -> None:
    """Let runners take a job that somebody asked for."""
    with opened(context) as hub:
        jobs.approve(hub, OPERATOR, job_id)
    click.echo(f"Job {job_id} is in the queue.", err=True)


@runner.command("cancel-job")
@click.argument("job_id", metavar="JOB")
@click.option("--reason", default="", help="Why; whoever sees the job can read it.")
@click.pass_context
def runner_cancel_job(context: click.Context, job_id: str, reason: str) -> None:
    """End a job that has not ended; its runner stops at once."""
    with opened(context) as hub:
        jobs.cancel(hub, OPERATOR, job_id, reason=reason)
    click.echo(f"Cancelled job {job_id}.", err=True)


COMMANDS = (runner,)
