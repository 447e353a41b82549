"""Gathering drafts while a file is read: within limits, each under a name of its own, with a word on what was left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from glasshub.errors import Invalid
from glasshub.evals.importers.json_values import number, text
from glasshub.evals.importers.proposal import MAX_DRAFTS, MAX_MEASURES, MAX_REMARKS, Complete, Draft, Measure

_MISSING = ("", "N/A")  # what tools write where they have no number


class Drafts:
    """Collects drafts and remarks."""

    def __init__(self) -> None:
        self._drafts: list[Draft] = []
        self._remarks: list[str] = []
        self._names: dict[str, int] = {}

    def add(self, draft: Draft) -> None:
        """Keep a draft, if it has any number; one that is called like another gets a number to its name."""
        if not draft.measures:
            self.remark(f"{draft.what} has no number that could be reported.")
            return
        if len(self._drafts) == MAX_DRAFTS:
            raise Invalid(f"The file holds more than {MAX_DRAFTS:,} results. Split it.")
        kept = draft.measures[:MAX_MEASURES]
        if len(draft.measures) > MAX_MEASURES:
            self.remark(f"Of {draft.what}, only the first {MAX_MEASURES} numbers are read.")
        name = draft.what or "result"
        while name in self._names:
            self._names[name] += 1
            name = f"{name} ({self._names[name]})"
        self._names[name] = 1
        self._drafts.append(replace(draft, what=name, measures=kept))

    def remark(self, words: str) -> None:
        """Say what was left out. Only the first few are kept."""
        if len(self._remarks) < MAX_REMARKS and words not in self._remarks:
            self._remarks.append(words)

    def done(self) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
        """Drafts and remarks. Raises ``Invalid`` when there is no draft."""
        if not self._drafts:
            why = f" {self._remarks[0]}" if self._remarks else ""
            raise Invalid(f"The file holds no result that could be reported.{why}")
        return tuple(self._drafts), tuple(self._remarks)

    def numbers(self, what: str, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The numbers of a mapping with their names; remarks on what is none, such as NaN."""
        for name, value in said.items():
            shown, found = text(name), number(value)
            if found and shown:
                yield name, found
            elif isinstance(value, float):
                self.remark(f"{shown} of {what} is {value}: that is left out.")
            elif isinstance(value, str) and value.strip() not in _MISSING:
                self.remark(f"{shown} of {what} is text: that is left out.")


def unique(measures: list[Measure]) -> tuple[Measure, ...]:
    """The measures without those whose name came before."""
    found: dict[str, Measure] = {}
    for measure in measures:
        found.setdefault(measure.name, measure)
    return tuple(found.values())


def counted(effective: int | None, original: int | None, *, limited: bool) -> tuple[Complete, str]:
    """Whether a run was complete, from how many of how many items it had, and whether it had a limit set."""
    if effective is not None and original is not None:
        ran = f"{effective:,} of {original:,} items"
        return (Complete.YES if effective == original and not limited else Complete.NO), ran
    return (Complete.NO, "a part of the items") if limited else (Complete.UNKNOWN, "")
