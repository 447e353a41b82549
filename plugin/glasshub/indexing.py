"""Bringing the index up to date with what the refs *are now*: one code path for push, recovery and rebuild."""

from __future__ import annotations

from dataclasses import dataclass, field

from glasshub.evals.problems import Problem
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.index.rows import ResultRow


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a sync found, for the pusher's terminal: results on ``main`` (aligned or not, with rank), problems, tasks."""

    results: tuple[ResultRow, ...] = ()
    problems: tuple[Problem, ...] = ()
    tasks: tuple[str, ...] = ()
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """One row by which the index differs from a rebuilt one."""

    table: str
    row: dict[str, object] = field(default_factory=dict)
    kept: bool = True


def sync_repo(hub: Hub, key: str, *, force: bool = False) -> Outcome:
    """Bring everything about one repo up to date, in one transaction; idempotent; removes a repo that is gone.

    Reads the registry row and the refs inside the write transaction's view of the world, so that two
    concurrent syncs end with the newest state. ``force`` processes it even if its refs were indexed already.
    """
    raise NotImplementedError


def heal(hub: Hub) -> int:
    """Sync every repo whose registry row or refs differ from what is indexed; returns how many. Run at start-up."""
    raise NotImplementedError


def reindex(hub: Hub) -> int:
    """Rebuild the whole index beside the live one and swap its rows in one transaction; returns the repo count."""
    raise NotImplementedError


def compare(hub: Hub, *, limit: int = 100) -> list[Difference]:
    """The differences between the live index and one rebuilt from registry and git (empty when equal)."""
    raise NotImplementedError
