"""``benchmark``."""

from __future__ import annotations

import click

from glasshub import repos
from glasshub.access import Visibility
from glasshub.commands.opened import find_repo, opened, repo_id
from glasshub.index import queries


@click.group()
def benchmark() -> None:
    """Benchmarks: datasets with a valid eval.yaml."""


@benchmark.command("list")
@click.pass_context
def benchmark_list(context: click.Context) -> None:
    """List benchmarks: dataset, state, framework, tasks, models (tab-separated)."""
    see = Visibility(everything=True)
    with opened(context) as hub:
        db = hub.index.read()
        for repo in repos.every(hub):
            row = queries.benchmark(db, see, repo.key) if repo.type == "dataset" else None
            if row is not None:
                click.echo(f"{row.dataset_id}\t{row.state}\t{row.framework}\t{len(row.tasks)}\t{row.models}")


@benchmark.command("approve")
@repo_id
@click.pass_context
def benchmark_approve(context: click.Context, repo_id: str) -> None:
    """Let a dataset gather leaderboards (needed where the setting benchmarks is shortlist)."""
    with opened(context) as hub:
        repos.approve_benchmark(hub, find_repo(hub, "dataset", repo_id))
    click.echo(f"Approved {repo_id}.", err=True)


@benchmark.command("revoke")
@repo_id
@click.pass_context
def benchmark_revoke(context: click.Context, repo_id: str) -> None:
    """Take the approval back; its leaderboards stop gathering where approval is needed."""
    with opened(context) as hub:
        repos.approve_benchmark(hub, find_repo(hub, "dataset", repo_id), approved=False)
    click.echo(f"Revoked the approval of {repo_id}.", err=True)


COMMANDS = (benchmark,)
