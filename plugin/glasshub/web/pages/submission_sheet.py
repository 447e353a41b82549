"""What somebody has filled in about a score: the entry it makes, what is wrong with it, and what would become of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from glasshub import access, clock, submissions
from glasshub.access import Action
from glasshub.desk import MAIN, PULLS
from glasshub.errors import Forbidden, GlasshubError, Invalid
from glasshub.evals.entry_text import NUMBERS, TEXTS, WrittenEntry, slug_of, write_entry
from glasshub.evals.eval_results import ResultEntry, normalise_date
from glasshub.evals.ranking import Candidate, Tier, headline
from glasshub.evals.result_id import result_id
from glasshub.events import check_body, check_title
from glasshub.git.read import list_refs, open_repo, resolve_revision
from glasshub.index import queries
from glasshub.index.attester import tier
from glasshub.index.queries import Prospect
from glasshub.index.queries.discussions import DiscussionFilter
from glasshub.index.rows import HiddenRow, ResultRow
from glasshub.pulls import switched_off
from glasshub.submissions import NEW_PULL, ON_MAIN, Placed
from glasshub.web.context import actor, hub
from glasshub.web.pages.repo_view import RepoView, see

CONDITIONS = ("revision", "settings", *NUMBERS, *TEXTS)
FIELDS = ("dataset", "task", "value", "date", "source_url", "source_name", "notes", "title", "comment", *CONDITIONS)
MOST_PULLS = 20


@dataclass(frozen=True, slots=True)
class Way:
    """A way to submit: :data:`NEW_PULL`, :data:`ON_MAIN` or the number of a pull request, and what it is called."""

    to: int
    label: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A score as filled in.

    Attributes:
        said: the fields as they were typed.
        written: the entry that they make.
        errors: what is wrong, by field.
        to: how it is to be submitted.
        placed: the file it would go to, if it can be read.
        prospect: what would become of it, if it can be read.
        leads: whether it would stand for the model on the leaderboard.
        others: how many reports of this model for the task there are.
        twin: the same result where it stands already, shown or hidden.
    """

    said: Mapping[str, str]
    written: WrittenEntry
    errors: Mapping[str, str]
    to: int
    placed: Placed | None = None
    prospect: Prospect | None = None
    leads: bool = False
    others: int = 0
    twin: ResultRow | HiddenRow | None = None

    @property
    def title(self) -> str:
        """The title of the pull request and of the commit."""
        return self.said.get("title", "").strip() or default_title(self.said)


def default_title(said: Mapping[str, str]) -> str:
    """What a pull request is called unless its author says otherwise."""
    value, dataset, task = (" ".join(said.get(key, "").split())[:60] for key in ("value", "dataset", "task"))
    return f"Report {value} on {dataset}, {task}"


def ways(view: RepoView) -> list[Way]:
    """How the reader may submit a score, the usual way first; empty if they may not at all."""
    repo, who = view.repo, actor()
    found = []
    if repo.pulls_enabled and view.row.head:
        found.append(Way(NEW_PULL, "Open a pull request"))
    if view.row.head:
        mine = DiscussionFilter("pull_request", "open", who.name or "")
        for row in queries.discussions(hub().index.read(), repo.key, mine, limit=MOST_PULLS).items:
            found.append(Way(row.number, f"Add it to your pull request {row.number}: {row.title}"))
    if access.may(who, Action.WRITE, repo):
        found.append(Way(ON_MAIN, "Commit to main directly"))
    return found


def fill(view: RepoView, said: Mapping[str, str], to: int) -> Sheet:
    """Judge what was filled in, as the reader may see it.

    Raises:
        Invalid: ``to`` is no way that is open to the reader.
        Forbidden: it is a new pull request, and these are switched off.
    """
    if to not in {way.to for way in ways(view)}:
        if to == NEW_PULL and not view.repo.pulls_enabled:
            raise Forbidden(switched_off(view.repo))
        raise Invalid("This score cannot be submitted that way. Reload the form and choose another.")
    errors: dict[str, str] = {}
    resolved = {**said, "model_revision": _commit(view, said.get("model_revision", "").strip(), errors)}
    slug = slug_of(said.get("dataset", ""), "" if to == ON_MAIN else actor().name or "")
    written = write_entry(resolved, f".eval_results/{slug}.yaml")
    errors.update({name: text for name, text in written.errors.items() if name not in errors})
    _check_title(said, errors)
    sheet = Sheet(said, written, errors, to)
    return sheet if written.entry is None else _judge(view, sheet, written.entry, slug, errors)


def _judge(view: RepoView, sheet: Sheet, entry: ResultEntry, slug: str, errors: dict[str, str]) -> Sheet:
    db, key = hub().index.read(), view.repo.key
    (prospect,) = queries.prospects(db, see(), key, [entry])
    for name, reason in submissions.refusals(entry, prospect).items():
        errors.setdefault(name, reason)
    if prospect.counts:
        rows = queries.reports(db, see(), prospect.dataset_key, entry.task_id, key)
    else:
        rows = queries.results_of_model(db, see(), key)
    known: list[ResultRow | HiddenRow] = [*rows, *queries.hidden_results(db, key)]
    return replace(
        sheet,
        placed=_place(view, sheet, slug),
        prospect=prospect,
        leads=prospect.counts and _leads(entry, rows, sheet.to),
        others=len(rows) if prospect.counts else 0,
        twin=next((row for row in known if row.id == result_id(entry)), None),
    )


def _place(view: RepoView, sheet: Sheet, slug: str) -> Placed | None:
    ref = f"{PULLS}{sheet.to}" if sheet.to > 0 else MAIN
    try:
        with open_repo(hub().git_dir(view.repo)) as git:
            refs = list_refs(git)
            return submissions.place(git, refs.get(ref) or refs.get(MAIN, ""), slug, sheet.written.text)
    except GlasshubError:
        return None


def _leads(entry: ResultEntry, rivals: Sequence[ResultRow], to: int) -> bool:
    """Whether it would stand for the model among its other reports, as long as it is submitted that way."""
    tier = Tier.AUTHOR if to == ON_MAIN else Tier.COMMUNITY
    new = Candidate(tier, entry.notes, _instant(entry.date), entry.path, 0)
    return headline([*(_candidate(row) for row in rivals), new]) == len(rivals)


def _candidate(row: ResultRow) -> Candidate:
    return Candidate(tier(row.badge, row.pull), row.notes, _instant(row.date), row.path, row.position, row.pull)


def _instant(date: str) -> str:
    return normalise_date(date) if date else clock.now()


def _commit(view: RepoView, revision: str, errors: dict[str, str]) -> str:
    """The commit of the model that was typed, in full."""
    if not revision:
        return ""
    try:
        with open_repo(hub().git_dir(view.repo)) as git:
            return resolve_revision(git, revision).commit
    except GlasshubError:
        errors["model_revision"] = "This is no branch, tag or commit of the model."
        return revision


def _check_title(said: Mapping[str, str], errors: dict[str, str]) -> None:
    try:
        check_title(said.get("title", "").strip() or default_title(said))
        check_body(said.get("comment", ""))
    except Invalid as error:
        errors["title" if "title" in error.message else "comment"] = error.message
