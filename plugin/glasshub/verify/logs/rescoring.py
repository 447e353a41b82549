"""Check C1: answers are graded again, with the right answers of the data and the rules of Inspect's scorers.

For scorers that need no model and no other library (:mod:`glasshub.verify.logs.grading`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from glasshub.errors import Invalid
from glasshub.verify.logs import grading
from glasshub.verify.logs.arithmetic import to_number
from glasshub.verify.logs.content import item_of
from glasshub.verify.logs.log import Sample
from glasshub.verify.logs.report import Check, Outcome, Trouble
from glasshub.verify.rows import Row

_TITLE = "Grading the answers again gives the same scores"
_JUDGES = frozenset({"model_graded_qa", "model_graded_fact"})
_ASKING = ("generate", "self_critique", "multiple_choice")  # solvers after which the model has said something


class Rescoring:
    """Grades each sample again.

    Args:
        spec: the task's entry in ``eval.yaml``.
        rows: the rows of the split (``None``: unknown).
    """

    def __init__(self, spec: Mapping[str, Any], rows: Sequence[Row] | None) -> None:
        scorers = spec.get("scorers") or [{}]
        self._name = str(scorers[0].get("name", ""))
        self._args: Mapping[str, Any] = scorers[0].get("args") or {}
        self._fields: Mapping[str, Any] = spec.get("field_spec") or {}
        self._rows, self._trouble, self._seen = rows, Trouble(), 0
        asking = [solver for solver in spec.get("solvers") or () if solver.get("name") in _ASKING]
        last: Mapping[str, Any] = asking[-1] if asking else {}
        self._chose = last.get("name") == "multiple_choice"
        self._several = self._chose and bool((last.get("args") or {}).get("multiple_correct"))
        self._unknown = self._why_not(len(scorers))

    def see(self, sample: Sample) -> None:
        """Grade one sample again."""
        if self._unknown or not grading.can_grade(self._name):
            return
        score = (sample.scores or {}).get(self._name)
        number = int(sample.id) if str(sample.id).isdecimal() else 0
        if self._rows is None or not 1 <= number <= len(self._rows):
            return
        self._seen += 1
        if score is None:
            self._trouble.add(f"item {sample.id} of epoch {sample.epoch} has no score of {self._name}")
            return
        try:
            targets = _targets(sample, item_of(self._rows[number - 1], self._fields).target)
            asked = grading.Asked(sample.completion, targets, len(sample.choices or ()), self._several)
            right = grading.grade(self._name, asked, self._args)
            said = to_number(score.value)
        except (Invalid, TimeoutError) as error:
            self._unknown = str(error) or "A pattern took too long."
            return
        if not math.isclose(right, said, abs_tol=1e-9):
            self._trouble.add(f"item {sample.id} of epoch {sample.epoch} scores {right:g}, the log says {said:g}")

    def check(self) -> Check:
        """C1."""
        if self._name in _JUDGES:
            return Check("C1", _TITLE, Outcome.APART, "A model graded the answers; asking it again costs money.")
        if self._unknown:
            return Check("C1", _TITLE, Outcome.UNKNOWN, self._unknown)
        return self._trouble.check("C1", _TITLE, f"{self._seen:,} answers graded again by {self._name}.")

    def _why_not(self, scorers: int) -> str:
        if self._rows is None:
            return "The data could not be read."
        if scorers != 1:
            return "The task has several scorers."
        if not grading.can_grade(self._name) and self._name not in _JUDGES:
            return f"The scorer {self._name} is not graded again here."
        if self._name == "choice" and not self._chose:
            return "The choices were not made by the last thing that the model was asked."
        return ""


def _targets(sample: Sample, target: str) -> list[str]:
    """The right answers by the data; the log's own letter where it means the same choice in another place."""
    if sample.choices and isinstance(sample.target, str):
        return [sample.target]  # B1 compares what the letter means
    return [target]
