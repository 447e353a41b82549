"""``export``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
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

What = Literal["hub", "model", "benchmark", "leaderboard"]
WHAT: tuple[What, ...] = ("hub", "model", "benchmark", "leaderboard")
Pick = Callable[[Moment], Iterator[Record]]


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
    user: str | None,
) -> None:
    """Write results as JSON Lines, CSV or Parquet: of the whole hub, a model, a benchmark, or a leaderboard."""
    chosen = formats.find(format or (output.suffix.lstrip(".") if output else "") or "jsonl")
    if output is None and chosen.name == "parquet" and sys.stdout.isatty():
        raise Invalid("Parquet is not for reading on a terminal. Name a file with --output.")
    include = None if base_model is None else base_model == "false"
    with opened(context) as hub:
        actor = ANONYMOUS if user is None else accounts.actor_for(hub, user)
        pick, see = _pick(hub, actor, what, repo_id, task, include), access.visibility(actor)
        with contents.moment(hub, see) as now:
            _put(formats.blocks(chosen.write(pick(now))), output)


def _pick(hub: Hub, actor: Actor, what: What, repo_id: str, task: str, include: bool | None) -> Pick:
    """What to export of a moment. Raises ``UsageError``, ``RepoNotFound``, ``EntryNotFound``."""
    if (what == "hub") == bool(repo_id):
        raise click.UsageError("The hub needs no repo." if repo_id else f"Name the {what} as namespace/name.")
    if (task and what != "leaderboard") or (include is not None and what == "model"):
        raise click.UsageError("--task is for a leaderboard, --base-model for all but a model.")
    if what == "hub":
        return partial(Moment.everything, include_derived=include is not False)
    repo = find_repo(hub, "model" if what == "model" else "dataset", repo_id)
    access.require(actor, access.Action.READ, repo)
    if what == "model":
        return partial(Moment.model, key=repo.key)
    found = queries.task(hub.index.read(), access.visibility(actor), repo.key, task)
    if found is None:
        named = f" {task!r}" if task else ""
        raise EntryNotFound(f"{repo.repo_id} has no leaderboard{named}. See: glasshub benchmark list.")
    if what == "benchmark":
        return partial(Moment.benchmark, dataset_key=repo.key, include_derived=bool(include))
    return partial(Moment.leaderboard, dataset_key=repo.key, task_id=found.task_id, include_derived=bool(include))


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
