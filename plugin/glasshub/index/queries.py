"""What pages and API ask of the index. Every function filters by what the reader may see.

``db`` is a ``sqlite_utils.Database`` from :meth:`glasshub.index.db.Index.read`; ``see`` the reader's
:class:`glasshub.access.Visibility`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.identity import RepoType
from glasshub.index.rows import BenchmarkRow, LeaderboardRow, Page, ProblemRow, RepoRow, ResultRow

Sort = Literal["last_modified", "created_at", "name", "results"]


def repos(
    db: Database,
    see: Visibility,
    *,
    type: RepoType | None = None,
    search: str = "",
    filters: Sequence[str] = (),
    namespace: str = "",
    sort: Sort = "last_modified",
    limit: int = 50,
    cursor: str | None = None,
) -> Page[RepoRow]:
    """List repos; ``filters`` are tags that all must match; ``search`` is words in names, titles and cards."""
    raise NotImplementedError


def repo(db: Database, key: str) -> RepoRow | None:
    """One repo's row by key (the caller has checked access); ``None`` before its first sync."""
    raise NotImplementedError


def results_of_model(db: Database, see: Visibility, key: str) -> list[ResultRow]:
    """All results of one model: aligned ones first by benchmark and task, headline first within a task."""
    raise NotImplementedError


def problems(db: Database, key: str) -> list[ProblemRow]:
    """The problems of one repo's files by path, line, column."""
    raise NotImplementedError


def benchmark(db: Database, see: Visibility, key: str) -> BenchmarkRow | None:
    """The benchmark in dataset repo ``key`` with its tasks in file order, or ``None``."""
    raise NotImplementedError


def benchmarks(db: Database, see: Visibility, *, limit: int = 50, cursor: str | None = None) -> Page[BenchmarkRow]:
    """Registered benchmarks, those with most models first."""
    raise NotImplementedError


def leaderboard(
    db: Database,
    see: Visibility,
    dataset_key: str,
    task_id: str,
    *,
    include_derived: bool = False,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[LeaderboardRow]:
    """One task's leaderboard: headline results in rank order; models with a ``base_model`` only if asked for."""
    raise NotImplementedError


def reports(db: Database, see: Visibility, dataset_key: str, task_id: str, model_key: str) -> list[ResultRow]:
    """Every aligned result of one model for one task, headline first."""
    raise NotImplementedError


def newest_results(db: Database, see: Visibility, *, limit: int = 10) -> list[ResultRow]:
    """The aligned results with the newest commits, at most one per (model, task)."""
    raise NotImplementedError


def totals(db: Database, see: Visibility) -> dict[str, int]:
    """Counts of ``models``, ``datasets``, ``benchmarks`` and aligned ``results`` that the reader may see."""
    raise NotImplementedError
