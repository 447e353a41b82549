"""Check C1: answers are graded again, with the right answers of the data and the rules of Inspect's scorers.

Follows ``inspect_ai.scorer`` 0.3.285 for scorers that need no model: ``includes``, ``match`` (of text), ``pattern``,
``answer``, ``exact`` and ``choice``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import regex

from glasshub.errors import Invalid
from glasshub.verify.logs.arithmetic import to_number
from glasshub.verify.logs.content import item_of
from glasshub.verify.logs.log import Sample
from glasshub.verify.logs.report import Check, Outcome, Trouble
from glasshub.verify.rows import Row

_TITLE = "Grading the answers again gives the same scores"
_SECONDS = 1.0  # for one pattern on one answer: patterns come from strangers
_JUDGES = frozenset({"model_graded_qa", "model_graded_fact"})
_ANSWERS = {
    "letter": r"(?is)ANSWER\s*:\s*([A-Za-z])(?:[^\w]|\n|$)(?!.*ANSWER\s*:)",
    "word": r"(?is)ANSWER\s*:\s*(\S+?)(?=[.,;:!?]?\s*(?:\n|$))(?!.*ANSWER\s*:)",
    "line": r"(?i)ANSWER\s*:\s*([^\n]+)\s*\Z",
}
Grade = Callable[[Sample, Sequence[str], Mapping[str, Any]], bool]


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
        self._unknown = self._why_not(len(scorers))

    def see(self, sample: Sample) -> None:
        """Grade one sample again."""
        if self._unknown or self._name not in _GRADES:
            return
        score = (sample.scores or {}).get(self._name)
        number = int(sample.id) if str(sample.id).isdecimal() else 0
        if score is None or self._rows is None or not 1 <= number <= len(self._rows):
            return
        self._seen += 1
        try:
            targets = _targets(sample, item_of(self._rows[number - 1], self._fields).target)
            right = _GRADES[self._name](sample, targets, self._args)
            said = to_number(score.value)
        except (Invalid, TimeoutError) as error:
            self._unknown = str(error) or "A pattern took too long."
            return
        if float(right) != said:
            self._trouble.add(
                f"item {sample.id} of epoch {sample.epoch} scores {float(right):g}, the log says {said:g}"
            )

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
        if self._name not in _GRADES and self._name not in _JUDGES:
            return f"The scorer {self._name} is not graded again here."
        return ""


def _targets(sample: Sample, target: str) -> list[str]:
    """The right answers by the data; the log's own letter where it means the same choice in another place."""
    if sample.choices and isinstance(sample.target, str):
        return [sample.target]  # B1 compares what the letter means
    return [target]


def _includes(sample: Sample, targets: Sequence[str], args: Mapping[str, Any]) -> bool:
    fold: Callable[[str], str] = str.casefold if args.get("ignore_case", True) else str
    return any(fold(target) in fold(sample.completion) for target in targets)


def _match(sample: Sample, targets: Sequence[str], args: Mapping[str, Any]) -> bool:
    if args.get("numeric"):
        raise Invalid("The scorer match with numeric: true is not graded again here.")
    fold: Callable[[str], str] = str.casefold if args.get("ignore_case", True) else str
    value, location = _bare(fold(sample.completion.strip())), args.get("location", "end")
    compare: Mapping[Any, Callable[[str], bool]] = {
        "begin": value.startswith,
        "end": value.endswith,
        "exact": value.__eq__,
        "any": value.__contains__,
    }
    if location not in compare:
        raise Invalid(f"match has no location {location!r}.")
    return any(compare[location](_bare(fold(target.strip()))) for target in targets)


def _pattern(sample: Sample, targets: Sequence[str], args: Mapping[str, Any]) -> bool:
    ignore_case, text = bool(args.get("ignore_case", True)), str(args.get("pattern", ""))
    try:
        found = regex.search(text, sample.completion, regex.IGNORECASE if ignore_case else 0, timeout=_SECONDS)
    except regex.error as error:
        raise Invalid(f"The pattern cannot be read: {error}.") from error
    if found is None:
        return False
    fold: Callable[[str], str] = str.lower if ignore_case else str
    wanted = [fold(target) for target in targets]
    groups = [group for group in found.groups() or (found.group(0),) if isinstance(group, str)]
    right = [fold(group) in wanted for group in groups]
    if args.get("match_all"):
        return bool(right) and all(right)
    return any(group and is_right for group, is_right in zip(groups, right, strict=True))


def _answer(sample: Sample, targets: Sequence[str], args: Mapping[str, Any]) -> bool:
    kind = str(args.get("pattern"))
    if kind not in _ANSWERS:
        raise Invalid(f"The scorer answer has no pattern {kind!r}.")
    return _pattern(sample, targets, {"pattern": _ANSWERS[kind]})


def _exact(sample: Sample, targets: Sequence[str], _args: Mapping[str, Any]) -> bool:
    answer = _plain(sample.completion)
    return any(_plain(target) and _plain(target) == answer for target in targets)


def _choice(sample: Sample, targets: Sequence[str], _args: Mapping[str, Any]) -> bool:
    letters = sorted({letter for target in targets for letter in target.replace(",", " ").replace(" ", "")})
    return bool(letters) and sorted(_chosen(sample)) == letters


def _chosen(sample: Sample) -> set[str]:
    """The letters that the model chose, as the solver multiple_choice reads its answer."""
    text = re.sub(r"\x24\s*([A-Za-z\d][A-Za-z\d ,]*?)\s*\x24", r"\1", sample.completion)
    text = re.sub(r"\*\*\s*([A-Za-z\d][A-Za-z\d ,]*?)\s*\*\*", r"\1", text)
    text = re.sub(r"(?i)(^|[:,])(\s*)\(([A-Za-z\d])\)(?=\s*(?:,|\.|\n|\Z))", r"\1\2\3", text)
    found = re.findall(r"(?im)^ANSWER\s*:\s*([A-Za-z\d ,]+)\s*(?:$|\n|\.)", text)
    found = found or re.findall(r"(?i)ANSWER\s*:\s*([A-Za-z\d ,]+)(?:[^\w]|\n|$|\.)", text)
    if not found:
        return set()
    said = found[-1].strip().rstrip(".").upper()
    options = {chr(ord("A") + place) for place in range(min(len(sample.choices or ()), 26))}
    single = [part for part in said.split(",") if part]
    if len(single) == 1 and single[0] in options:
        return {single[0]}
    several = {part for part in said.replace(" AND ", ",").replace(" ", "").split(",") if part}
    return several if several <= options else set(said.replace(" ", "")) & options


def _bare(text: str) -> str:
    return text.strip(string.whitespace + string.punctuation)


def _plain(text: str) -> str:
    """Lower-cased words without articles and punctuation."""
    bare = "".join(letter for letter in text.casefold() if letter not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


_GRADES: Mapping[str, Grade] = {
    "includes": _includes,
    "match": _match,
    "pattern": _pattern,
    "answer": _answer,
    "exact": _exact,
    "choice": _choice,
}
