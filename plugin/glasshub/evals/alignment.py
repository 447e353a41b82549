"""Whether a result counts on a leaderboard, and if not, why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from glasshub.evals.eval_yaml import Metric


class Alignment(Enum):
    """The states of a result; only ``ALIGNED`` counts. Values are stored in the index and the API."""

    ALIGNED = "aligned"
    NO_DATASET = "no_dataset"
    NOT_BENCHMARK = "not_benchmark"
    AWAITING_APPROVAL = "awaiting_approval"
    NO_TASK = "no_task"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_REVISION = "unknown_revision"


@dataclass(frozen=True, slots=True)
class BenchmarkFacts:
    """What alignment needs to know of the dataset a result names (``None`` instead: no such repo).

    ``registered`` is false while an admin has not approved it; ``tasks`` maps task ids to metrics and is
    empty when the repo has no valid ``eval.yaml``.
    """

    is_benchmark: bool
    registered: bool
    tasks: Mapping[str, Metric]


def align(task_id: str, value: float, *, facts: BenchmarkFacts | None, revision_known: bool) -> Alignment:
    """Decide one result.

    Args:
        task_id: the task the result names.
        value: its value (finite).
        facts: what is known of the dataset, or ``None`` when the hub has no such repo.
        revision_known: whether ``dataset.revision`` is empty or a commit of that dataset.
    """
    if facts is None:
        return Alignment.NO_DATASET
    if not facts.is_benchmark:
        return Alignment.NOT_BENCHMARK
    if not facts.registered:
        return Alignment.AWAITING_APPROVAL
    metric = facts.tasks.get(task_id)
    if metric is None:
        return Alignment.NO_TASK
    if not revision_known:
        return Alignment.UNKNOWN_REVISION
    return Alignment.ALIGNED if in_range(value, metric) else Alignment.OUT_OF_RANGE


def in_range(value: float, metric: Metric) -> bool:
    """Whether a value lies in the metric's declared range (its ends included)."""
    above = metric.minimum is None or value >= metric.minimum
    return above and (metric.maximum is None or value <= metric.maximum)


def explain(
    state: Alignment,
    *,
    dataset_id: str,
    task_id: str,
    value_text: str = "",
    metric: Metric | None = None,
    revision: str = "",
) -> str:
    """One sentence for people: why the result does not count and what to do (``""`` when it counts)."""
    sentences = {
        Alignment.ALIGNED: "",
        Alignment.NO_DATASET: f"This hub has no dataset {dataset_id}; the result counts as soon as it is pushed.",
        Alignment.NOT_BENCHMARK: f"{dataset_id} is no benchmark yet: its main has no valid eval.yaml.",
        Alignment.AWAITING_APPROVAL: f"{dataset_id} awaits approval as a benchmark by an admin of this hub.",
        Alignment.NO_TASK: f"The eval.yaml of {dataset_id} has no task {task_id}; correct task_id.",
        Alignment.UNKNOWN_REVISION: f"{revision} is no commit of {dataset_id}; correct or remove dataset.revision.",
        Alignment.OUT_OF_RANGE: f"{value_text} lies outside the range {_range(metric)} that {dataset_id} declares.",
    }
    return sentences[state]


def _range(metric: Metric | None) -> str:
    low = "-∞" if metric is None or metric.minimum is None else f"{metric.minimum:g}"
    high = "∞" if metric is None or metric.maximum is None else f"{metric.maximum:g}"
    return f"{low} to {high}"
