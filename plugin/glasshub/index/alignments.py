"""Aligning results with the benchmarks that the index knows: who they name, and whether they count."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlite_utils import Database

from glasshub.evals.alignment import Alignment, BenchmarkFacts, align
from glasshub.evals.eval_yaml import Metric

_REVISION = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a result says of its dataset."""

    dataset_lower: str
    task_id: str
    value: float
    revision: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which dataset a result means (``""``: none here), whether it counts, and how its task is measured."""

    dataset_key: str
    state: str
    metric: Metric


class Aligner:
    """Decides results against the datasets of these names, as the index has them now.

    Args:
        db: a connection inside the transaction that writes the verdicts.
        names: lower-cased dataset ids.
    """

    def __init__(self, db: Database, names: Collection[str]) -> None:
        self._db = db
        self._keys = _keys(db, names)
        self._facts = _facts(db, set(self._keys.values()))
        self._revisions: dict[tuple[str, str], bool] = {}

    def decide(self, claim: Claim) -> Verdict:
        """The verdict on one result."""
        key = self._keys.get(claim.dataset_lower, "")
        facts = self._facts[key] if key else None
        known = self._revision_known(key, claim.revision)
        state = align(claim.task_id, claim.value, facts=facts, revision_known=known)
        return Verdict(key, state.value, facts.tasks.get(claim.task_id, Metric()) if facts else Metric())

    def _revision_known(self, key: str, revision: str) -> bool:
        if not revision or not key:
            return not revision
        pair = (key, revision.lower())
        if pair not in self._revisions:
            self._revisions[pair] = _is_commit(self._db, *pair)
        return self._revisions[pair]


ALIGNED = Alignment.ALIGNED.value


def metric_of(row: dict[str, Any]) -> Metric:
    """The metric in a row that has the metric columns of ``tasks``, all null when there is no task."""
    return metric(row["metric_name"], row["higher_is_better"], row["unit"], row["minimum"], row["maximum"])


@lru_cache(maxsize=4096)
def metric(
    name: str | None, higher_is_better: int | None, unit: str | None, minimum: float | None, maximum: float | None
) -> Metric:
    """The metric in the metric columns of ``tasks``, all null when there is no task."""
    if name is None or unit is None:
        return Metric()
    return Metric(name, bool(higher_is_better), unit, minimum, maximum)


def _keys(db: Database, names: Collection[str]) -> dict[str, str]:
    rows = db.execute(
        "SELECT lower, key FROM names WHERE type = 'dataset' AND lower IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(names))],
    )
    return dict(rows.fetchall())


def _facts(db: Database, keys: Iterable[str]) -> dict[str, BenchmarkFacts]:
    wanted = json.dumps(sorted(keys))
    tasks: dict[str, dict[str, Metric]] = {}
    for row in db.query("SELECT * FROM tasks WHERE key IN (SELECT value FROM json_each(?))", [wanted]):
        tasks.setdefault(row["key"], {})[row["task_id"]] = metric_of(row)
    states = db.execute(
        "SELECT j.value, b.state FROM json_each(?) j LEFT JOIN benchmarks b ON b.key = j.value", [wanted]
    )
    return {
        key: BenchmarkFacts(is_benchmark=state is not None, registered=state == "registered", tasks=tasks.get(key, {}))
        for key, state in states
    }


def _is_commit(db: Database, key: str, revision: str) -> bool:
    """Whether ``revision`` is a commit of the dataset, or the unique beginning (7 digits at least) of one."""
    if not _REVISION.fullmatch(revision):
        return False
    found = db.execute(
        "SELECT id FROM commits WHERE key = ? AND id >= ? AND id < ? LIMIT 2", [key, revision, revision + "g"]
    )
    return len(found.fetchall()) == 1
