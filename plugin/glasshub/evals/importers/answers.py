"""From a draft to a result: what must be asked, what stays unknown, and the fields of the entry. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from glasshub.evals.entry_text import NUMBERS, TEXTS
from glasshub.evals.importers.proposal import Complete, Draft, Measure, Proposal

MAX_NOTES = 300
Tasks = Callable[[str], Sequence[str] | None]
"""The ids of the tasks of a benchmark; ``None``: this hub has no such benchmark."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person adds to a draft; ``""`` leaves it as the file says.

    ``revision`` replaces what the file says, ``notes`` the notes that are made, even by ``""``, unless it is ``None``.
    """

    dataset: str = ""
    task: str = ""
    metric: str = ""
    revision: str | None = None
    date: str = ""
    partial: bool = False
    notes: str | None = None
    source_url: str = ""
    source_name: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only a person can say: its name (as in :class:`Answers`), the question, and what there is."""

    name: str
    text: str
    options: tuple[str, ...] = ()


def chosen(draft: Draft, answers: Answers) -> Measure | None:
    """The number to report: the one that was asked for, else the one that the file's format calls the headline."""
    if answers.metric:
        return next((measure for measure in draft.measures if measure.name == answers.metric), None)
    headlines = [measure for measure in draft.measures if measure.headline]
    return headlines[0] if len(headlines) == 1 else None


def settled(draft: Draft, answers: Answers, tasks: Tasks) -> tuple[str, str]:
    """Dataset and task, as far as they are known."""
    dataset = answers.dataset or draft.dataset
    task = answers.task or (draft.task if dataset == draft.dataset else "")
    if not task and draft.only_task and dataset == draft.dataset:
        known = tasks(dataset) or ()
        task = known[0] if len(known) == 1 else ""
    return dataset, task


def concerned(proposal: Proposal, answered: Mapping[str, Answers], tasks: Tasks) -> list[str]:
    """The datasets that a file is about: those that it names, whatever was answered, and those of the answers."""
    said = [draft.dataset for draft in proposal.drafts]
    told = [settled(draft, answered[draft.what], tasks)[0] for draft in proposal.drafts if draft.what in answered]
    return sorted({dataset for dataset in (*said, *told) if dataset})


def commit_of(draft: Draft, answers: Answers) -> str:
    """The commit of the dataset, as far as it is known."""
    if answers.revision is not None:
        return answers.revision
    return draft.revision if answers.dataset in ("", draft.dataset) else ""


def questions(draft: Draft, answers: Answers, tasks: Tasks, benchmarks: Sequence[str] = ()) -> list[Question]:
    """What must be answered before the draft can be reported.

    Args:
        draft: of the file.
        answers: given so far.
        tasks: of the benchmarks on the hub.
        benchmarks: offered where the file names no dataset.
    """
    found = []
    dataset, task = settled(draft, answers, tasks)
    if not dataset:
        found.append(Question("dataset", f"Of which dataset is {draft.what}?", tuple(benchmarks)))
    known = tasks(dataset) if dataset else None
    if not task:
        options = tuple(known or ())
        found.append(Question("task", f"Which task of {dataset or 'the dataset'} is {_called(draft)}?", options))
    elif known is not None and task not in known:
        found.append(Question("task", f"{dataset} has no task {task}. Which one is it?", tuple(known)))
    if chosen(draft, answers) is None:
        names = tuple(measure.name for measure in draft.measures)
        again = f"There is no {answers.metric} in the file. " if answers.metric else ""
        found.append(Question("metric", f"{again}Which number is the score of the task?", names))
    if draft.complete is Complete.NO and not answers.partial:
        found.append(Question("partial", f"Only {draft.ran or 'a part'} counted. Report it all the same?", ("yes",)))
    return found


def _called(draft: Draft) -> str:
    parts = [f"{name} {said}" for name, said in (("config", draft.config), ("split", draft.split)) if said]
    return f"{draft.what} ({', '.join(parts)})" if parts else draft.what


def not_said(proposal: Proposal, draft: Draft, answers: Answers) -> list[str]:
    """What a result could tell and this one will not, since the file does not: names of fields of the entry."""
    measure = chosen(draft, answers)
    known = {
        "revision": commit_of(draft, answers),
        "date": answers.date or draft.date,
        "model_revision": proposal.model_revision,
        "stderr": measure.stderr if measure else "-",
        "n": measure.n if measure else "-",
        "complete": draft.complete is not Complete.UNKNOWN,
        "harness_version": proposal.version or draft.conditions.get("harness_version"),
        "shots": draft.conditions.get("shots"),
    }
    return [name for name, said in known.items() if said in ("", None, False)]


def fields(proposal: Proposal, draft: Draft, answers: Answers, tasks: Tasks, *, kept: str = "") -> dict[str, str]:
    """The fields of the entry, as :func:`glasshub.evals.entry_text.write_entry` takes them.

    Args:
        proposal: of the file.
        draft: with no question left.
        answers: that leave none.
        tasks: of the benchmarks on the hub.
        kept: where the file is kept in the model's repo (``""``: it is not).
    """
    measure = chosen(draft, answers)
    assert measure is not None
    dataset, task = settled(draft, answers, tasks)
    conditions = {"harness": proposal.tool, "harness_version": proposal.version, **draft.conditions}
    if proposal.model_revision:
        conditions.setdefault("model_revision", proposal.model_revision)
    revision = commit_of(draft, answers)
    settings = {
        "metric": measure.name,
        "complete": draft.complete.value,
        "imported": proposal.written_by,
        "reported_as": draft.what,
        **{name: said for name, said in conditions.items() if name not in (*NUMBERS, *TEXTS)},
        "reported_revision": draft.revision if draft.revision != revision else "",
        "log": kept,
        "log_sha256": proposal.sha256,
    }
    return {
        "dataset": dataset,
        "task": task,
        "revision": revision,
        "value": measure.value,
        "date": answers.date or draft.date,
        "source_url": answers.source_url,
        "source_name": answers.source_name,
        "notes": made_notes(proposal, draft, measure) if answers.notes is None else answers.notes,
        "stderr": measure.stderr,
        "n": str(measure.n) if measure.n else "",
        **{name: conditions[name] for name in (*NUMBERS, *TEXTS) if conditions.get(name)},
        "settings": "\n".join(f"{name}: {said}" for name, said in settings.items() if said),
    }


def made_notes(proposal: Proposal, draft: Draft, measure: Measure) -> str:
    """A short sentence on how it was measured, of what the file says."""
    said = draft.conditions
    parts = [
        measure.name,
        f"only {draft.ran}" if draft.complete is Complete.NO and draft.ran else "",
        f"{said['shots']}-shot" if "shots" in said else "",
        f"{said['epochs']} epochs" if said.get("epochs", "1") != "1" else "",
        f"temperature {said['temperature']}" if "temperature" in said else "",
        f"judge {said['judge']}" if "judge" in said else "",
        proposal.written_by,
    ]
    return "; ".join(part for part in parts if part)[:MAX_NOTES]


def to_json(
    proposal: Proposal, answered: Mapping[str, Answers], tasks: Tasks, benchmarks: Sequence[str] = ()
) -> dict[str, Any]:
    """The proposal with what is still unknown, as JSON values; ``answered`` has the drafts that are wanted."""
    drafts = [(draft, answered[draft.what]) for draft in proposal.drafts if draft.what in answered]
    return {
        "tool": proposal.tool,
        "version": proposal.version,
        "model": proposal.model,
        "model_revision": proposal.model_revision,
        "sha256": proposal.sha256,
        "size": proposal.size,
        "remarks": list(proposal.remarks),
        "results": [_draft_json(proposal, draft, answers, tasks, benchmarks) for draft, answers in drafts],
    }


def _draft_json(
    proposal: Proposal, draft: Draft, answers: Answers, tasks: Tasks, benchmarks: Sequence[str]
) -> dict[str, Any]:
    dataset, task = settled(draft, answers, tasks)
    measure = chosen(draft, answers)
    return {
        "what": draft.what,
        "dataset": dataset,
        "task": task,
        "revision": commit_of(draft, answers),
        "config": draft.config,
        "split": draft.split,
        "date": answers.date or draft.date,
        "metric": measure.name if measure else "",
        "metrics": [asdict(found) for found in draft.measures],
        "complete": draft.complete.value,
        "ran": draft.ran,
        "conditions": dict(draft.conditions),
        "questions": [asdict(question) for question in questions(draft, answers, tasks, benchmarks)],
        "not_said": not_said(proposal, draft, answers),
    }
