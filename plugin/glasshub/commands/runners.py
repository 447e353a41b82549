"""``runner``: who may sign what they measured."""

from __future__ import annotations

import click

from glasshub import runners
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


@runner.command("revoke")
@click.argument("kid")
@click.option("--reason", required=True, help="Why; it becomes public.")
@click.option("--since", default="", help="As of when, ISO-8601, for a key that was stolen earlier (default: now).")
@click.pass_context
def runner_revoke(context: click.Context, kid: str, reason: str, since: str) -> None:
    """Revoke a key: what was signed with it afterwards loses its badge."""
    with opened(context) as hub:
        key = runners.revoke_key(hub, OPERATOR, kid, reason=reason, since=since)
    click.echo(f"Revoked the key of {key.runner} as of {key.revoked_at}.", err=True)


COMMANDS = (runner,)
