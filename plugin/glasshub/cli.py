"""The ``glasshub`` command: results on stdout, talk on stderr, exit codes that mean something.

0: done. 1: it failed, or ``check`` found something. 2: the command line is wrong.
"""

from __future__ import annotations

import sys

import click

from glasshub import config
from glasshub.commands import benchmarks, data, people, repos, running
from glasshub.errors import GlasshubError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--data", metavar="DIR", help="The data folder (GLASSHUB_DATA; default ./glasshub-data).")
@click.version_option(package_name="glasshub")
@click.pass_context
def cli(context: click.Context, data: str | None) -> None:
    """Glasshub: a self-hosted hub for models and datasets with open evaluation results."""
    context.obj = config.load(data)


for group in (running, people, repos, benchmarks, data):
    for command in group.COMMANDS:
        cli.add_command(command)


def main() -> None:
    """Run the command line; errors of the hub become one line and exit code 1."""
    try:
        cli()
    except GlasshubError as error:
        click.echo(f"glasshub: {error.message}", err=True)
        sys.exit(1)
