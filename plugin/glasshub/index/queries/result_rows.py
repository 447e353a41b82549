"""Results as one reader may see them: the columns to select and the value they become."""

from __future__ import annotations

import json
from typing import Any

from glasshub.evals.alignment import Alignment, explain
from glasshub.evals.eval_yaml import Metric
from glasshub.index.alignments import ALIGNED, metric_of
from glasshub.index.rows import ResultRow

# A result (r), its model (m); of a dataset that the reader may see, the repo (d), benchmark (b) and task (t).
COLUMNS = (
    "r.*, m.namespace || '/' || m.name AS model_id, d.key AS seen_key, d.namespace || '/' || d.name AS seen_id, "
    "coalesce(b.name, '') AS benchmark_name, t.metric_name, t.higher_is_better, t.unit, t.minimum, t.maximum"
)


def joins(dataset_visible: str) -> str:
    """The joins that :data:`COLUMNS` needs after ``results r``; ``dataset_visible`` is SQL over ``d``."""
    return (
        f"JOIN repos m ON m.key = r.model_key LEFT JOIN repos d ON d.key = r.dataset_key AND {dataset_visible} "
        "LEFT JOIN benchmarks b ON b.key = d.key LEFT JOIN tasks t ON t.key = d.key AND t.task_id = r.task_id"
    )


def result_row(row: dict[str, Any], *, headline: bool, rank: int = 0, of: int = 0) -> ResultRow:
    """The result in a row; a dataset that the reader may not see is one that does not exist."""
    hidden = row["seen_key"] is None
    state = Alignment.NO_DATASET.value if hidden else row["state"]
    metric = Metric() if hidden else metric_of(row)
    dataset_id = row["dataset_id"] if hidden else row["seen_id"]
    counts = headline and state == ALIGNED
    return ResultRow(
        model_key=row["model_key"],
        model_id=row["model_id"],
        path=row["path"],
        position=row["position"],
        line=row["line"],
        dataset_id=dataset_id,
        dataset_key="" if hidden else row["seen_key"],
        task_id=row["task_id"],
        value=row["value"],
        value_text=row["value_text"],
        date=row["date"],
        dataset_revision=row["dataset_revision"],
        source_url=row["source_url"],
        source_name=row["source_name"],
        source_user=row["source_user"],
        source_org=row["source_org"],
        notes=row["notes"],
        verify_token=row["verify_token"],
        extra=json.loads(row["extra"] or "{}"),
        unknown=json.loads(row["unknown"] or "{}"),
        origin=row["origin"],
        pull=row["pull"],
        commit=row["commit_id"],
        submitter=row["submitter"],
        state=state,
        reason=_reason(row, state, dataset_id, metric),
        headline=counts,
        benchmark_name="" if hidden else row["benchmark_name"],
        metric=metric,
        rank=rank if counts else 0,
        of=of if counts else 0,
    )


def _reason(row: dict[str, Any], state: str, dataset_id: str, metric: Metric) -> str:
    return explain(
        Alignment(state),
        dataset_id=dataset_id,
        task_id=row["task_id"],
        value_text=row["value_text"],
        metric=metric,
        revision=row["dataset_revision"],
    )
