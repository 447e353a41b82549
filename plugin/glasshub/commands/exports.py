"""``export``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import click

from glasshub import access, accounts
from glasshub.commands.opened import find_repo, opened
from glasshub.errors import EntryNotFound, Invalid
from glasshub.exports import contents, formats
from glasshub.exports.contents import Moment
from glasshub.exports.records import Record
from glasshub.hub import Hub
from glasshub.identity import ANONYMOUS, Actor
from glasshub.index import queries
from glasshub.weights.sizes import parse_range

What = Literal["hub", "model", "benchmark", "leaderboard"]
WHAT: tuple[What, ...] = ("hub", "model", "benchmark", "leaderboard")
Pick = Callable[[Moment], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    what: What
    repo_id: str
    task: str
    include_derived: bool | None
    num_parameters: str


@click.command()
@click.argument("what", type=click.Choice(WHAT))
@click.argument("repo_id", metavar="[NS/NAME]", default="")
@click.option("--task", default="", metavar="TASK", help="The task of a leaderboard; the first by default.")
@click.option("--format", type=click.Choice(list(formats.FORMATS)), help="By default as --output ends, else jsonl.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Instead of stdout.")
@click.option(
    "--base-model",
    type=click.Choice(["true", "false"]),
    help="Leave out (true) or include (false) models that build on others; only the hub includes them by default.",
)
@click.option("--num-parameters", default="", metavar="RANGE", help="Of leaderboards: sizes of models, such as max:7B.")
@click.option("--as", "user", metavar="USER", help="What this user may read; what is public by default.")
@click.pass_context
def export(
    context: click.Context,
    what: What,
    repo_id: str,
    task: str,
    format: str | None,
    output: Path | None,
    base_model: str | None,
    num_parameters: str,
    user: str | None,
) -> None:
    """Write results as JSON Lines, CSV or Parquet: of the whole hub, a model, a benchmark, or a leaderboard."""
    chosen = formats.find(format or (output.suffix.lstrip(".") if output else "") or "jsonl")
    if output is None and chosen.name == "parquet" and sys.stdout.isatty():
        raise Invalid("Parquet is not for reading on a terminal. Name a file with --output.")
    asked = Asked(what, repo_id, task, None if base_model is None else base_model == "false", num_parameters)
    with opened(context) as hub:
        actor = ANONYMOUS if user is None else accounts.actor_for(hub, user)
        pick, see = _pick(hub, actor, asked), access.visibility(actor)
        with contents.moment(hub, see) as now:
            _put(formats.blocks(chosen.write(pick(now))), output)


def _pick(hub: Hub, actor: Actor, asked: Asked) -> Pick:
    """What to export of a moment. Raises ``UsageError``, ``RepoNotFound``, ``EntryNotFound``, ``Invalid``."""
    _check(asked)
    what, include = asked.what, asked.include_derived
    if what == "hub":
        return partial(Moment.everything, include_derived=include is not False)
    repo = find_repo(hub, "model" if what == "model" else "dataset", asked.repo_id)
    access.require(actor, access.Action.READ, repo)
    if what == "model":
        return partial(Moment.model, key=repo.key)
    found = queries.task(hub.index.read(), access.visibility(actor), repo.key, asked.task)
    if found is None:
        named = f" {asked.task!r}" if asked.task else ""
        raise EntryNotFound(f"{repo.repo_id} has no leaderboard{named}. See: glasshub benchmark list.")
    size = parse_range(asked.num_parameters)
    if what == "benchmark":
        return partial(Moment.benchmark, dataset_key=repo.key, include_derived=bool(include), size=size)
    key, task = repo.key, found.task_id
    return partial(Moment.leaderboard, dataset_key=key, task_id=task, include_derived=bool(include), size=size)


def _check(asked: Asked) -> None:
    """Raise ``UsageError`` for words that do not go together."""
    if asked.what == "hub" and asked.repo_id:
        raise click.UsageError("The hub needs no repo.")
    if asked.what != "hub" and not asked.repo_id:
        raise click.UsageError(f"Name the {'model' if asked.what == 'model' else 'benchmark'} as namespace/name.")
    if asked.task and asked.what != "leaderboard":
        raise click.UsageError("--task is for a leaderboard.")
    if asked.include_derived is not None and asked.what == "model":
        raise click.UsageError("--base-model is for all but a model.")
    if asked.num_parameters and asked.what not in ("benchmark", "leaderboard"):
        raise click.UsageError("--num-parameters is for a benchmark or a leaderboard.")


def _put(blocks: Iterator[bytes], output: Path | None) -> None:
    if output is None:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return
    fresh = output.with_name(f".{output.name}.{os.getpid()}")  # a reader finds the old file or the whole new one
    try:
        with fresh.open("wb") as file:
            file.writelines(blocks)
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)


COMMANDS = (export,)
