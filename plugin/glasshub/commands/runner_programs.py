"""``runner``: commands that run away from the hub, beside the models."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from glasshub.commands.runners import runner
from glasshub.errors import GlasshubError
from glasshub.runner import inspect_run, loop, own_keys, reproduce, settings

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


config_option = click.option(
    "--config", "config_file", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="The settings of the runner (TOML; docs/runner.md).",
)  # fmt: skip


hub_option = click.option("--hub", required=True, metavar="URL", help="The hub.")
key_option = click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), metavar="FILE",
                          help="Where the private key goes; must not exist.")  # fmt: skip
token_option = click.option(
    "--token-stdin", is_flag=True, required=True, help="Read a write token of the owner from standard input."
)


@runner.command("register")
@click.argument("name")
@hub_option
@key_option
@token_option
def runner_register(name: str, hub: str, key_file: Path, *, token_stdin: bool) -> None:
    """Make a key pair for a new runner and register its public half; the private one stays in the file."""
    assert token_stdin
    state = own_keys.register(hub, _token(), name, key_file)
    advice = "" if state == "active" else " An admin of the hub has to approve it: glasshub runner approve."
    click.echo(f"{name} is {state}.{advice}", err=True)


@runner.command("add-key")
@click.argument("name")
@hub_option
@key_option
@token_option
def runner_add_key(name: str, hub: str, key_file: Path, *, token_stdin: bool) -> None:
    """Make a further key pair for a runner (rotation). Older keys go on until they are revoked.

    Prints the kid of the new key.
    """
    assert token_stdin
    click.echo(own_keys.add(hub, _token(), name, key_file))
    click.echo(f"Name {key_file} in the settings of {name}, restart it, and revoke the key before.", err=True)


@runner.command("show-key")
@click.argument("key_file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def runner_show_key(key_file: Path) -> None:
    """Print the kid of a private key and its public half, as the forms of a hub take it (tab-separated)."""
    click.echo("\t".join(own_keys.describe(key_file)))


@runner.command("revoke-key", context_settings={"ignore_unknown_options": True})  # a kid may begin with a dash
@click.argument("kid")
@hub_option
@click.option("--reason", required=True, help="Why; it becomes public.")
@click.option("--since", default="", help="As of when, ISO-8601, for a key that was stolen earlier (default: now).")
@token_option
def runner_revoke_key(kid: str, hub: str, reason: str, since: str, *, token_stdin: bool) -> None:
    """End a key of one's own runner, from wherever it runs: what is signed with it afterwards earns nothing."""
    assert token_stdin
    key = own_keys.revoke(hub, _token(), kid, reason=reason, since=since)
    click.echo(f"Revoked the key of {key['runner']} as of {key['revoked_at']}.", err=True)


@runner.command("start")
@config_option
def runner_start(config_file: Path) -> None:
    """Take jobs and run them until SIGTERM or Ctrl-C, which ends it after the present run; a second one at once."""
    loop.Loop(settings.load(config_file), _say).start()


@runner.command("run")
@click.argument("job", metavar="JOB")
@config_option
@click.pass_context
def runner_run(context: click.Context, job: str, config_file: Path) -> None:
    """Run one job that waits in the queue. Exit code 0: it ended with an outcome. 1: it did not."""
    life = loop.Loop(settings.load(config_file), _say)
    life.prepare()
    given = life.lease(job)
    if given is None or not life.run(given):
        context.exit(DIFFERS)


def _token() -> str:
    return sys.stdin.readline().strip()


def _say(line: str) -> None:
    click.echo(line, err=True)


COMMANDS: tuple[click.Command, ...] = ()
