"""``repo``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from glasshub import repos
from glasshub.commands.opened import OPERATOR, find_repo, opened, repo_id, repo_type, split_id
from glasshub.identity import GATES, RepoType


@click.group()
def repo() -> None:
    """Model and dataset repos."""


@repo.command("add")
@repo_type
@repo_id
@click.option("--private", is_flag=True, help="Only members of the namespace know that it exists.")
@click.pass_context
def repo_add(context: click.Context, type: RepoType, repo_id: str, private: bool) -> None:
    """Make an empty repo and print the path of its page."""
    with opened(context) as hub:
        made = repos.create(hub, OPERATOR, type, *split_id(repo_id), private=private)
    click.echo(made.path)


@repo.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def repo_list(context: click.Context, as_json: bool) -> None:
    """List repos: type, id, visibility (tab-separated)."""
    with opened(context) as hub:
        for found in sorted(repos.every(hub), key=lambda r: (r.type, r.repo_id.lower())):
            if as_json:
                click.echo(json.dumps(asdict(found)))
            else:
                click.echo(f"{found.type}\t{found.repo_id}\t{'private' if found.private else 'public'}")


@repo.command("delete")
@repo_type
@repo_id
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def repo_delete(context: click.Context, type: RepoType, repo_id: str, yes: bool) -> None:
    """Delete a repo for good: files, history and results."""
    with opened(context) as hub:
        found = find_repo(hub, type, repo_id)
        if not yes:
            click.confirm(f"Delete the {type} {found.repo_id} for good?", abort=True, err=True)
        repos.delete(hub, OPERATOR, found)
    click.echo(f"Deleted {found.repo_id}.", err=True)


@repo.command("move")
@repo_type
@repo_id
@click.argument("new_id", metavar="NEW_NS/NAME")
@click.pass_context
def repo_move(context: click.Context, type: RepoType, repo_id: str, new_id: str) -> None:
    """Rename or transfer a repo and print the path of its page; the old address redirects."""
    with opened(context) as hub:
        moved = repos.move(hub, OPERATOR, find_repo(hub, type, repo_id), *split_id(new_id))
    click.echo(moved.path)


@repo.command("gate")
@repo_type
@repo_id
@click.argument("mode", type=click.Choice(["auto", "manual", "off"]))
@click.pass_context
def repo_gate(context: click.Context, type: RepoType, repo_id: str, mode: str) -> None:
    """Say who reads the files of a repo: whoever asks (auto), whoever is let in (manual), or everybody (off)."""
    with opened(context) as hub:
        found = find_repo(hub, type, repo_id)
        gated = next(gate for gate in GATES if gate == (mode if mode != "off" else ""))
        repos.configure(hub, OPERATOR, found, gated=gated)
    click.echo(f"{found.repo_id}: {mode}.", err=True)


COMMANDS = (repo,)
