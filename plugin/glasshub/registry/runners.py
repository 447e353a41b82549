"""Runners, their keys, and what is known of their runs, in the registry."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select

from glasshub.names import folded
from glasshub.registry.tables import runner_keys, runners, runs
from glasshub.verify.keys import RunnerKey

State = Literal["pending", "active", "retired"]
NEVER = "9999-12-31T00:00:00.000Z"  # the window of a key that awaits approval has not begun


@dataclass(frozen=True, slots=True)
class Runner:
    """Somebody who may sign what they measured; ``owner`` is the account that answers for it."""

    name: str
    owner: str
    state: State
    created_at: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One act in the list of runs: ``model`` and ``dataset`` are repo keys, ``place`` its line (0: none yet)."""

    id: str
    run: str
    kind: str
    runner: str
    model: str
    dataset: str
    at: str
    place: int
    details: Mapping[str, Any]


def add(db: Connection, runner: Runner) -> None:
    """Insert a runner; a taken name violates the primary key."""
    db.execute(
        runners.insert().values(
            lower=folded(runner.name), name=runner.name, owner=folded(runner.owner), state=runner.state,
            created_at=runner.created_at,
        )
    )  # fmt: skip


def find(db: Connection, name: str) -> Runner | None:
    """The runner of that name, without regard to case."""
    row = db.execute(select(runners).where(runners.c.lower == folded(name))).one_or_none()
    return None if row is None else _runner(row)


def listing(db: Connection) -> list[Runner]:
    """All runners by name."""
    return [_runner(row) for row in db.execute(select(runners).order_by(runners.c.lower))]


def set_state(db: Connection, name: str, state: State) -> None:
    """Let a runner sign, or no longer."""
    db.execute(runners.update().where(runners.c.lower == folded(name)).values(state=state))


def keys(db: Connection, runner: str | None = None) -> list[RunnerKey]:
    """The keys of all runners (or of one), oldest first; those that await approval have the window :data:`NEVER`."""
    wanted = select(runner_keys).order_by(runner_keys.c.not_before, runner_keys.c.kid)
    if runner is not None:
        wanted = wanted.where(runner_keys.c.runner == runner)
    return [
        RunnerKey(row.kid, row.runner, _decode(row.public), row.not_before, row.revoked_at, row.reason)
        for row in db.execute(wanted)
    ]


def add_key(db: Connection, key: RunnerKey) -> None:
    """Insert a key; one that is known violates the primary key."""
    db.execute(
        runner_keys.insert().values(
            kid=key.kid, runner=key.runner, public=_encode(key.public), not_before=key.not_before,
            revoked_at=key.revoked_at, reason=key.reason,
        )
    )  # fmt: skip


def begin_key(db: Connection, kid: str, at: str) -> None:
    """Begin a key's window."""
    db.execute(runner_keys.update().where(runner_keys.c.kid == kid).values(not_before=at))


def revoke_key(db: Connection, kid: str, at: str, reason: str) -> None:
    """End a key's window; it is never removed."""
    db.execute(runner_keys.update().where(runner_keys.c.kid == kid).values(revoked_at=at, reason=reason))


def add_run(db: Connection, row: RunRow) -> None:
    """Insert an act; the same one twice violates the primary key."""
    db.execute(
        runs.insert().values(
            id=row.id, run=row.run, kind=row.kind, runner=row.runner, model=row.model, dataset=row.dataset, at=row.at,
            place=row.place, details=json.dumps(row.details, sort_keys=True),
        )
    )  # fmt: skip


def run_acts(db: Connection, run: str) -> list[RunRow]:
    """What is known of one run, in order."""
    return _rows(db, select(runs).where(runs.c.run == run).order_by(runs.c.at, runs.c.id))


def unwritten(db: Connection) -> list[RunRow]:
    """Acts that stand in no line yet, oldest first."""
    return _rows(db, select(runs).where(runs.c.place == 0).order_by(runs.c.at, runs.c.id))


def every_run(
    db: Connection, *, model: str = "", dataset: str = "", runner: str = "", skip: int = 0, limit: int | None = None
) -> list[RunRow]:
    """All acts, newest first (of one model, dataset, runner)."""
    wanted = select(runs).order_by(runs.c.at.desc(), runs.c.place.desc(), runs.c.id).offset(skip).limit(limit)
    for column, value in ((runs.c.model, model), (runs.c.dataset, dataset), (runs.c.runner, runner)):
        wanted = wanted.where(column == value) if value else wanted
    return _rows(db, wanted)


def set_place(db: Connection, id: str, place: int) -> None:
    """An act stands in this line now."""
    db.execute(runs.update().where(runs.c.id == id).values(place=place))


def attempts(db: Connection, runner: str, model: str, dataset: str) -> int:
    """How many runs of a runner on this model and dataset have ended so far."""
    ended = (runs.c.runner == runner) & (runs.c.model == model) & (runs.c.dataset == dataset)
    return db.scalar(select(func.count(func.distinct(runs.c.run))).where(ended)) or 0


def _rows(db: Connection, wanted: Any) -> list[RunRow]:
    return [
        RunRow(
            row.id, row.run, row.kind, row.runner, row.model, row.dataset, row.at, row.place, json.loads(row.details)
        )
        for row in db.execute(wanted)
    ]


def _runner(row: Row[Any]) -> Runner:
    return Runner(row.name, row.owner, row.state, row.created_at)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text)
