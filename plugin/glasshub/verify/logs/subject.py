"""Checks R1 and R2: a log is of the task of the result that it is attached to, and gives the result's number."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal, InvalidOperation

from glasshub.verify.logs.log import Header
from glasshub.verify.logs.report import Check, Outcome, Trouble
from glasshub.verify.logs.task import parse_task_name

_OF = "The log is of the dataset, commit and task of the result"
_GIVES = "The samples give the number of the result"
_PLACES = 3  # digits of a fraction that must agree at least: else 1 would pass for 0.996, and 0.3 for 0.2593


def revision_of(header: Header) -> str:
    """The commit of the data that a log names itself (``""``: none)."""
    said = (header.eval.metadata or {}).get("hub_dataset_sha")
    return parse_task_name(header.eval.task)[2] or (said if isinstance(said, str) else "")


def of_result(header: Header, names: Collection[str], task: str, tasks: int, commit: str) -> Check:
    """R1.

    Args:
        header: the log's.
        names: the dataset's names, lower-cased, former ones included.
        task: the result's task, and ``tasks`` how many the benchmark has.
        commit: the commit of the dataset that the log is compared with.
    """
    repo, named, _ = parse_task_name(header.eval.task)
    revision = revision_of(header).lower()
    said = {text.lower() for text in (repo, header.eval.dataset.location or "") if text}
    trouble = Trouble()
    if others := sorted(said - set(names)):
        trouble.add(f"it is of {others[0][:100]}")
    if named and named != task:
        trouble.add(f"it is of the task {named[:100]}")
    if revision and not commit.startswith(revision):
        trouble.add(f"it was made with commit {revision[:40]} of the data, not with {commit[:7]}")
    if not trouble.count and (not said or (not named and tasks > 1)):
        return Check("R1", _OF, Outcome.UNKNOWN, "The log does not name its dataset and task.")
    return trouble.check("R1", _OF, f"{header.eval.task[:200]}.")


def gives(value: float | None, written: str, unit: str) -> Check:
    """R2: equal to the digits that the result is written with.

    Args:
        value: what the samples give.
        written: the result's value as written.
        unit: of its metric; a result in ``%`` is a hundred times the log's.
    """
    if value is None:
        return Check("R2", _GIVES, Outcome.UNKNOWN, "No number could be computed from the samples.")
    if same_number(value, written, unit):
        return Check("R2", _GIVES, Outcome.PASSED, f"{value!r}, written as {written[:40]}.")
    return Check("R2", _GIVES, Outcome.FAILED, f"The samples give {value!r}, the result says {written[:40]}.")


def same_number(value: float, written: str, unit: str) -> bool:
    """Whether a result's value, as written, is the log's ``value`` rounded to the digits that are written."""
    try:
        said = Decimal(written)
    except InvalidOperation:
        return False
    exponent = said.as_tuple().exponent
    if not said.is_finite() or not isinstance(exponent, int):
        return False
    percent = unit == "%"
    exact = Decimal(repr(value)) * (100 if percent else 1)
    places = max(-exponent, _PLACES - (2 if percent else 0))
    return abs(said - exact) <= Decimal("0.500001").scaleb(-min(places, 12))
