"""The public list of runs and the keys of runners, kept in a dataset repo of the hub's own, ``hub/verification``.

The registry is written first (with the details that name private repos), then the repo. :func:`publish` brings the
second up to date with the first; it may be called at any time and by several at once.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from dulwich.repo import Repo as GitRepo
from sqlalchemy import Connection

from glasshub import access, clock, receive, repos
from glasshub.access import Action
from glasshub.desk import MAIN, Desk, Move
from glasshub.errors import Conflict, EntryNotFound, Forbidden, Invalid, NotFound, RepoNotFound, Unauthenticated
from glasshub.git import read
from glasshub.git.build import Operation, Put, build_commit
from glasshub.git.read import open_repo
from glasshub.git.ref_store import ZERO
from glasshub.git.refs import RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Account, Actor, Repo, RepoType, Role
from glasshub.names import HUB, RECORD
from glasshub.registry import people
from glasshub.registry import runners as rows
from glasshub.registry.runners import NEVER, RunRow
from glasshub.verify import record
from glasshub.verify.keys import RunnerKey, to_jwks
from glasshub.verify.record import Kind, Line

MAX_REASON = 500
ITSELF = Actor(name=HUB, roles=MappingProxyType({HUB: Role.ADMIN}), scope="write")
_README = """# Runs and keys

Kept by this hub, and by nobody else: the keys of its runners (`keys.json`, a JSON Web Key Set), and one line for every
run that was issued, failed, cancelled or revoked (`runs/`, one file per month). Each line carries the SHA-256 of the
line before. A line about a private repo holds no name, only the digest of what it says.
"""


@dataclass(frozen=True, slots=True)
class Act:
    """What happened to a run, to be put on record.

    Attributes:
        kind: what happened.
        run: the run's id, 32 hex digits.
        runner: whose run it is.
        model: the model's repo.
        dataset: the benchmark's.
        details: what else there is to say, JSON values; a salt is added.
    """

    kind: Kind
    run: str
    runner: str
    model: Repo
    dataset: Repo
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """An act on record, as somebody may see it: ``details`` is ``None`` where it names what they may not read."""

    place: int
    at: str
    kind: str
    run: str
    runner: str
    details: Mapping[str, Any] | None


@dataclass(slots=True)
class _Pages:
    """The last lines of the record, and where they stand."""

    lines: list[Line] = field(default_factory=list)
    data: dict[str, bytes] = field(default_factory=dict)

    @property
    def last(self) -> Line | None:
        return self.lines[-1] if self.lines else None


def repo(hub: Hub) -> Repo | None:
    """The repo with the record; ``None`` while there is none."""
    try:
        return repos.find(hub, "dataset", HUB, RECORD)
    except RepoNotFound:
        return None


def begin(hub: Hub) -> Repo:
    """The repo with the record, made if there is none."""
    found = repo(hub)
    if found is not None:
        return found
    with hub.registry.write() as db:
        if people.find(db, HUB) is None:
            people.add(db, Account(HUB, "org", "This hub", clock.now()))
    try:
        made = repos.create(hub, ITSELF, "dataset", HUB, RECORD)
    except Conflict:
        return repos.find(hub, "dataset", HUB, RECORD)  # another process made it a moment ago
    return repos.configure(hub, ITSELF, made, pulls_enabled=False)


def enter(hub: Hub, act: Act) -> None:
    """Put an act on record: in the registry, and in the public list.

    Raises:
        Busy: a lock could not be had in time. If the registry has it, the next :func:`publish` writes the line.
    """
    with hub.registry.write() as db:
        note(db, act)
    publish(hub)


def note(db: Connection, act: Act) -> None:
    """The first half of :func:`enter`, within the caller's transaction: what happens together is known together."""
    details = {**act.details, "salt": secrets.token_hex(16)}
    row = RunRow(
        secrets.token_hex(12), act.run, act.kind.value, act.runner, act.model.key, act.dataset.key, clock.now(), 0,
        {"details": details, "public": not (act.model.private or act.dataset.private)},
    )  # fmt: skip
    rows.add_run(db, row)


def publish(hub: Hub) -> None:
    """Write what the registry knows and the repo does not: keys, and acts without a line. Idempotent.

    Raises:
        Busy: the repo's lock or the registry could not be had in time.
    """
    if not _is_behind(hub):
        return
    written: dict[str, int] = {}

    def decision(desk: Desk) -> Move:
        # Read under the repo's lock: who comes later must not bring back the keys of a moment ago.
        keys, waiting = _wanted_now(hub)
        operations = _operations(desk.git, desk.main, keys, waiting, written)
        if not operations:
            return Move()
        signed = desk.signature()
        commit = build_commit(desk.incoming, desk.main or None, operations, message=_message(waiting), author=signed)
        return Move((RefUpdate(desk.main or ZERO, commit, MAIN),))

    receive.decide(hub, begin(hub), ITSELF, decision)
    with hub.registry.write() as db:
        for id, place in written.items():
            rows.set_place(db, id, place)


def _is_behind(hub: Hub) -> bool:
    """Whether the repo lacks something, as far as can be told without its lock: asked often."""
    keys, waiting = _wanted_now(hub)
    if waiting or not keys:
        return bool(waiting)
    return bool(_key_faults(hub)) or repo(hub) is None


def _wanted_now(hub: Hub) -> tuple[list[RunnerKey], list[RunRow]]:
    """The keys that are to be published, and the acts that have no line yet."""
    with hub.registry.read() as db:
        return [key for key in rows.keys(db) if key.not_before != NEVER], rows.unwritten(db)


def revoke(hub: Hub, actor: Actor, run: str, *, reason: str) -> None:
    """Take back what a run was issued for: its results lose the badge, and the list says why.

    Args:
        hub: the hub.
        actor: an admin of the hub.
        run: the run's id.
        reason: why; it becomes public.

    Raises:
        Forbidden, Unauthenticated: the actor is no admin of the hub, or the token may not; nobody is signed in.
        NotFound: no such run was issued.
        Invalid: no reason is given, or a too long one.
        Conflict: it is revoked already.
    """
    if actor.name is None:
        raise Unauthenticated("Sign in to revoke runs.")
    if not actor.is_hub_admin or actor.scope != "write" or actor.only_repos is not None:
        raise Forbidden("Only admins of the hub revoke runs.")
    said = reason.strip()
    if not said or len(said) > MAX_REASON:
        raise Invalid(f"Give a reason of 1 to {MAX_REASON} characters; it becomes public.")
    with hub.registry.write() as db:
        known = rows.run_acts(db, run)
        issued = next((act for act in known if act.kind == Kind.ISSUED), None)
        if issued is None:
            raise NotFound(f"No run {run[:40]!r} was issued.")
        if any(act.kind == Kind.REVOKED for act in known):
            raise Conflict("This run is revoked already.")
        about = issued.details["details"] if issued.details["public"] else {}
        names = {key: about[key] for key in ("model", "dataset", "task") if key in about}
        details = {**names, "reason": said, "by": actor.name or "", "salt": secrets.token_hex(16)}
        rows.add_run(db, replace(
            issued, id=secrets.token_hex(12), kind=Kind.REVOKED.value, at=clock.now(), place=0,
            details={"details": details, "public": True},
        ))  # fmt: skip
    publish(hub)


def acts(
    hub: Hub, actor: Actor, *, model: str = "", dataset: str = "", runner: str = "", skip: int = 0, limit: int = 100
) -> list[Known]:
    """The acts on record, newest first.

    Args:
        hub: the hub.
        actor: who asks: of what they may not read they are told only that something happened.
        model: only of this model (``ns/name``), and ``dataset`` of this benchmark: none if the actor may not read it.
        runner: only of this runner.
        skip: how many to pass over.
        limit: how many at most.

    Raises:
        RepoNotFound: there is no such model or dataset, or not for the actor.
    """
    wanted = {name: _key(hub, actor, type, id) for name, type, id in _wanted(model, dataset)}
    with hub.registry.read() as db:
        found = rows.every_run(db, runner=runner, skip=skip, limit=limit, **wanted)
    readable = {key: _may_read(hub, key, actor) for row in found for key in (row.model, row.dataset)}
    return [
        Known(
            row.place, row.at, row.kind, row.run, row.runner,
            row.details["details"] if readable[row.model] and readable[row.dataset] else None,
        )
        for row in found
    ]  # fmt: skip


def _wanted(model: str, dataset: str) -> Iterator[tuple[str, RepoType, str]]:
    if model:
        yield "model", "model", model
    if dataset:
        yield "dataset", "dataset", dataset


def _key(hub: Hub, actor: Actor, type: RepoType, repo_id: str) -> str:
    namespace, _, name = repo_id.partition("/")
    found = repos.find(hub, type, namespace, name)
    access.require(actor, Action.READ, found)
    return found.key


def lines(hub: Hub) -> list[Line]:
    """All lines of the record, oldest first.

    Raises:
        Invalid: a line is damaged.
    """
    found = repo(hub)
    if found is None:
        return []
    with open_repo(hub.git_dir(found)) as git:
        main = read.list_refs(git).get(MAIN, "")
        return [line for path in _paths(git, main) for line in record.parse(read.read_file(git, main, path))]


def faults(hub: Hub) -> list[str]:
    """Where chain, registry and keys disagree (nothing: all is well).

    Raises:
        Invalid: a line is damaged.
    """
    on_record = lines(hub)
    found = record.faults(on_record)
    by_place = {line.seq: line for line in on_record}
    with hub.registry.read() as db:
        known = rows.every_run(db)
    for row in known:
        line = by_place.pop(row.place, None) if row.place else None
        if row.place and (line is None or line.details_sha256 != record.digest_of(row.details["details"])):
            found.append(f"the registry has another act than line {row.place}")
    found += [f"line {place} is of an act that the registry does not know" for place in sorted(by_place)]
    found += _key_faults(hub)
    return [f"list of runs: {fault}" for fault in found]


def _key_faults(hub: Hub) -> list[str]:
    """Where the published keys are not those of the registry."""
    known = repo(hub)
    if known is None:
        return []
    keys, _ = _wanted_now(hub)
    with open_repo(hub.git_dir(known)) as git:
        published = _file(git, read.list_refs(git).get(MAIN, ""), record.KEYS_PATH)
    return [] if published == _published(keys) else [f"{record.KEYS_PATH} does not hold the keys that the registry has"]


def may_read(hub: Hub, row: RunRow, actor: Actor) -> bool:
    """Whether somebody may read the details of an act: who may read its model and its dataset, as they are now."""
    return all(_may_read(hub, key, actor) for key in (row.model, row.dataset))


def _may_read(hub: Hub, key: str, actor: Actor) -> bool:
    try:
        return access.may_read(actor, repos.by_key(hub, key))
    except RepoNotFound:
        return actor.is_hub_admin


def _operations(
    git: GitRepo, main: str, keys: Sequence[RunnerKey], waiting: Sequence[RunRow], written: dict[str, int]
) -> list[Operation]:
    pages = _last_pages(git, main)
    operations: list[Operation] = [] if main else [Put("README.md", _README.encode())]
    published = _published(keys)
    if published != _file(git, main, record.KEYS_PATH):
        operations.append(Put(record.KEYS_PATH, published))
    known = {(line.run, line.kind.value, line.details_sha256): line.seq for line in pages.lines}
    changed: dict[str, bytes] = {}
    for row in waiting:
        digest = record.digest_of(row.details["details"])
        place = known.get((row.run, row.kind, digest))
        if place is None:
            line = _next(pages.last, row, digest)
            pages.lines.append(line)
            path = record.path_of(line.time)
            changed[path] = changed.get(path, pages.data.get(path, b"")) + line.to_bytes() + b"\n"
            place = line.seq
        written[row.id] = place
    return operations + [Put(path, data) for path, data in changed.items()]


def _published(keys: Sequence[RunnerKey]) -> bytes:
    return json.dumps(to_jwks(keys), indent=2, sort_keys=True).encode() + b"\n"


def _next(last: Line | None, row: RunRow, digest: str) -> Line:
    details = row.details["details"]
    line = Line(
        last.seq + 1 if last else 1, clock.now(), last.digest if last else record.START, Kind(row.kind), row.run,
        row.runner, digest, str(details.get("token_sha256", "")),
    )  # fmt: skip
    if last is not None and line.time < last.time:  # a clock that was set back must not reorder the files
        line = replace(line, time=last.time)
    return replace(line, details=details) if row.details["public"] else line


def _last_pages(git: GitRepo, main: str) -> _Pages:
    """The last two files: an act that waits for its line may have been written just before a month ended."""
    pages = _Pages()
    for path in _paths(git, main)[-2:]:
        pages.data[path] = read.read_file(git, main, path)
        pages.lines += record.parse(pages.data[path])
    return pages


def _paths(git: GitRepo, main: str) -> list[str]:
    if not main:
        return []
    try:
        return sorted(entry.path for entry in read.list_tree(git, main, record.FOLDER))
    except EntryNotFound:
        return []


def _file(git: GitRepo, main: str, path: str) -> bytes:
    try:
        return read.read_file(git, main, path) if main else b""
    except EntryNotFound:
        return b""


def _message(waiting: Sequence[RunRow]) -> str:
    return f"Record {len(waiting)} act(s)" if waiting else "Publish the keys of runners"
