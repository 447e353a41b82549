"""Check B1: the questions and answers in a log are those of the data at a commit.

The rules by which a row becomes an item are those of Inspect (``inspect_ai/_eval/task/hf.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glasshub.errors import Invalid
from glasshub.verify.logs.log import Sample
from glasshub.verify.logs.report import Check, Outcome, Trouble
from glasshub.verify.rows import Row

_TITLE = "Questions, choices and right answers are those of the data at the commit"
_LITERAL = "literal:"


@dataclass(frozen=True, slots=True)
class Item:
    """What a row asks: the question, the right answer (a letter where there are choices), and the choices."""

    input: str
    target: str
    choices: tuple[str, ...] = ()


def item_of(row: Row, fields: Mapping[str, Any]) -> Item:
    """The item that a row makes under ``field_spec``.

    Raises:
        Invalid: the row lacks a column, or a letter cannot be made of its answer.
    """
    choices = _choices(row, fields.get("choices"))
    return Item(str(_column(row, fields.get("input", "input"))), _target(row, fields, choices), choices)


class Content:
    """Compares each sample with its row. Samples are numbered by row, from 1.

    Args:
        rows: the rows of the split (``None``: unknown), and why they are not known.
        fields: ``field_spec`` of the task.
        shuffled: whether the choices of each item may stand in any order.
    """

    def __init__(
        self, rows: Sequence[Row] | None, fields: Mapping[str, Any], *, shuffled: bool, unknown: str = ""
    ) -> None:
        self._rows, self._fields, self._shuffled, self._unknown = rows, fields, shuffled, unknown
        self._trouble, self._seen = Trouble(), 0

    def see(self, sample: Sample) -> None:
        """Compare one sample."""
        if self._rows is None or self._unknown:
            return
        self._seen += 1
        number = int(sample.id) if str(sample.id).isdecimal() else 0
        if not 1 <= number <= len(self._rows):
            self._trouble.add(f"the data has no row for item {sample.id}")
            return
        try:
            expected = item_of(self._rows[number - 1], self._fields)
        except Invalid as error:
            self._unknown = error.message
            return
        if reason := self._difference(sample, expected):
            self._trouble.add(f"item {sample.id}: {reason}")

    def check(self) -> Check:
        """B1."""
        if self._rows is None or self._unknown:
            return Check("B1", _TITLE, Outcome.UNKNOWN, self._unknown or "The data could not be read.")
        return self._trouble.check("B1", _TITLE, f"{self._seen:,} samples compared with {len(self._rows):,} rows.")

    def _difference(self, sample: Sample, expected: Item) -> str:
        if not isinstance(sample.input, str):
            return "its question is more than text, which cannot be compared here"
        if sample.input != expected.input:
            return "the question is another"
        choices = tuple(sample.choices or ())
        same = sorted(choices) == sorted(expected.choices) if self._shuffled else choices == expected.choices
        if not same:
            return "the choices are others"
        if self._meaning(sample.target, choices) != self._meaning(expected.target, expected.choices):
            return "the right answer is another"
        return ""

    def _meaning(self, target: str | list[str], choices: tuple[str, ...]) -> list[str]:
        """What a target says: the text of the choice for a letter where choices may be shuffled."""
        targets = [target] if isinstance(target, str) else list(target)
        if not (self._shuffled and choices):
            return targets
        return sorted(choices[_place(letter)] if _place(letter) < len(choices) else letter for letter in targets)


def _place(letter: str) -> int:
    return ord(letter) - ord("A") if len(letter) == 1 and "A" <= letter <= "Z" else 1_000


def _target(row: Row, fields: Mapping[str, Any], choices: tuple[str, ...]) -> str:
    name = str(fields.get("target", "target"))
    if name.startswith(_LITERAL):
        return name.removeprefix(_LITERAL)
    value = _column(row, name)
    if choices and isinstance(value, int):
        if not 0 <= value < 26:
            raise Invalid(f"{name} holds {value}, which is no place of a choice.")
        return chr(ord("A") + value)
    return str(value)


def _choices(row: Row, said: object) -> tuple[str, ...]:
    if said is None:
        return ()
    if isinstance(said, str):
        value = _column(row, said)
        if not isinstance(value, list):
            raise Invalid(f"The column {said} holds no list of choices.")
        return tuple(str(part) for part in value)
    return tuple(str(_column(row, str(name))) for name in said) if isinstance(said, list) else ()


def _column(row: Row, name: object) -> Any:
    if str(name) not in row:
        raise Invalid(f"The data has no column {name}.")
    return row[str(name)]
