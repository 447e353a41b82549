"""The ``glasshub`` command: results on stdout, talk on stderr, exit codes that mean something.

0: done. 1: it failed, or ``check`` found something. 2: the command line is wrong.
"""

from __future__ import annotations

import sys
from itertools import islice

import click

from glasshub import config
from glasshub.commands import benchmarks, data, people, repos, running
from glasshub.errors import GlasshubError


class Commands(click.Group):
    """Commands that take ``--data`` in any place, since people write it last as often as first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move ``--data DIR`` to the front (but leave alone what follows ``--``)."""
        end = args.index("--") if "--" in args else len(args)
        moved: list[str] = []
        kept: list[str] = []
        words = iter(args[:end])
        for word in words:
            target = moved if word == "--data" or word.startswith("--data=") else kept
            target.append(word)
            if word == "--data":
                target.extend(islice(words, 1))
        return super().parse_args(ctx, [*moved, *kept, *args[end:]])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--data", metavar="DIR", help="The data folder (GLASSHUB_DATA; default ./glasshub-data); in any place.")
@click.version_option(package_name="glasshub")
@click.pass_context
def cli(context: click.Context, data: str | None) -> None:
    """Glasshub: a self-hosted hub for models and datasets with open evaluation results."""
    context.obj = config.load(data)


for group in (running, people, repos, benchmarks, data):
    for command in group.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line; errors of the hub and of the system become one line and exit code 1."""
    try:
        cli()
    except (GlasshubError, OSError) as error:
        click.echo(f"glasshub: {error.message if isinstance(error, GlasshubError) else error}", err=True)
        sys.exit(1)
