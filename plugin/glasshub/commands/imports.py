"""``import``: files of evaluation tools become pull requests with results."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from glasshub import remote
from glasshub.commands.import_sides import Asked, Here, Side, There
from glasshub.commands.opened import acting_as, find_repo, opened, split_id
from glasshub.errors import Invalid, TooLarge
from glasshub.evals.importers.answers import Answers, chosen, concerned, fields, not_said, questions, settled, to_json
from glasshub.evals.importers.proposal import MAX_BYTES, LogFile, Proposal
from glasshub.log_formats import read_log
from glasshub.plugins import load_plugins
from glasshub.remote_import import RemoteImport

OPEN_QUESTIONS = 3  # exit code
_ASKED = ("dataset", "task", "metric", "revision")


@click.group("import")
def imports() -> None:
    """Bring in what other tools wrote."""


@imports.command("log")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--model", required=True, metavar="NS/NAME", help="The model that was measured.")
@click.option("--only", multiple=True, metavar="WHAT", help="Import only what the file calls so; may be repeated.")
@click.option("--dataset", multiple=True, metavar="[WHAT=]NS/NAME", help="The benchmark, where the file names none.")
@click.option("--task", multiple=True, metavar="[WHAT=]ID", help="The task of the benchmark.")
@click.option("--metric", multiple=True, metavar="[WHAT=]NAME", help="The number that is its score.")
@click.option("--revision", multiple=True, metavar="[WHAT=]SHA", help="The commit of the dataset; none leaves it out.")
@click.option("--partial", is_flag=True, help="Report runs of a part of the items too, marked as such.")
@click.option("--notes", metavar="TEXT", help="Instead of the notes that are made.")
@click.option("--source", default="", metavar="URL", help="Where the run is described; else the file that is kept.")
@click.option("--no-keep", is_flag=True, help="Do not put the file itself into the model's repo, only its digest.")
@click.option("--title", default="", metavar="TEXT", help="Of the pull request.")
@click.option(
    "--hub",
    "address",
    metavar="URL",
    help="A hub elsewhere (HF_ENDPOINT, unless --as is given), as the user of HF_TOKEN.",
)
@click.option("--as", "user", metavar="USER", help="Who proposes, on this machine's hub; an admin of the namespace.")
@click.option("--yes", is_flag=True, help="Open the pull request without asking.")
@click.option("--dry-run", is_flag=True, help="Only show what would be proposed.")
@click.option("--json", "as_json", is_flag=True, help="Proposals as JSON on stdout.")
@click.pass_context
def import_log(context: click.Context, /, files: tuple[Path, ...], model: str, **options: Any) -> None:
    """Propose the results in files of Inspect, lm-evaluation-harness, lighteval, model-index or Every Eval Ever.

    Exit code 0: proposed, or shown by --dry-run. 1: it failed. 3: something must be said first; nothing was proposed.
    """
    if options["as_json"] and not (options["yes"] or options["dry_run"]):
        raise click.UsageError("Add --yes or --dry-run to --json.", context)
    plugins = load_plugins()
    read = [(file, read_log(plugins, file)) for file in map(_file, files)]
    with _side(context, model, options["address"], options["user"]) as side:
        asked = [_asked(file, proposal, options) for file, proposal in read]
        shown = [_show(one, side, as_json=options["as_json"]) for one in asked]
        open_ones = any(questions(draft, one.answers[draft.what], side.tasks) for one in asked for draft in one.drafts)
        if not open_ones:
            for one, found in zip(asked, shown, strict=True):
                _propose(one, side, found, options)
    if options["as_json"]:
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    if open_ones:
        click.echo("Nothing was proposed. Answer the questions with options such as --task and --metric.", err=True)
        context.exit(OPEN_QUESTIONS)


def _file(path: Path) -> LogFile:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TooLarge(f"{path} has more than {MAX_BYTES:,} bytes; no more are read.")
    return LogFile(path.name, data)


@contextmanager
def _side(context: click.Context, model: str, address: str | None, user: str | None) -> Iterator[Side]:
    split_id(model)
    if address and user:
        raise click.UsageError("--as is for the hub of this machine. Elsewhere it is the user of HF_TOKEN.", context)
    address = address or ("" if user else os.environ.get("HF_ENDPOINT", ""))
    if address:
        there = RemoteImport(remote.hub_of(address), model)
        yield There(RemoteImport(there.hub, there.require_model() or model))
        return
    with opened(context) as hub:
        repo = find_repo(hub, "model", model)
        yield Here(hub, repo, acting_as(hub, repo, user))


def _asked(file: LogFile, proposal: Proposal, options: dict[str, Any]) -> Asked:
    names = [draft.what for draft in proposal.drafts]
    unknown = sorted(set(options["only"]) - set(names))
    if unknown:
        raise Invalid(f"{file.name} has nothing called {unknown[0]}. It has: {', '.join(names[:20])}.")
    wanted = [name for name in names if not options["only"] or name in options["only"]]
    answers = {name: _answers(name, names, options) for name in wanted}
    title = options["title"] or f"Report {len(wanted)} result{'s' if len(wanted) > 1 else ''} of {proposal.tool}"
    return Asked(file, proposal, answers, not options["no_keep"], title)


def _answers(what: str, names: Sequence[str], options: dict[str, Any]) -> Answers:
    dataset, task, metric, revision = (_said(options[key], what, names) for key in _ASKED)
    return Answers(
        dataset=dataset,
        task=task,
        metric=metric,
        revision={"": None, "none": ""}.get(revision, revision),
        partial=options["partial"],
        notes=options["notes"],
        source_url=options["source"],
    )


def _said(words: Sequence[str], what: str, names: Sequence[str]) -> str:
    """The answer for one draft: one that names it, else the last that names none."""
    general = ""
    for word in words:
        name = next((name for name in names if word.startswith(f"{name}=")), None)
        if name == what:
            return word[len(what) + 1 :]
        if name is None:
            general = word
    return general


def _show(asked: Asked, side: Side, *, as_json: bool) -> dict[str, Any]:
    benchmarks = side.benchmarks() if any(not draft.dataset for draft in asked.drafts) else []
    found = {"file": asked.file.name, **to_json(asked.proposal, asked.answers, side.tasks, benchmarks)}
    if not as_json:
        for line in _lines(asked, side, benchmarks):
            click.echo(line)
    return found


def _lines(asked: Asked, side: Side, benchmarks: Sequence[str]) -> Iterator[str]:
    proposal = asked.proposal
    yield f"{asked.file.name}: {proposal.written_by}, SHA-256 {proposal.sha256}"
    yield f"  The file names its model {proposal.model}" if proposal.model else "  The file names no model"
    for remark in proposal.remarks:
        yield f"  Left out or doubtful: {remark}"
    for draft in asked.drafts:
        answers = asked.answers[draft.what]
        dataset, task = settled(draft, answers, side.tasks)
        measure = chosen(draft, answers)
        yield f"  {draft.what}: {dataset or '?'} {task or '?'}"
        for found in draft.measures:
            mark = "*" if found == measure else " "
            error = f" ± {found.stderr}" if found.stderr else ""
            yield f"    {mark} {found.name} = {found.value}{error}{f', n = {found.n}' if found.n else ''}"
        for question in questions(draft, answers, side.tasks, benchmarks):
            yield f"    ? {question.name}: {question.text}"
            for option in question.options:
                yield f"        {option}"
        unknown = not_said(proposal, draft, answers)
        if unknown:
            yield f"    Not said by the file: {', '.join(unknown)}"


def _propose(asked: Asked, side: Side, shown: dict[str, Any], options: dict[str, Any]) -> None:
    proposal, tasks = asked.proposal, side.tasks
    why = side.withheld(proposal, concerned(proposal, asked.answers, tasks)) if asked.keep else "You asked for that."
    if why:
        asked = replace(asked, keep=False)
        click.echo(f"The file itself is not published, only its digest. {why}", err=True)
    kept = proposal.kept_path if asked.keep else ""
    said = [fields(proposal, draft, asked.answers[draft.what], tasks, kept=kept) for draft in asked.drafts]
    measures = [chosen(draft, asked.answers[draft.what]) for draft in asked.drafts]
    for draft, sentence in zip(asked.drafts, side.check(said, measures), strict=True):
        click.echo(f"{draft.what}: {sentence}", err=True)
    shown["kept"] = kept
    if options["dry_run"]:
        return
    if not options["yes"]:
        click.confirm("Open a pull request with this?", abort=True, err=True)
    shown["pull_request"] = side.send(asked, said)
    click.echo(f"Opened {shown['pull_request']}", err=options["as_json"])


COMMANDS = (imports,)
