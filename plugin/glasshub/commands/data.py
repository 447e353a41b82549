"""``reindex``, ``check`` and ``maintain``."""

from __future__ import annotations

import click

from glasshub import check as checks
from glasshub import indexing, popularity, pruning
from glasshub.commands.opened import opened


@click.command()
@click.pass_context
def reindex(context: click.Context) -> None:
    """Rebuild the index from the registry and git; the hub may keep running."""
    with opened(context) as hub:
        count = indexing.reindex(hub)
        popularity.refresh(hub)
    click.echo(f"Indexed {count} repos.", err=True)


@click.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Check objects, refs, registry, disk and index; print what differs and exit with 1 if anything does."""
    with opened(context) as hub:
        found = checks.run(hub)
    for line in found:
        click.echo(line)
    click.echo(f"{len(found)} difference(s) found." if found else "Everything agrees.", err=True)
    context.exit(1 if found else 0)


@click.command()
@click.option("--prune", is_flag=True, help="Remove content that no repo has any more; without, only say how much.")
@click.option(
    "--older-than", "days", default=180, show_default=True, metavar="DAYS", type=click.IntRange(1, 36_500),
    help="Leave what was brought, used or given up within so many days: clients refer to what they sent weeks ago.",
)  # fmt: skip
@click.pass_context
def maintain(context: click.Context, prune: bool, days: int) -> None:
    """Look for large files that nobody needs; the hub may keep running."""
    with opened(context) as hub:
        found = pruning.prune(hub, days=days, remove=prune)
    for unused in found:
        click.echo(f"{unused.kind}\t{unused.count}\t{unused.size}")
    total = sum(unused.size for unused in found)
    said = "were removed" if prune else "could be removed (--prune removes them)"
    click.echo(f"{total:,} bytes that no repo has, unused for {days} days, {said}.", err=True)


COMMANDS = (reindex, check, maintain)
