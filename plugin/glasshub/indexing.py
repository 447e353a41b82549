"""Bringing the index up to date with what the refs *are now*: one code path for push, recovery and rebuild."""

from __future__ import annotations

import fcntl
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlite_utils import Database

from glasshub import large_files, observe, snapshot
from glasshub.access import Visibility
from glasshub.blobs.pointer import Pointer
from glasshub.errors import GlasshubError, NotFound
from glasshub.evals.problems import Problem
from glasshub.git.lock import repo_lock
from glasshub.git.recovery import JOURNAL, QUARANTINE, recover
from glasshub.hub import Hub
from glasshub.index import comparison, model_rows, queries, recorded, repo_rows, sync
from glasshub.index.db import Index
from glasshub.index.rows import ResultRow
from glasshub.index.snapshot import Observed, RepoSnapshot
from glasshub.registry import repos as registry
from glasshub.snapshot import REVISIONS, Known

OPTIMISTIC_TRIES = 3
SETTLE_SECONDS = 5.0
RECOVERY_SECONDS = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sync found, for the pusher's terminal: results on ``main`` (aligned or not, with rank), problems, tasks.

    ``tasks`` are those of a registered benchmark; ``awaiting`` tells that an admin has to approve it first.
    """

    results: tuple[ResultRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    tasks: tuple[str, ...] = ()
    changed: bool = False
    awaiting: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One row by which the index differs from a rebuilt one; ``kept`` tells that it is in the kept index only."""

    table: str
    row: dict[str, object] = field(default_factory=dict)
    kept: bool = True


def sync_repo(hub: Hub, key: str, *, force: bool = False, see: Visibility | None = None, look: bool = True) -> Outcome:
    """Bring everything about one repo up to date, in one transaction; idempotent; removes a repo that is gone.

    The registry row and the refs are looked at again inside the write transaction, so that two concurrent
    syncs end with the newest state.

    Args:
        hub: the hub.
        key: the repo's key.
        force: process it even if its refs were indexed already.
        see: whom the outcome is for; by default somebody who may see what is public, and this repo.
        look: whether to look at what there is then; otherwise the outcome only tells whether anything changed.

    Raises:
        Busy: the index could not be had in time.
        OSError, sqlite3.Error: the disk or the index failed. The next sync or start tries again.
    """
    changed = _sync(hub, hub.index, key, force=force)
    return _outcome(hub.index.read(), key, see, changed=changed) if look else Outcome(changed=changed)


def sync_namespace(hub: Hub, name: str) -> None:
    """Bring what is indexed of a user or organisation (kind, full name) up to date. Raises ``Busy``."""
    with hub.index.write() as db:
        _write_owner(hub, db, name)


def heal(hub: Hub) -> int:
    """Sync every repo whose registry row or refs differ from what is indexed; returns how many. Run at start-up.

    Ref updates that a dead process left half done are finished first, and what it had received is removed. A repo
    that cannot be read now is logged and left for the next time.
    """
    left = [path.parent for name in (JOURNAL, QUARANTINE) for path in hub.settings.repos_dir.glob(f"*/*/{name}")]
    for git_dir in dict.fromkeys(left):
        _recover(git_dir)
    return _heal(hub, hub.index)


def reindex(hub: Hub) -> int:
    """Rebuild the whole index beside the live one and swap its rows in one transaction; returns the repo count.

    Readers keep their connections and see either the old rows or the new; pushes go on meanwhile.
    """
    with _rebuilt(hub) as fresh:
        try:
            with hub.index.write() as db:
                # From here on no sync can finish, so the rebuilt index catches up with the last refs that moved.
                _heal(hub, fresh)
                comparison.attach(db, fresh.path)
                comparison.take_over(db)
        finally:
            comparison.detach(hub.index.read())
        return len(recorded.every(fresh.read()))


def compare(hub: Hub, *, limit: int = 100) -> list[Difference]:
    """The differences between the live index and one rebuilt from registry and git (empty when equal)."""
    live = Index(hub.index.path)  # a connection of its own keeps the state of this moment while pushes go on
    try:
        with _rebuilt(hub) as fresh:
            comparison.attach(live.read(), fresh.path)
            _meet(hub, fresh, live.read())
            with closing(comparison.differences(live.read())) as found:
                return [Difference(table, row, kept) for table, row, kept in islice(found, limit)]
    finally:
        live.close()


def _sync(hub: Hub, index: Index, key: str, *, force: bool = False) -> bool:
    for _ in range(OPTIMISTIC_TRIES):
        observed = observe.one(hub, key)
        before, known = _recorded(index.read(), key)
        if not force and _same(observed, before):
            return False
        snap = _take(hub, key, observed, known)
        with index.write() as db:
            if observe.one(hub, key) == observed:
                return _apply(db, key, snap)
    with index.write() as db:  # it changes faster than we read: let the others wait this once
        _, known = _recorded(db, key)
        return _apply(db, key, _take(hub, key, observe.one(hub, key), known))


def _recorded(db: Database, key: str) -> tuple[recorded.Recorded | None, Known]:
    with db.atomic():
        before = recorded.of(db, key)
        if before is None:
            return None, Known()
        revisions = frozenset(target for ref, target in before.refs.items() if ref.startswith(REVISIONS))
        headers = model_rows.known_headers(db, key)
        return before, Known(revisions, recorded.commits(db, key), recorded.log(db, key), headers)


def _same(observed: Observed | None, before: recorded.Recorded | None) -> bool:
    if observed is None or before is None:
        return observed is None and before is None
    return before.equals(observed)


def _take(hub: Hub, key: str, observed: Observed | None, known: Known) -> RepoSnapshot | None:
    def content(pointer: Pointer) -> Iterator[bytes]:
        with hub.registry.read() as db:
            repo = registry.by_key(db, key)
        if repo is None:
            raise NotFound("The repo has been deleted.")
        return large_files.stream(hub, repo, pointer)

    return None if observed is None else snapshot.take(key, observed, known, content)


def _apply(db: Database, key: str, snap: RepoSnapshot | None) -> bool:
    return sync.remove(db, key) if snap is None else sync.write(db, snap)


def _outcome(db: Database, key: str, see: Visibility | None, *, changed: bool) -> Outcome:
    repo = queries.repo(db, key)
    if repo is None:
        return Outcome(changed=changed)
    see = see or Visibility(namespaces=(repo.namespace.lower(),), only_repos=(key,))
    problems = tuple(Problem(p.path, p.line, p.column, p.message, p.severity) for p in queries.problems(db, key))
    benchmark = queries.benchmark(db, see, key) if repo.benchmark else None
    tasks = tuple(task.task_id for task in benchmark.tasks) if benchmark else ()
    awaiting = repo.benchmark == "awaiting"
    results = tuple(queries.results_of_model(db, see, key)) if repo.type == "model" else ()
    return Outcome(results, problems, () if awaiting else tasks, changed, awaiting)


def _heal(hub: Hub, index: Index) -> int:
    observed = observe.every(hub)
    before = recorded.every(index.read())
    stale = [key for key in before if key not in observed]
    stale += [key for key, now in observed.items() if not _same(now, before.get(key))]
    healed = 0
    for key in stale:
        try:
            _sync(hub, index, key)
            healed += 1
        except (GlasshubError, OSError):
            _log.exception("repo %s cannot be indexed now", key)
    _heal_owners(hub, index, observed)
    return healed


def _heal_owners(hub: Hub, index: Index, observed: dict[str, Observed]) -> None:
    known = recorded.owners(index.read())
    for owner in {repo.owner for repo in observed.values()}:
        if known.get(owner.name.lower()) != owner:
            with index.write() as db:
                _write_owner(hub, db, owner.name)


def _write_owner(hub: Hub, db: Database, name: str) -> None:
    owner = observe.owner(hub, name)
    if owner is not None and repo_rows.has_repos(db, name.lower()):
        repo_rows.write_owner(db, owner)


def _recover(git_dir: Path) -> None:
    try:
        with repo_lock(git_dir, timeout=RECOVERY_SECONDS):
            recover(git_dir)
    except (GlasshubError, OSError):
        _log.exception("what a dead process left in %s cannot be put right now", git_dir)


@contextmanager
def _rebuilt(hub: Hub) -> Iterator[Index]:
    """A fresh index of everything in a temporary file; one at a time per hub."""
    data = hub.settings.data
    with (data / "rebuild.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in data.glob(".rebuild-*"):  # by a process that died
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=data, prefix=".rebuild-") as folder:
            fresh = Index(Path(folder) / "index.sqlite", scratch=True)
            try:
                _heal(hub, fresh)
                yield fresh
            finally:
                fresh.close()


def _meet(hub: Hub, fresh: Index, live: Database) -> None:
    """Begin a read transaction on ``live`` at a moment at which both indexes speak of the same refs."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        with hub.index.write() as db:
            _heal(hub, fresh)
            if recorded.every(db) == recorded.every(fresh.read()) or time.monotonic() > deadline:
                live.begin()
                # A transaction sees the state of its first read.
                live.execute("SELECT (SELECT count(*) FROM main.indexed), (SELECT count(*) FROM fresh.indexed)")
                return
        time.sleep(0.1)  # a push has moved refs and waits to index them
