"""What would become of results that are not on the leaderboards (yet): whether they would count, and their rank."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.evals.alignment import Alignment, explain
from glasshub.evals.eval_results import ResultEntry
from glasshub.evals.eval_yaml import Metric
from glasshub.index.alignments import ALIGNED, Aligner, Claim, Verdict
from glasshub.index.queries.visible import condition, parameters


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would become of one result, as one reader may see it.

    ``state`` and ``reason`` are as in :class:`glasshub.index.rows.ResultRow`. ``rank`` of ``of`` is where its value
    would place the model among the others on the leaderboard (0 when it does not count); a model that builds on
    another one is placed on the leaderboard with such models included.
    """

    state: str
    reason: str
    dataset_id: str
    dataset_key: str = ""
    benchmark_name: str = ""
    metric: Metric = field(default_factory=Metric)
    rank: int = 0
    of: int = 0

    @property
    def counts(self) -> bool:
        """Whether it would count."""
        return self.state == ALIGNED


def prospects(
    db: Database, see: Visibility, model_key: str, entries: Sequence[ResultEntry], *, ranked: bool = True
) -> list[Prospect]:
    """What would become of each of ``entries`` as a result of the model, in their order.

    Finding a rank takes as long as there are models on the board; without (``ranked=False``) thousands are quick.
    """
    with db.atomic():
        aligner = Aligner(db, {entry.dataset_id.lower() for entry in entries})
        verdicts = [
            aligner.decide(Claim(entry.dataset_id.lower(), entry.task_id, entry.value, entry.dataset_revision))
            for entry in entries
        ]
        names = _names(db, see, {verdict.dataset_key for verdict in verdicts})
        derived = db.execute("SELECT derived FROM repos WHERE key = ?", [model_key]).fetchone() or (0,)
        me = parameters(see, me=model_key, derived=derived[0]) if ranked else None
        return [_prospect(db, see, me, entry, verdict, names) for entry, verdict in zip(entries, verdicts, strict=True)]


def _names(db: Database, see: Visibility, keys: set[str]) -> dict[str, tuple[str, str]]:
    """Id and benchmark name of those datasets that the reader may see."""
    rows = db.execute(
        "SELECT d.key, d.namespace || '/' || d.name, coalesce(b.name, '') FROM repos d "
        "LEFT JOIN benchmarks b ON b.key = d.key WHERE d.key IN (SELECT value FROM json_each(:keys)) "
        f"AND {condition(see, 'd.scope', 'd.key')}",
        parameters(see, keys=json.dumps(sorted(keys - {""}))),
    )
    return {key: (dataset_id, name) for key, dataset_id, name in rows}


def _prospect(
    db: Database,
    see: Visibility,
    me: dict[str, object] | None,
    entry: ResultEntry,
    verdict: Verdict,
    names: dict[str, tuple[str, str]],
) -> Prospect:
    if verdict.dataset_key not in names:  # a dataset that the reader may not see is one that does not exist
        reason = explain(Alignment.NO_DATASET, dataset_id=entry.dataset_id, task_id=entry.task_id)
        return Prospect(Alignment.NO_DATASET.value, reason, entry.dataset_id)
    dataset_id, name = names[verdict.dataset_key]
    metric, state = verdict.metric, Alignment(verdict.state)
    reason = explain(
        state,
        dataset_id=dataset_id,
        task_id=entry.task_id,
        value_text=entry.value_text,
        metric=metric,
        revision=entry.dataset_revision,
    )
    rank, of = _place(db, see, me, entry, verdict) if me is not None and state is Alignment.ALIGNED else (0, 0)
    return Prospect(state.value, reason, dataset_id, verdict.dataset_key, name, metric, rank, of)


def _place(
    db: Database, see: Visibility, me: dict[str, object], entry: ResultEntry, verdict: Verdict
) -> tuple[int, int]:
    order = -entry.value if verdict.metric.higher_is_better else entry.value
    better, others = db.execute(
        "SELECT count(*) FILTER (WHERE order_value < :order), count(*) FROM headlines "
        "WHERE dataset_key = :dataset AND task_id = :task AND model_key != :me AND derived <= :derived "
        f"AND {condition(see, 'scope', 'model_key')}",
        {**me, "dataset": verdict.dataset_key, "task": entry.task_id, "order": order},
    ).fetchone()
    return better + 1, others + 1
