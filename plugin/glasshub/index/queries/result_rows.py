"""Results as one reader may see them: the columns to select and the value they become."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from glasshub.evals.alignment import Alignment, explain
from glasshub.evals.eval_yaml import Metric
from glasshub.index.alignments import ALIGNED, metric
from glasshub.index.rows import ResultRow

# What a result (r) says of itself, in the order of ResultRow's fields: hundreds of rows make a page.
_SAID = (
    "r.value, r.value_text, r.date, r.dataset_revision, r.source_url, r.source_name, r.source_user, r.source_org, "
    "r.notes, r.verify_token, r.extra, r.unknown, r.origin, r.pull, r.commit_id, r.submitter, r.id, r.via_pull, "
    "r.merged_by, r.git_author, r.badge, r.badge_reason, r.runner"
)
_PLACE = "r.model_key, m.namespace || '/' || m.name, r.path, r.position, r.line"
# A result with its model (m) and, if the reader may see the dataset that it names, repo (d), benchmark (b) and
# task (t). A dataset that the reader may not see is one that does not exist.
TASK_COLUMNS = "coalesce(b.name, ''), t.metric_name, t.higher_is_better, t.unit, t.minimum, t.maximum"
COLUMNS = (
    f"{_PLACE}, coalesce(d.namespace || '/' || d.name, r.dataset_id), coalesce(d.key, ''), r.task_id, {_SAID}, "
    f"CASE WHEN r.dataset_key != '' AND d.key IS NULL THEN 'no_dataset' ELSE r.state END, {TASK_COLUMNS}"
)
# An aligned result without what all results on one board share.
ON_BOARD = f"{_PLACE}, {_SAID}"
WIDTH = 38
decode = json.JSONDecoder().raw_decode  # without a look for white space: the index writes none


@dataclass(frozen=True, slots=True)
class Board:
    """What all results on one leaderboard share."""

    dataset_id: str
    dataset_key: str
    task_id: str
    benchmark_name: str
    metric: Metric


def joins(dataset_visible: str) -> str:
    """The joins that :data:`COLUMNS` needs after ``results r``; ``dataset_visible`` is SQL over ``d``."""
    return (
        f"JOIN repos m ON m.key = r.model_key LEFT JOIN repos d ON d.key = r.dataset_key AND {dataset_visible} "
        "LEFT JOIN benchmarks b ON b.key = d.key LEFT JOIN tasks t ON t.key = d.key AND t.task_id = r.task_id"
    )


def result_row(row: Sequence[Any], *, headline: bool, rank: int = 0, of: int = 0) -> ResultRow:
    """The result in a row that begins with :data:`COLUMNS`."""
    extra, unknown, state, task_metric = row[18], row[19], row[31], metric(*row[33:WIDTH])
    counts = headline and state == ALIGNED
    fields: list[Any] = [
        *row[:18],
        decode(extra)[0] if extra else {},
        decode(unknown)[0] if unknown else {},
        *row[20:32],
        "" if state == ALIGNED else _reason(row, task_metric),
        counts,
        row[32],
        task_metric,
        rank if counts else 0,
        of if counts else 0,
    ]
    return ResultRow(*fields)


def on_board(row: Sequence[Any], board: Board, *, rank: int, of: int) -> ResultRow:
    """The headline result in a row that begins with :data:`ON_BOARD`."""
    extra, unknown = row[15], row[16]
    fields = (
        *row[:5],
        board.dataset_id,
        board.dataset_key,
        board.task_id,
        *row[5:15],
        decode(extra)[0] if extra else {},
        decode(unknown)[0] if unknown else {},
        *row[17:28],
        ALIGNED,
        "",
        True,
        board.benchmark_name,
        board.metric,
        rank,
        of,
    )
    return ResultRow(*fields)


def _reason(row: Sequence[Any], task_metric: Metric) -> str:
    _, _, _, _, _, dataset_id, _, task_id, _, value_text, _, revision = row[:12]
    return explain(
        Alignment(row[31]),
        dataset_id=dataset_id,
        task_id=task_id,
        value_text=value_text,
        metric=task_metric,
        revision=revision,
    )
