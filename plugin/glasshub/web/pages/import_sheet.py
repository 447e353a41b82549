"""What somebody says about an uploaded file: for each result the answers, what is left to ask, what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from glasshub import importing
from glasshub.errors import Invalid
from glasshub.evals.importers.answers import (
    Answers,
    Question,
    Tasks,
    chosen,
    commit_of,
    concerned,
    fields,
    made_notes,
    not_said,
    questions,
    settled,
)
from glasshub.evals.importers.proposal import Complete, Draft, Measure, Proposal
from glasshub.submissions import NEW_PULL
from glasshub.web.context import actor, hub
from glasshub.web.pages.repo_view import RepoView, see
from glasshub.web.pages.submission_sheet import Sheet, fill, ways

MOST_SHOWN = 60
MOST_CHARACTERS = 2_000  # of one field


@dataclass(frozen=True, slots=True)
class Row:
    """One result of the file, with what is said about it.

    Attributes:
        number: its place in the file; its fields begin with ``r<number>-``.
        draft: what the file says.
        wanted: whether it is to be reported.
        answers: what was typed or chosen.
        dataset: as far as it is known.
        task: as far as it is known.
        tasks: of that benchmark; ``None``: it is none on this hub.
        measure: the number that is chosen.
        asked: the questions that are left, by name.
        unknown: what the file does not say.
        sheet: what becomes of it, when nothing is left to ask.
        doubt: what does not fit the benchmark, in a sentence.
    """

    number: int
    draft: Draft
    wanted: bool
    answers: Answers
    dataset: str
    task: str
    tasks: Sequence[str] | None
    measure: Measure | None
    asked: Mapping[str, Question]
    unknown: Sequence[str]
    sheet: Sheet | None = None
    doubt: str = ""

    @property
    def revision(self) -> str:
        """The commit of the dataset."""
        return commit_of(self.draft, self.answers)

    @property
    def partial(self) -> bool:
        """Whether it is known that not all items were run."""
        return self.draft.complete is Complete.NO

    @property
    def errors(self) -> Mapping[str, str]:
        """What is wrong with the entry, by field."""
        return self.sheet.errors if self.sheet else {}

    def trouble(self, name: str) -> str:
        """What is to be said beside a field: the question that it leaves open, or what is wrong with it."""
        asked = self.asked.get(name) if self.wanted else None
        return asked.text if asked else self.errors.get(name, "")


@dataclass(frozen=True, slots=True)
class ImportSheet:
    """All results of a file, as far as they are shown; ``withheld`` is why the file itself is not published."""

    proposal: Proposal
    rows: Sequence[Row]
    withheld: str
    keep: bool
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def wanted(self) -> list[Row]:
        """The rows that are to be reported."""
        return [row for row in self.rows if row.wanted]

    @property
    def is_ready(self) -> bool:
        """Whether something is to be reported, and nothing of that is open or wrong."""
        return bool(self.wanted) and not any(row.asked or row.errors for row in self.wanted)

    @property
    def title(self) -> str:
        """Of the pull request."""
        count = len(self.wanted)
        usual = f"Report {count} result{'s' if count != 1 else ''} of {self.proposal.tool}"
        return self.said.get("title", "").strip() or usual


def read_sheet(view: RepoView, proposal: Proposal, form: Mapping[str, str] | None = None) -> ImportSheet:
    """The sheet of a file; ``form`` is what was sent (``None``: nothing yet).

    Raises:
        Invalid: a field is too long.
    """
    said = form or {}
    if any(len(text) > MOST_CHARACTERS for name, text in said.items() if name != "comment"):
        raise Invalid(f"A field has more than {MOST_CHARACTERS:,} characters. Shorten it.")
    tasks, open_ways = importing.tasks_of(hub(), see()), ways(view)
    shown = proposal.drafts[:MOST_SHOWN]
    answered = [_answers(number, form) for number in range(len(shown))]
    wanted = [(form is None and len(shown) == 1) or f"r{number}-use" in said for number in range(len(shown))]
    used = {shown[number].what: answered[number] for number in range(len(shown)) if wanted[number]}
    why = importing.withheld(hub(), actor(), proposal, concerned(proposal, used, tasks))
    keep = not why and (form is None or "keep" in said)
    can_open = any(way.to == NEW_PULL for way in open_ways)
    rows = [
        _row(view, proposal, number, wanted[number], answered[number], tasks, keep=keep, judge=can_open)
        for number in range(len(shown))
    ]
    return ImportSheet(proposal, rows, why, keep, said)


def entry_fields(view: RepoView, proposal: Proposal, row: Row, *, keep: bool) -> dict[str, str]:
    """The fields of the entry of a row that leaves nothing to ask."""
    kept = proposal.kept_path if keep else ""
    tasks = importing.tasks_of(hub(), see())
    return importing.with_known_commit(hub(), view.repo, fields(proposal, row.draft, row.answers, tasks, kept=kept))


def _answers(number: int, form: Mapping[str, str] | None) -> Answers:
    if form is None:
        return Answers()
    said = {name: form.get(f"r{number}-{name}", "").strip() for name in ("dataset", "task", "metric", "revision")}
    return Answers(
        dataset=said["dataset"],
        task=said["task"],
        metric=said["metric"],
        revision=said["revision"] if f"r{number}-revision" in form else None,
        partial=f"r{number}-partial" in form,
        notes=form[f"r{number}-notes"] if form.get(f"r{number}-notes", "").strip() else None,
    )


def _row(
    view: RepoView, proposal: Proposal, number: int, wanted: bool, answers: Answers, tasks: Tasks, *, keep: bool,
    judge: bool,
) -> Row:  # fmt: skip
    draft = proposal.drafts[number]
    dataset, task = settled(draft, answers, tasks)
    asked = {question.name: question for question in questions(draft, answers, tasks)}
    row = Row(
        number, draft, wanted, answers, dataset, task, tasks(dataset) if dataset else None, chosen(draft, answers),
        asked, not_said(proposal, draft, answers),
    )  # fmt: skip
    if not wanted or asked or not judge:
        return row
    sheet = fill(view, entry_fields(view, proposal, row, keep=keep), NEW_PULL)
    return Row(
        number, draft, wanted, answers, dataset, task, row.tasks, row.measure, asked, row.unknown, sheet,
        importing.doubt(row.measure, sheet.prospect),
    )  # fmt: skip


def usual_notes(proposal: Proposal, row: Row) -> str:
    """The notes that are made unless others are typed."""
    return made_notes(proposal, row.draft, row.measure) if row.measure else ""
