"""Leaderboards: the headline result of every model and task, and the counts per audience, kept as results change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from glasshub.evals.ranking import Candidate, Tier, headline
from glasshub.index import schema
from glasshub.index.replace import Row, replace

WHOLE = ""  # the task id under which a benchmark's own counts are kept


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model as leaderboards need it."""

    key: str
    lower: str
    scope: str
    derived: int


@dataclass(frozen=True, slots=True)
class Report:
    """One aligned result. ``instant`` is its date in UTC."""

    dataset_key: str
    task_id: str
    value: float
    instant: str
    notes: str
    pull: int
    path: str
    position: int
    higher_is_better: bool
    tier: Tier


def headlines(entrant: Entrant, reports: Iterable[Report]) -> list[Row]:
    """The rows of one model: per task the headline result, the number of reports and their extremes."""
    groups: defaultdict[tuple[str, str], list[Report]] = defaultdict(list)
    for report in reports:
        groups[report.dataset_key, report.task_id].append(report)
    return [_headline(entrant, group) for group in groups.values()]


def replace_of_model(db: Database, model_key: str, rows: Sequence[Row]) -> bool:
    """Make ``rows`` all headline rows of one model; whether any changed."""
    return _replace(db, "model_key = ?", model_key, rows)


def replace_of_dataset(db: Database, dataset_key: str, rows: Sequence[Row]) -> bool:
    """Make ``rows`` all headline rows of one benchmark; whether any changed."""
    return _replace(db, "dataset_key = ?", dataset_key, rows)


def _headline(entrant: Entrant, reports: Sequence[Report]) -> Row:
    best = reports[headline([_candidate(report) for report in reports])] if len(reports) > 1 else reports[0]
    order = -best.value if best.higher_is_better else best.value
    values = [report.value for report in reports]
    return (
        best.dataset_key, best.task_id, entrant.key, order + 0.0, entrant.lower, entrant.scope, entrant.derived,
        best.pull, best.path, best.position, len(reports), min(values), max(values),
    )  # fmt: skip


def _candidate(report: Report) -> Candidate:
    return Candidate(report.tier, report.notes, report.instant, report.path, report.position, report.pull)


def _replace(db: Database, where: str, key: str, rows: Sequence[Row]) -> bool:
    change = replace(db, schema.HEADLINES, rows, where, [key])
    if change.changed:
        counts: Counter[Row] = Counter()
        _count(counts, change.before.values(), -1)
        _count(counts, change.after.values(), 1)
        _add_counts(db, counts)
    return change.changed


def _count(counts: Counter[Row], rows: Iterable[Row], sign: int) -> None:
    """Add rows to counts keyed by (dataset, task, scope, what); a benchmark counts each of its models once."""
    once: set[Row] = set()
    for dataset_key, task_id, model_key, _, _, scope, derived, _, _, _, reports, _, _ in rows:
        kind = "derived" if derived else "models"
        counts[dataset_key, task_id, scope, kind] += sign
        counts[dataset_key, task_id, scope, "results"] += sign * reports
        counts[dataset_key, WHOLE, scope, "results"] += sign * reports
        if (dataset_key, model_key) not in once:
            once.add((dataset_key, model_key))
            counts[dataset_key, WHOLE, scope, kind] += sign


def _add_counts(db: Database, counts: Counter[Row]) -> None:
    boards = {key[:3] for key, change in counts.items() if change}
    rows = [
        (*board, counts[*board, "models"], counts[*board, "derived"], counts[*board, "results"]) for board in boards
    ]
    db.conn.executemany(
        "INSERT INTO board_counts VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET models = models + excluded.models, "
        "derived = derived + excluded.derived, results = results + excluded.results",
        rows,
    )
    db.conn.executemany(
        "DELETE FROM board_counts WHERE dataset_key = ? AND task_id = ? AND scope = ? AND results = 0", list(boards)
    )
