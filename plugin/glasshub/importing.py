"""Importing the file of an evaluation tool: its results, and the file itself, become a pull request to the model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from glasshub import access, edits, pulls, receive, repos, submissions
from glasshub.access import Action, Visibility
from glasshub.desk import Desk, Move
from glasshub.edits import Edit, Made
from glasshub.errors import Conflict, GlasshubError, Invalid, RepoNotFound
from glasshub.evals.entry_text import WrittenEntry, slug_of, write_entry
from glasshub.evals.eval_results import FOLDER, ResultEntry
from glasshub.evals.importers.answers import Tasks
from glasshub.evals.importers.proposal import MAX_KEPT, MOST_BENCHMARKS, Measure, Proposal
from glasshub.evals.result_id import result_id
from glasshub.git.build import Put
from glasshub.git.read import open_repo, resolve_revision
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.index import queries
from glasshub.index.queries import Prospect
from glasshub.results import all_results

MOST_ENTRIES = 200


def tasks_of(hub: Hub, see: Visibility) -> Tasks:
    """The tasks of benchmarks on the hub, as one reader may see them; renames are followed."""

    @cache
    def tasks(dataset_id: str) -> tuple[str, ...] | None:
        ns, _, name = dataset_id.partition("/")
        try:
            key = repos.find(hub, "dataset", ns, name).key
        except RepoNotFound:
            return None
        found = queries.benchmark(hub.index.read(), see, key)
        return tuple(task.task_id for task in found.tasks) if found else None

    return tasks


def benchmarks(hub: Hub, see: Visibility) -> list[str]:
    """The ids of benchmarks on the hub, those with most models first."""
    page = queries.benchmarks(hub.index.read(), see, limit=MOST_BENCHMARKS)
    return [row.dataset_id for row in page.items]


def withheld(hub: Hub, actor: Actor, proposal: Proposal, datasets: Iterable[str]) -> str:
    """Why the file itself is not to be put into the model's repo; ``""`` if it may be.

    Whoever may read the model could read it there, and with it what it holds of benchmarks that are not for everybody.
    """
    if proposal.size > MAX_KEPT:
        return f"The file has more than {MAX_KEPT // 1024**2} MB."
    for dataset_id in sorted(set(datasets)):
        ns, _, name = dataset_id.partition("/")
        try:
            found: Repo | None = repos.find(hub, "dataset", ns, name)
        except RepoNotFound:
            found = None
        if found is None or not access.may(actor, Action.READ, found):
            if proposal.holds_items:
                return f"The file holds questions of {dataset_id}, which is not on this hub: are they for everybody?"
        elif found.private or found.gated:
            return f"{found.repo_id} is {'private' if found.private else 'gated'}."
    return ""


def judge(
    hub: Hub, see: Visibility, repo: Repo, said: Iterable[Mapping[str, str]]
) -> list[tuple[WrittenEntry, Prospect | None]]:
    """Write entries and say what would become of each; the errors of an entry have those of its place among them."""
    found: list[tuple[WrittenEntry, Prospect | None]] = []
    for fields in said:
        written = write_entry(fields, f"{FOLDER}/{slug_of(fields['dataset'])}.yaml")
        if written.entry is None:
            found.append((written, None))
            continue
        (prospect,) = queries.prospects(hub.index.read(), see, repo.key, [written.entry])
        errors = {**submissions.refusals(written.entry, prospect), **written.errors}
        found.append((WrittenEntry(written.text, written.entry, errors), prospect))
    return found


def doubt(measure: Measure | None, prospect: Prospect | None) -> str:
    """What does not fit between the number and its benchmark, in a sentence; ``""`` if nothing is known."""
    if measure is None or prospect is None or not prospect.counts or measure.higher_is_better is None:
        return ""
    if measure.higher_is_better == prospect.metric.higher_is_better:
        return ""
    better = "higher" if measure.higher_is_better else "lower"
    return f"The file says that {better} is better for {measure.name}; the benchmark says the opposite."


def with_known_commit(hub: Hub, repo: Repo, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of an entry; a commit of the model that this repo does not have becomes a setting of another name."""
    found = dict(fields)
    revision = found.get("model_revision", "")
    if revision:
        try:
            with open_repo(hub.git_dir(repo)) as git:
                found["model_revision"] = resolve_revision(git, revision).commit
        except GlasshubError:
            del found["model_revision"]
            found["settings"] = f"reported_model_revision: {revision}\n{found.get('settings', '')}"
    return found


@dataclass
class Import:
    """What is to be imported.

    Attributes:
        proposal: what the file says.
        data: the file.
        said: the fields of each entry; none has errors.
        title: of the pull request.
        comment: its text.
        keep: whether the file becomes part of it.
        address: of the hub, for the link from each result to the kept file (``""``: no link).
    """

    proposal: Proposal
    data: bytes
    said: Sequence[Mapping[str, str]]
    title: str
    comment: str = ""
    keep: bool = True
    address: str = ""
    commit: str = field(default="", init=False)

    def open_pull(self, desk: Desk) -> Move:
        """The decision: a commit with the file, on it one with the results, and a pull request with both.

        Raises:
            Conflict: one of the results was imported from this file before.
            Invalid: an entry, the title or the comment is not valid, or the hub's rules refuse it.
            Forbidden, Unauthenticated, RepoNotFound: as the permission table says.
        """
        desk.require(Action.DISCUSS)
        if not desk.main:
            raise Invalid("This repo has no main branch yet; a pull request needs one to be merged into.")
        base, path = desk.main, self.proposal.kept_path
        if self.keep:
            base = edits.build_on(desk, base, Edit([Put(path, self.data)], f"Keep a file of {self.proposal.tool}"))
        written = [self._written(fields, desk, base, path) for fields in self.said]
        self._require_new(desk, written)
        self.commit = edits.build_on(desk, base, Edit(list(self._puts(desk, written)), self.title))
        return pulls.open_pull(desk, title=self.title, body=self.comment, head=self.commit)

    def _written(self, fields: Mapping[str, str], desk: Desk, base: str, path: str) -> WrittenEntry:
        if self.keep and self.address and not fields.get("source_url"):
            source = {
                "source_url": f"{self.address}/{desk.repo.repo_id}/resolve/{base}/{path}",
                "source_name": fields.get("source_name") or f"File of {self.proposal.tool}",
            }
            fields = {**fields, **source}
        written = write_entry(fields, f"{FOLDER}/import.yaml")
        if written.entry is None or written.errors:
            raise Invalid(next(iter(written.errors.values()), "The result cannot be written."))
        return written

    def _require_new(self, desk: Desk, written: Sequence[WrittenEntry]) -> None:
        wanted = {_origin(entry.entry) for entry in written if entry.entry}
        if len(wanted) < len(written):
            raise Conflict("The same number would be reported twice. Leave one of them out.")
        for found in all_results(desk):
            if _origin(found.entry) in wanted:
                where = f"in pull request {found.pull}" if found.pull else f"on main in {found.entry.path}"
                hidden = ", hidden by the author" if found.id in desk.record.hidden else ""
                raise Conflict(f"This result was imported from the same file before: it stands {where}{hidden}.")
        for entry in written:
            assert entry.entry is not None
            submissions.require_new(desk, result_id(entry.entry))

    def _puts(self, desk: Desk, written: Sequence[WrittenEntry]) -> Iterable[Put]:
        texts: defaultdict[str, str] = defaultdict(str)
        for entry in written:
            assert entry.entry is not None
            texts[slug_of(entry.entry.dataset_id, desk.name)] += entry.text
        for slug, text in texts.items():
            placed = submissions.place(desk.git, desk.main, slug, text)
            yield Put(placed.path, placed.data, placed.executable)


def _origin(entry: ResultEntry) -> tuple[str, ...]:
    """What two imports of the same number share, whatever else people changed about it."""
    said = (str(entry.extra.get(key, "")) for key in ("log_sha256", "metric", "reported_as"))
    return (*said, entry.dataset_id.lower(), entry.task_id)


def open_pull(hub: Hub, repo: Repo, actor: Actor, wanted: Import) -> Made:
    """Open the pull request, all rights and rules checked under the repo's lock.

    Raises:
        Conflict, Invalid, Forbidden, Unauthenticated, RepoNotFound: as :meth:`Import.open_pull`.
        Busy: the repo's lock could not be had in time.
    """
    if not wanted.said:
        raise Invalid("Nothing is chosen to be reported. Choose at least one result.")
    if len(wanted.said) > MOST_ENTRIES:
        raise Invalid(f"At most {MOST_ENTRIES} results are imported at once. Choose fewer.")
    move = receive.decide(hub, repo, actor, wanted.open_pull)
    return Made(wanted.commit, move.number)
