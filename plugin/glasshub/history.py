"""The evaluation history of a model, from git alone: every act that changed, hid or took back a result, newest first.

Two lines are told together: the chain of events, and the first parents of ``main`` for what came there without a
pull request; who brought that is told by events, where there are any. Work is bounded: what one page cannot look
through, the next one goes on with.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dulwich.repo import Repo as GitRepo

from glasshub.acts import Act, Change, Claim, acts_of, compare
from glasshub.conversation import discussions, hidden_results
from glasshub.errors import Invalid
from glasshub.evals.eval_results import FOLDER, parse_result_file
from glasshub.git import read
from glasshub.git.event_log import EVENTS
from glasshub.git.first_parents import FolderWalk, Leaps
from glasshub.git.read import TreeEntry, open_repo
from glasshub.git.ref_store import ZERO, read_ref
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.index import recorded
from glasshub.index.queries import cursor as cursors
from glasshub.index.snapshot import LoggedEvent
from glasshub.lineage import MainLine, Told
from glasshub.record import read_log
from glasshub.result_files import DAMAGE, MAX_FILE_BYTES, NO_NAME, list_result_files

MAIN = "refs/heads/main"
MOST_ACTS = 200
MOST_COMMITS = 5_000  # looked through for one page
MOST_BYTES = 1024**2  # of result files compared for one page, though always enough for one act
MOST_BYTES_OF_ACT = 4 * 1024**2
_COMMIT = re.compile(r"(?:[0-9a-f]{40})?")
_leaps = Leaps(20_000)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Acts, newest first, and what the events say of now.

    Attributes:
        acts: newest first.
        cursor: leads to older ones; where it does, a page may have few acts or none.
        hidden: the ids of the results that are hidden now.
        statuses: of all pull requests, by number.
    """

    acts: Sequence[Act] = ()
    cursor: str | None = None
    hidden: frozenset[str] = frozenset()
    statuses: Mapping[int, str] = field(default_factory=dict)

    def state(self, change: Change, shown: Collection[str]) -> str:
        """Where the result of a change is now: ``shown``, ``hidden``, in a ``closed`` or ``draft`` PR, or ``gone``.

        Args:
            change: from one of the acts.
            shown: the ids of the results that the model shows.
        """
        if change.claim.id in self.hidden:
            return "hidden"
        if change.claim.id in shown:
            return "shown"
        status = self.statuses.get(change.pull, "")
        return status if status in ("closed", "draft") else "gone"


def read_history(hub: Hub, repo: Repo, *, cursor: str | None = None, limit: int = 30) -> HistoryPage:
    """One page of the evaluation history of a model (empty for datasets, which have no results).

    Args:
        hub: the hub.
        repo: the repo; the caller has checked access.
        cursor: from the page before; what it leads to stays the same while new things happen.
        limit: how many acts, at most :data:`MOST_ACTS`.

    Raises:
        Invalid: the cursor was not made here.
        GlasshubError: the record is damaged.
    """
    if repo.type != "model":
        return HistoryPage()
    with open_repo(hub.git_dir(repo)) as git:
        log = _log(hub, repo, git)
        events = [entry.event for entry in log if entry.event is not None]
        start, place, date = _begin(git, len(log), cursor)
        line = MainLine.of(log)
        walk = FolderWalk(
            git.object_store, FOLDER, start, steps=MOST_COMMITS, skips=line.skips, jumps=line.jumps, leaps=_leaps,
            line=f"{repo.key} {len(line.jumps)}",
        )  # fmt: skip
        told = [act for act in acts_of(log) if act.place < place]
        page = _page(_Commits(git, walk, line, date), told, place, max(1, min(limit, MOST_ACTS)))
    statuses = {number: found.status for number, found in discussions(events).items() if found.is_pull}
    return replace(page, hidden=frozenset(hidden_results(events)), statuses=statuses)


class _Commits:
    """The acts on ``main`` that are no decisions about a pull request, newest first."""

    def __init__(self, git: GitRepo, walk: FolderWalk, line: MainLine, date: str) -> None:
        self._git, self._walk, self._line = git, walk, line
        self._waiting: tuple[str, str] | None = None
        self._read: dict[str, list[Claim]] = {}
        self.date = date  # of the act before: none is told as newer, whatever its clock said
        self.bytes = 0

    @property
    def position(self) -> str:
        """The commit to go on with (``""``: the line has ended)."""
        return self._waiting[0] if self._waiting else self._walk.position

    @property
    def bound(self) -> str:
        """A date that the next act is not told as newer than: its own, once it is found (``""``: there is none)."""
        if not self.position:
            return ""
        by = self._line.by.get(self.position)
        own = by.date if by else read.commit(self._git, self.position).date
        return min(own, self.date) if self.date else own

    def find(self) -> bool:
        """Look for the next act, as far as steps allow."""
        self._waiting = self._waiting or self._walk.next()
        return self._waiting is not None

    def take(self) -> Act | None:
        """The act that waits (``None``: no result changed)."""
        self.date = self.bound
        assert self._waiting is not None
        (here, parent), self._waiting = self._waiting, None
        commit, by = read.commit(self._git, here), self._line.by.get(here)
        act = Act("committed", "", commit.date, here, title=commit.title, git_author=commit.author_name or NO_NAME)
        if by is not None:
            act = replace(act, who=by.who, date=by.date, record=by.record, git_author="")
        try:
            before, after = self._changed(parent, here)
        except DAMAGE:
            return replace(act, unread=True)
        if sum(file.size for file in (*before, *after)) > MOST_BYTES_OF_ACT:
            return replace(act, unread=True)
        old, new = ([claim for file in files for claim in self._claims(file)] for files in (before, after))
        pulls, told = self._line.pulls, self._line.told.get(here, Told())
        left = (change for change in compare(old, new) if not told.covers(change))
        changes = tuple(replace(change, pull=pulls.get(change.claim.id, 0)) for change in left)
        return replace(act, changes=changes) if changes else None

    def _changed(self, parent: str, here: str) -> tuple[list[TreeEntry], list[TreeEntry]]:
        """The result files that differ, as they were and as they are."""
        before, after = (
            {file.path: file for file in list_result_files(self._git, commit)} if commit else {}
            for commit in (parent, here)
        )
        same = {path for path, file in after.items() if path in before and before[path].oid == file.oid}
        was, now = ([file for path, file in files.items() if path not in same] for files in (before, after))
        return was, now

    def _claims(self, file: TreeEntry) -> list[Claim]:
        known = self._read.get(file.oid)
        if known is None:
            self.bytes += file.size
            try:
                data = read.read_blob(self._git, file.oid, limit=MAX_FILE_BYTES)
            except DAMAGE:
                data = b""
            known = self._read[file.oid] = [Claim.of(entry) for entry in parse_result_file(data, file.path).entries]
        return [replace(claim, path=file.path) for claim in known]


def _page(commits: _Commits, told: list[Act], place: int, limit: int) -> HistoryPage:
    acts: list[Act] = []
    while len(acts) < limit:
        found = bool(told) and told[-1].date >= commits.bound  # often spares the walk
        found = found or commits.find()
        if told and told[-1].date >= commits.bound:
            acts.append(told.pop())
            place = acts[-1].place
        elif not found or commits.bytes > MOST_BYTES:
            break
        elif (act := commits.take()) is not None:
            acts.append(act)
    more = bool(told or commits.position)
    return HistoryPage(acts, cursors.encode("history", commits.position, place, commits.date) if more else None)


def _begin(git: GitRepo, events: int, cursor: str | None) -> tuple[str, int, str]:
    """The commit to begin with, the place in the chain before which to begin, and the last date told."""
    if cursor is None:
        tip = read_ref(git, MAIN)
        return "" if tip == ZERO else tip, events, ""
    start, place, date = cursors.decode(cursor, "history", str, int, str)
    if not _COMMIT.fullmatch(start) or not 0 <= place <= events:
        raise Invalid("The cursor is not one that this list gave out. Start again from the first page.")
    return start, place, date


def _log(hub: Hub, repo: Repo, git: GitRepo) -> tuple[LoggedEvent, ...]:
    tip = read_ref(git, EVENTS)
    if tip == ZERO:
        return ()
    return read_log(git, tip, recorded.log(hub.index.read(), repo.key))[0]
