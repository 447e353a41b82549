"""Checks A1 to A4: a log is whole, and its number follows from its samples. Needs nothing but the log."""

from __future__ import annotations

import math
from collections.abc import Mapping

from glasshub.errors import Invalid
from glasshub.verify.logs import arithmetic
from glasshub.verify.logs.log import EvalLog, Header, LogMetric, LogScore, Sample
from glasshub.verify.logs.report import Check, Outcome, Trouble, named

TOLERANCE = 1e-9
_FINISHED = "The run ended well, and nobody edited the log"
_WHOLE = "Every item was run in every epoch, once, and scored"
_ALL = "The run covered the whole data, not a part of it"
_ADDS_UP = "The number of the run follows from its samples"


def finished(header: Header) -> Check:
    """A1: the run succeeded, and the log says of itself that it was not changed afterwards."""
    trouble = Trouble()
    if header.status != "success":
        trouble.add(f"its status is {header.status!r}")
    if header.error is not None:
        trouble.add("it holds an error")
    if header.invalidated:
        trouble.add("somebody marked it as invalid")
    if header.log_updates or header.config_updates:
        trouble.add("it was edited after the run")
    if header.results is not None and header.results.early_stopping:
        trouble.add("the run stopped early")
    return trouble.check("A1", _FINISHED)


def whole(log: EvalLog) -> Check:
    """A2: the samples in the container are exactly the items that the header names, in each epoch."""
    ids, epochs = log.header.eval.dataset.sample_ids, _epochs(log.header)
    if not log.places:
        return Check("A2", _WHOLE, Outcome.FAILED, "The log holds no samples: nothing in it can be checked.")
    if ids is None or epochs is None:
        return Check("A2", _WHOLE, Outcome.UNKNOWN, "The header does not say which items were run.")
    expected = {(str(id), epoch) for id in ids for epoch in range(1, epochs + 1)}
    trouble = Trouble()
    if len(expected) != len(ids) * epochs:
        trouble.add("the header names an item twice")
    if missing := sorted(expected - log.places.keys()):
        trouble.add(f"{len(missing):,} are missing: {named([f'{id} of epoch {epoch}' for id, epoch in missing])}")
    if beyond := sorted(log.places.keys() - expected):
        trouble.add(f"{len(beyond):,} are too many: {named([f'{id} of epoch {epoch}' for id, epoch in beyond])}")
    return trouble.check("A2", _WHOLE, f"{len(expected):,} samples: {len(ids):,} items in {epochs} epoch(s).")


def covered(header: Header, rows: int | None) -> Check:
    """A3: no limit was set, and the items are those of the data.

    Args:
        header: the log's.
        rows: how many the data has at the revision (``None``: unknown, so the log's own word is taken).
    """
    dataset, config, trouble = header.eval.dataset, header.eval.config, Trouble()
    for option in ("limit", "sample_id"):
        if config.get(option) not in (None, [], ""):
            trouble.add(f"it was run with {option} = {config[option]!r:.60}")
    ids = dataset.sample_ids or []
    if dataset.samples is not None and dataset.samples != len(ids):
        trouble.add(f"{len(ids):,} of {dataset.samples:,} items were run")
    if rows is not None and rows != len(ids):
        trouble.add(f"the data has {rows:,} rows, and {len(ids):,} items were run")
    if {str(id) for id in ids} != {str(number) for number in range(1, len(ids) + 1)}:
        trouble.add("the items are not numbered from 1 on, as the rows of the data are")
    fine = f"{len(ids):,} items."
    if rows is None and not trouble.count:
        return Check("A3", _ALL, Outcome.UNKNOWN, "How many rows the data has could not be read.")
    return trouble.check("A3", _ALL, fine)


class Arithmetic:
    """A2 (errors) and A4: looks at each sample, and computes the number of the run again.

    Args:
        log: the log; the score that its headline names (else the first) is looked at.
    """

    def __init__(self, log: EvalLog) -> None:
        self._log = log
        self._score = headline_score(log.header)
        self._values: dict[tuple[str, int], float] = {}
        self._unsound = Trouble()
        self.value: float | None = None
        self.stderr: float | None = None

    def see(self, sample: Sample) -> None:
        """Note one sample."""
        name = f"{sample.id} of epoch {sample.epoch}"
        if sample.error is not None:
            self._unsound.add(f"{name} ended in an error")
        if self._score is None:
            return
        score = (sample.scores or {}).get(self._score.name)
        if score is None:
            self._unsound.add(f"{name} has no score")
            return
        try:
            self._values[str(sample.id), sample.epoch] = arithmetic.to_number(score.value)
        except Invalid as error:
            self._unsound.add(f"{name}: {error.message}")

    def check(self) -> Check:
        """A4: the metrics in the header are those of the samples, to 1e-9."""
        if self._score is None or not self._values:
            return Check("A4", _ADDS_UP, Outcome.FAILED, "The log reports no score.")
        if self._unsound.count:
            return self._unsound.check("A4", _ADDS_UP)
        try:
            return self._compare(self._score)
        except Invalid as error:
            return Check("A4", _ADDS_UP, Outcome.UNKNOWN, error.message)

    def _compare(self, score: LogScore) -> Check:
        reducer = score.reducer or "mean"
        reduced = {id: arithmetic.reduce(values, reducer) for id, values in arithmetic.by_item(self._values).items()}
        trouble = Trouble()
        for metric in score.metrics.values():
            self._recompute(metric, list(reduced.values()), trouble)
        self._compare_items(score, reduced, trouble)
        said = f"{self.value!r}, from {len(reduced):,} items."
        return trouble.check("A4", _ADDS_UP, said)

    def _recompute(self, metric: LogMetric, items: list[float], trouble: Trouble) -> None:
        name = metric.name.rpartition("/")[2]
        found = arithmetic.metric(name, items)
        if not _same(found, metric.value):
            trouble.add(f"the header says {name} {metric.value!r}, and the samples give {found!r}")
        if name == "stderr":
            self.stderr = found
        elif self.value is None:
            self.value = found

    def _compare_items(self, score: LogScore, reduced: Mapping[str, float], trouble: Trouble) -> None:
        for reduction in self._log.reductions():
            if reduction.get("scorer") != score.name or (reduction.get("reducer") or None) != score.reducer:
                continue
            items = reduction.get("samples")
            for item in items if isinstance(items, list) else ():
                id = str(item.get("sample_id")) if isinstance(item, dict) else ""
                if id not in reduced or not _same(reduced[id], arithmetic.to_number(item.get("value"))):
                    trouble.add(f"the summary of item {id} is not what its samples give")


def headline_score(header: Header) -> LogScore | None:
    """The score that stands for the run: the one that its headline names, else the first."""
    scores = header.results.scores if header.results is not None else []
    headline = header.results.headline if header.results is not None else None
    if headline is not None:
        for score in scores:
            if (score.name, score.reducer) == (headline.score, headline.reducer):
                return score
    return scores[0] if scores else None


def _epochs(header: Header) -> int | None:
    epochs = header.eval.config.get("epochs", 1)
    return epochs if isinstance(epochs, int) and 1 <= epochs <= 100_000 else None


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
