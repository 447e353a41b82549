"""What a log measured, in the words of an attestation: runner and hub take it from the log in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from glasshub.errors import Invalid
from glasshub.verify.logs.log import Header
from glasshub.verify.logs.report import Report
from glasshub.verify.logs.soundness import headline_score
from glasshub.verify.logs.task import parse_task_name

MARK = "hub_run"  # the member of a log's metadata that names the run it was made for
Setting = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Measured:
    """The outcome of a run, and how it came about; members as in docs/verification.md."""

    dataset: str
    task: str
    revision: str
    mark: str
    value: float
    stderr: float | None
    n_items: int
    epochs: int
    metric: str
    scorer: str
    reducer: str
    version: str
    gen: Mapping[str, Setting]
    started_at: str
    finished_at: str


def mark_of(run: str) -> str:
    """How a log names its run. The word in front keeps Inspect from reading a number."""
    return f"run-{run}"


def measured(header: Header, report: Report) -> Measured:
    """What was measured.

    Args:
        header: of the log.
        report: its audit, which computed the number again.

    Raises:
        Invalid: the log does not say it all.
    """
    score = headline_score(header)
    if score is None or report.value is None or not score.metrics:
        raise Invalid("The log reports no score.")
    headline = header.results.headline if header.results else None
    named = headline.metric if headline and headline.metric in score.metrics else next(iter(score.metrics))
    dataset, task, revision = parse_task_name(header.eval.task)
    epochs = header.eval.config.get("epochs", 1)
    return Measured(
        dataset=dataset,
        task=task,
        revision=revision,
        mark=str((header.eval.metadata or {}).get(MARK, "")),
        value=report.value,
        stderr=report.stderr,
        n_items=len(header.eval.dataset.sample_ids or ()),
        epochs=epochs if isinstance(epochs, int) else 0,
        metric=str(named),
        scorer=score.scorer.rpartition("/")[2],
        reducer=score.reducer or "mean",
        version=header.eval.packages.get("inspect_ai", ""),
        gen=_settings({**header.eval.model_generate_config, **header.plan.config}),
        started_at=_instant(header.stats.started_at),
        finished_at=_instant(header.stats.completed_at),
    )


def _settings(said: Mapping[str, object]) -> dict[str, Setting]:
    """Plain settings; others are named by their text."""
    return {
        name: value if isinstance(value, str | int | float | bool) else str(value)
        for name, value in sorted(said.items())
        if value is not None
    }


def _instant(text: str) -> str:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError as error:
        raise Invalid("The log does not say when the run began and ended.") from error
