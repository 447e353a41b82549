"""``result``."""

from __future__ import annotations

from functools import partial

import click

from glasshub import receive, results
from glasshub.access import Visibility
from glasshub.commands.opened import acting_as, find_repo, opened, repo_id
from glasshub.index import queries

result_id = click.argument("result_id", metavar="RESULT_ID")
reason_text = click.option("--reason", default="", metavar="TEXT", help="Why; everybody can read it.")
acting = click.option("--as", "user", metavar="USER", help="Who decides; an admin of the namespace by default.")


@click.group()
def result() -> None:
    """Results of models."""


@result.command("list")
@repo_id
@click.pass_context
def result_list(context: click.Context, repo_id: str) -> None:
    """List a model's results: id, state, dataset, task, value, origin, pull request (tab-separated)."""
    with opened(context) as hub:
        db, repo = hub.index.read(), find_repo(hub, "model", repo_id)
        for row in queries.results_of_model(db, Visibility(everything=True), repo.key):
            _print(row.id, row.state, row.dataset_id, row.task_id, row.value_text, row.origin, row.pull)
        for hidden in queries.hidden_results(db, repo.key):
            origin = "community" if hidden.pull else "author"
            _print(hidden.id, "hidden", hidden.dataset_id, hidden.task_id, hidden.value_text, origin, hidden.pull)


@result.command("hide")
@repo_id
@result_id
@reason_text
@acting
@click.pass_context
def result_hide(context: click.Context, repo_id: str, result_id: str, reason: str, user: str | None) -> None:
    """Take a result off card, leaderboards, API and feeds; the evaluation history keeps it."""
    with opened(context) as hub:
        repo = find_repo(hub, "model", repo_id)
        who = acting_as(hub, repo, user)
        receive.decide(hub, repo, who, partial(results.hide_result, result_id=result_id, reason=reason))
    click.echo(f"Hid {result_id} of {repo.repo_id} as {who.name}.", err=True)


@result.command("unhide")
@repo_id
@result_id
@reason_text
@acting
@click.pass_context
def result_unhide(context: click.Context, repo_id: str, result_id: str, reason: str, user: str | None) -> None:
    """Show a hidden result again."""
    with opened(context) as hub:
        repo = find_repo(hub, "model", repo_id)
        who = acting_as(hub, repo, user)
        receive.decide(hub, repo, who, partial(results.show_result, result_id=result_id, reason=reason))
    click.echo(f"Showed {result_id} of {repo.repo_id} again as {who.name}.", err=True)


def _print(id: str, state: str, dataset: str, task: str, value: str, origin: str, pull: int) -> None:
    columns = (id, state, dataset, task, value, origin, str(pull or ""))
    click.echo("\t".join(" ".join(column.split()) for column in columns))


COMMANDS = (result,)
