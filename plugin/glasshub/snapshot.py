"""Reading one repo from git into the form that the index takes. What cannot be read becomes a problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dulwich.repo import Repo as GitRepo

from glasshub import attested
from glasshub.blobs.pointer import Pointer
from glasshub.cards import Card, parse_card
from glasshub.conversation import Discussion, hidden_results
from glasshub.conversation import discussions as fold
from glasshub.errors import EntryNotFound, GlasshubError, NotFound
from glasshub.evals import eval_yaml
from glasshub.evals.eval_yaml import ParsedBenchmark, parse_eval_yaml
from glasshub.evals.problems import Problem
from glasshub.git import reach, read
from glasshub.git.event_log import EVENTS
from glasshub.git.squashed import SQUASHED
from glasshub.index.snapshot import FileResult, Hidden, LoggedEvent, Observed, RepoSnapshot
from glasshub.model_files import Content, read_model_files
from glasshub.names import HUB, RECORD
from glasshub.proposals import read_proposal
from glasshub.provenance import bringers
from glasshub.record import read_log
from glasshub.result_files import DAMAGE, MAX_FILE_BYTES, ResultFiles, printable, problem_of, read_results
from glasshub.weights.facts import Header

MAIN = "refs/heads/main"
PULLS = "refs/pr/"
REVISIONS = ("refs/heads/", "refs/tags/", SQUASHED)
INDEXED_REFS = (*REVISIONS, PULLS, EVENTS)
CARD = "README.md"
MAX_CARD_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Known:
    """What the index has of a repo: so that only what is new is walked.

    Attributes:
        targets: of a dataset's branches and tags when it was indexed last.
        commits: that those led to.
        log: the chain of events.
        headers: what the headers of weight files say, by what they are known as.
    """

    targets: frozenset[str] = frozenset()
    commits: frozenset[str] = frozenset()
    log: tuple[LoggedEvent, ...] = ()
    headers: Mapping[str, Header] = field(default_factory=dict)


def list_refs(path: Path) -> dict[str, str]:
    """The refs that the index follows (branches, tags, pull requests, events): name -> target; none if it is gone."""
    try:
        with read.open_repo(path) as repo:
            refs = read.list_refs(repo)
    except GlasshubError:
        return {}
    return {printable(name): target for name, target in refs.items() if name.startswith(INDEXED_REFS)}


def _nowhere(pointer: Pointer) -> Iterator[bytes]:
    raise NotFound(f"the large file {pointer.sha256} is not at hand")


def take(key: str, observed: Observed, known: Known, content: Content = _nowhere) -> RepoSnapshot:
    """Read everything of one repo that the index keeps.

    Args:
        key: the repo's key.
        observed: where it is, and its registry facts and refs; the refs are those that are read.
        known: what the index has of it.
        content: gives the bytes of its large files.

    Raises:
        OSError: the disk failed; nothing can be said about the repo now.
    """
    empty = RepoSnapshot(key, observed, last_modified=observed.facts.created_at)
    try:
        with read.open_repo(observed.git_dir) as repo:
            return _read(repo, empty, known, content)
    except DAMAGE as error:
        return replace(empty, problems=(_damaged(error),))


def _read(repo: GitRepo, snap: RepoSnapshot, known: Known, content: Content) -> RepoSnapshot:
    refs, is_model = snap.observed.refs, snap.observed.facts.type == "model"
    snap = _with_events(repo, snap, known)
    if not is_model:
        snap = replace(snap, commits=_commits(repo, snap, known))
    if MAIN in refs:
        head = read.commit(repo, refs[MAIN])
        card = _card(repo, head.id)
        problems = (*snap.problems, *card.problems)
        snap = replace(snap, head=head.id, last_modified=head.date, card=card, problems=problems)
        snap = _with_files(repo, snap, known, content) if is_model else _with_benchmark(repo, snap)
        snap = _with_record(repo, snap)
    return _with_content(repo, _with_results(repo, snap) if is_model else snap)


def _with_record(repo: GitRepo, snap: RepoSnapshot) -> RepoSnapshot:
    """What the hub's own record says, if this is it."""
    facts = snap.observed.facts
    if (facts.type, facts.namespace, facts.name) != ("dataset", HUB, RECORD):
        return snap
    try:
        return replace(snap, recorded=attested.read_record(repo, snap.head))
    except DAMAGE as error:
        return replace(snap, problems=(*snap.problems, _damaged(error)))


def _with_content(repo: GitRepo, snap: RepoSnapshot) -> RepoSnapshot:
    """The digest of what is on ``main``, where tokens may speak of it; and what each token finds in the history."""
    tokens = any(result.entry.verify_token for result in snap.results)
    if not snap.head or not (tokens or snap.benchmark):
        return snap
    pulls = {result.pull for result in snap.results}
    heads = {pull: snap.observed.refs.get(f"{PULLS}{pull}", "") for pull in pulls} | {0: snap.head}
    try:
        results = tuple(attested.with_commits(repo, snap.results, heads)) if tokens else snap.results
        return replace(snap, results=results, content=attested.content_of(repo, snap.head))
    except DAMAGE as error:
        return replace(snap, problems=(*snap.problems, _damaged(error)))


def _with_events(repo: GitRepo, snap: RepoSnapshot, known: Known) -> RepoSnapshot:
    try:
        log, logged = read_log(repo, snap.observed.refs.get(EVENTS, ""), known.log)
    except DAMAGE as error:
        return replace(snap, problems=(*snap.problems, _damaged(error)))
    events = [entry.event for entry in log if entry.event is not None]
    return replace(snap, log=log, logged=logged, discussions=tuple(fold(events).values()))


def _commits(repo: GitRepo, snap: RepoSnapshot, known: Known) -> frozenset[str]:
    starts = reach.tips(repo, [oid for ref, oid in snap.observed.refs.items() if ref.startswith(REVISIONS)])
    return reach.reachable(repo, starts, known_starts=reach.tips(repo, known.targets), known=known.commits)


def _card(repo: GitRepo, head: str) -> Card:
    try:
        return parse_card(read.read_file(repo, head, CARD, limit=MAX_CARD_BYTES), path=CARD)
    except EntryNotFound:
        return Card()
    except DAMAGE as error:
        return Card(problems=(problem_of(CARD, error),))


def _with_files(repo: GitRepo, snap: RepoSnapshot, known: Known, content: Content) -> RepoSnapshot:
    files, problems = read_model_files(repo, snap.head, known.headers, content)
    return replace(snap, files=files, problems=(*snap.problems, *problems))


def _with_benchmark(repo: GitRepo, snap: RepoSnapshot) -> RepoSnapshot:
    parsed = _benchmark(repo, snap)
    return replace(snap, benchmark=parsed.spec, problems=snap.problems + parsed.problems)


def _benchmark(repo: GitRepo, snap: RepoSnapshot) -> ParsedBenchmark:
    try:
        data = read.read_file(repo, snap.head, eval_yaml.PATH, limit=MAX_FILE_BYTES)
    except EntryNotFound:
        return ParsedBenchmark(None)
    except DAMAGE as error:
        return ParsedBenchmark(None, (problem_of(eval_yaml.PATH, error),))
    return parse_eval_yaml(data, repo_id=snap.observed.facts.repo_id)


def _with_results(repo: GitRepo, snap: RepoSnapshot) -> RepoSnapshot:
    """The results that are shown: those on ``main``, then those that open pull requests add, each claim once."""
    events = [logged.event for logged in snap.log if logged.event is not None]
    hides = hidden_results(events)
    found = read_results(repo, snap.head) if snap.head else ResultFiles()
    brought = bringers(events)
    seen: dict[str, FileResult] = {}
    problems = list(found.problems)
    for result in found.results:
        if result.id in seen:
            problems.append(_twice(result, seen[result.id]))
        else:
            by = brought.get(result.id)
            seen[result.id] = by.named(result) if by else result
    on_main = frozenset(seen)
    for discussion in snap.discussions:
        head = snap.observed.refs.get(f"{PULLS}{discussion.number}", "")
        if discussion.counts_results and head:
            for result in _proposed(repo, snap.head, head, discussion, on_main):
                seen.setdefault(result.id, result)
    results = tuple(result for result in seen.values() if result.id not in hides)
    hidden = tuple(
        Hidden(seen[id], hide.by, hide.date, hide.reason) for id, hide in sorted(hides.items()) if id in seen
    )
    return replace(snap, results=results, hidden=hidden, problems=(*snap.problems, *problems))


def _proposed(
    repo: GitRepo, main: str, head: str, discussion: Discussion, on_main: frozenset[str]
) -> Iterator[FileResult]:
    try:
        proposal = read_proposal(repo, main, head, on_main=on_main)
    except DAMAGE:  # its page says so; the rest of the model must not suffer
        return
    for result in proposal.added:
        yield replace(result, pull=discussion.number, submitter=discussion.author, git_author="")


def _twice(result: FileResult, first: FileResult) -> Problem:
    entry, place = result.entry, f"{first.entry.path}, line {first.entry.line}"
    return Problem(entry.path, entry.line, 1, f"The same result stands in {place}; it is counted once.", "warning")


def _damaged(error: Exception) -> Problem:
    reason = error.message if isinstance(error, GlasshubError) else type(error).__name__
    return Problem("", 0, 0, f"The repository cannot be read ({reason}). Ask an admin to run glasshub check.")
