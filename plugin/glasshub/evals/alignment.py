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
    raise NotImplementedError


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
    raise NotImplementedError
