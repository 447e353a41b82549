"""The ``glasshub`` command: results on stdout, talk on stderr, exit codes that mean something.

0: done. 1: it failed, or ``check`` found something. 2: the command line is wrong.
"""

from __future__ import annotations

import os
import sqlite3
import sys

import click

from glasshub import config
from glasshub.commands import (
    benchmarks,
    data,
    erase,
    exports,
    imports,
    people,
    repos,
    results,
    runner_programs,
    runners,
    running,
    verify,
)
from glasshub.errors import GlasshubError
from glasshub.index import comparison


class Commands(click.Group):
    """Commands that take ``--data`` in any place, since people write it last as often as first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move ``--data DIR`` to the front (but leave alone what follows ``--``). Raises ``UsageError``."""
        end = args.index("--") if "--" in args else len(args)
        moved: list[str] = []
        kept: list[str] = []
        words = iter(args[:end])
        for word in words:
            target = moved if word == "--data" or word.startswith("--data=") else kept
            target.append(word)
            if word == "--data":
                folder = next(words, "")
                if not folder:  # also what an unset variable of a shell leaves
                    raise click.UsageError("Name a folder after --data.", ctx)
                target.append(folder)
        return super().parse_args(ctx, [*moved, *kept, *args[end:]])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--data", metavar="DIR", help="The data folder (GLASSHUB_DATA; default ./glasshub-data); in any place.")
@click.version_option(package_name="glasshub")
@click.pass_context
def cli(context: click.Context, data: str | None) -> None:
    """Glasshub: a self-hosted hub for models and datasets with open evaluation results."""
    context.obj = config.load(data)


for group in (
    running,
    people,
    repos,
    benchmarks,
    results,
    runners,
    runner_programs,
    verify,
    exports,
    imports,
    data,
    erase,
):
    for command in group.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line; errors of the user, the hub and the system become one line and an exit code."""
    os.umask(os.umask(0o077) | 0o007)  # whatever is made here is closed to other users of the machine
    try:
        code = cli(prog_name="glasshub", standalone_mode=False)
    except click.UsageError as error:
        click.echo(_wrong_line(error), err=True)
        code = error.exit_code
    except click.Abort:
        click.echo("\nglasshub: Stopped.", err=True)  # below the question that was left open
        code = 1
    except (GlasshubError, OSError) as error:
        click.echo(f"glasshub: {error.message if isinstance(error, GlasshubError) else error}", err=True)
        code = 1
    except sqlite3.DatabaseError as error:
        click.echo(f"glasshub: The index cannot be used ({error}). {comparison.MEND}", err=True)
        code = 1
    sys.exit(code)


def _wrong_line(error: click.UsageError) -> str:
    """What is wrong and how the command is written, in one line (without any command: the whole help)."""
    message = error.format_message()
    if "\n" in message or error.ctx is None:
        return message
    return f"glasshub: {message} {' '.join(error.ctx.get_usage().split())}"
