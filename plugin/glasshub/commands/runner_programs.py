"""``runner``: commands that run away from the hub, beside the models."""

from __future__ import annotations

import click

from glasshub.commands.runners import runner
from glasshub.errors import GlasshubError
from glasshub.runner import inspect_run, reproduce

DIFFERS = 1


@runner.command("reproduce")
@click.argument("result_url", metavar="RESULT_URL")
@click.option("--model", required=True, metavar="PROVIDER/MODEL", help="The model as Inspect names it.")
@click.option("--inspect", "program", default="", metavar="PATH", help="The Inspect to run (the one on PATH).")
@click.argument("options", nargs=-1, metavar="[-- OPTIONS...]")
@click.pass_context
def runner_reproduce(
    context: click.Context, result_url: str, model: str, program: str, options: tuple[str, ...]
) -> None:
    """Measure a result again with stock Inspect, and say whether it is consistent with the claim.

    What follows -- goes to inspect eval. Exit code 0: consistent. 1: not, or the run failed. 2: it cannot be run so.
    """
    try:
        claim = reproduce.read_claim(result_url)
        inspect = inspect_run.find_inspect(program)
    except GlasshubError as error:
        raise click.UsageError(error.message) from error
    found = reproduce.measure(claim, inspect_run.Inspect(inspect.program, options), model)
    for line in reproduce.tell(found):
        click.echo(line)
    if not found.consistent:
        context.exit(DIFFERS)


COMMANDS: tuple[click.Command, ...] = ()
