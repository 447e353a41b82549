"""``erase``."""

from __future__ import annotations

import click

from glasshub import erasure
from glasshub.commands.opened import OPERATOR, find_repo, opened, repo_id, repo_type
from glasshub.erasure import Erased
from glasshub.identity import RepoType

why = click.option("--reason", required=True, metavar="TEXT", help="Why; it is published in place of what goes.")


@click.group()
def erase() -> None:
    """Take abusive or personal text out of the record; a tombstone stays."""


@erase.command("event")
@repo_type
@repo_id
@click.argument("event_ids", nargs=-1, required=True, metavar="EVENT_ID...")
@why
@click.pass_context
def erase_event(context: click.Context, type: RepoType, repo_id: str, event_ids: tuple[str, ...], reason: str) -> None:
    """Erase the words of events, such as comments (their ids stand in the API and in links to comments)."""
    with opened(context) as hub:
        repo = find_repo(hub, type, repo_id)
        _say(repo.path, erasure.erase_events(hub, OPERATOR, repo, list(event_ids), reason=reason))


@erase.command("user")
@click.argument("name")
@click.option("--texts", is_flag=True, help="Also erase what they wrote.")
@why
@click.pass_context
def erase_user(context: click.Context, name: str, texts: bool, reason: str) -> None:
    """Take a user's name out of the records of all repos; prints each repo and how many events changed."""
    with opened(context) as hub:
        for path, done in erasure.erase_author(hub, OPERATOR, name, texts=texts, reason=reason).items():
            _say(path, done)


def _say(path: str, done: Erased) -> None:
    click.echo(f"{path}\t{done.events}")
    if done.packed:
        click.echo(f"{path}: {len(done.packed)} former commits lie in packs; run git gc --prune=now there.", err=True)


COMMANDS = (erase,)
