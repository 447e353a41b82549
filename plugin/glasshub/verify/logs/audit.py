"""An audit of a log: does it add up, is it whole, and is it about this task of this data?

docs/verification.md lists the checks. It proves nothing about which model gave the answers, since a log can be made
up: so an audited log is never called verified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glasshub.errors import GlasshubError
from glasshub.verify.logs.content import Content
from glasshub.verify.logs.log import EvalLog
from glasshub.verify.logs.prompts import Prompts
from glasshub.verify.logs.report import Check, Outcome, Report
from glasshub.verify.logs.rescoring import Rescoring
from glasshub.verify.logs.soundness import Arithmetic, covered, finished, whole
from glasshub.verify.logs.task import as_asked
from glasshub.verify.rows import Row

_READABLE = "Every sample can be read"


def audit(log: EvalLog, spec: Mapping[str, Any], rows: Sequence[Row] | None, *, unknown: str = "") -> Report:
    """Check a log.

    Args:
        log: an open log; all its samples are read, one at a time.
        spec: the task's entry in ``eval.yaml`` at the commit that the log is to be about.
        rows: the rows of its split there, in order (``None``: they could not be read, for the reason ``unknown``).

    Returns:
        The checks, and the number that the samples give.
    """
    header = log.header
    arithmetic, rescoring = Arithmetic(log), Rescoring(spec, rows)
    prompts = Prompts(header, spec, rows)
    fields = spec.get("field_spec") or {}
    content = Content(rows, fields, shuffled=bool(spec.get("shuffle_choices")), unknown=unknown)
    try:
        for sample in log.samples():
            arithmetic.see(sample)
            content.see(sample)
            prompts.see(sample)
            rescoring.see(sample)
    except GlasshubError as error:
        return Report((finished(header), whole(log), Check("A2", _READABLE, Outcome.FAILED, error.message)))
    checks = (
        finished(header), whole(log), covered(header, None if rows is None else len(rows)), arithmetic.check(),
        content.check(), prompts.check(), as_asked(header, spec), rescoring.check(),
    )  # fmt: skip
    return Report(checks, arithmetic.value, arithmetic.stderr)
