"""``reindex`` and ``check``."""

from __future__ import annotations

import click

from glasshub import check as checks
from glasshub import indexing, popularity
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


COMMANDS = (reindex, check)
