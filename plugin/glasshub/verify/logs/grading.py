"""The scorers of Inspect that need no model: one answer, its right answers, and the score that follows.

Follows ``inspect_ai.scorer`` and the solver ``multiple_choice``, 0.3.285.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import regex

from glasshub.errors import Invalid
from glasshub.verify.logs import written_numbers

_SECONDS = 1.0  # for one pattern on one answer: patterns come from strangers
_ANSWERS = {
    "letter": r"(?is)ANSWER\s*:\s*([A-Za-z])(?:[^\p{L}\p{N}_]|\n|$)(?!.*ANSWER\s*:)",
    "word": r"(?is)ANSWER\s*:\s*(\S+?)(?=[.,;:!?]?\s*(?:\n|$))(?!.*ANSWER\s*:)",
    "line": r"(?i)ANSWER\s*:\s*([^\n]+)\s*\Z",
}
_BY_KIND = re.compile(r"\\[wWbB]")  # what a pattern may say of kinds of characters
_YI, _PRIVATE = (0xA000, 0xA48D), (0xE000, 0xF900)  # letters without case; characters that are part of no word
_LETTERS = 26


@dataclass(frozen=True, slots=True)
class Asked:
    """What a scorer looks at.

    Attributes:
        completion: what the model said in the end.
        targets: the right answers.
        choices: how many choices there were.
        several: whether the solver allowed more than one choice.
    """

    completion: str
    targets: Sequence[str]
    choices: int = 0
    several: bool = False


Grade = Callable[[Asked, Mapping[str, Any]], float]
_GRADES: dict[str, Grade] = {}


def can_grade(scorer: str) -> bool:
    """Whether answers are graded here as that scorer does it."""
    return scorer in _GRADES


def grade(scorer: str, asked: Asked, args: Mapping[str, Any]) -> float:
    """The score, from 0 to 1.

    Args:
        scorer: one that :func:`can_grade` knows.
        asked: the answer.
        args: of the scorer, as ``eval.yaml`` has them.

    Raises:
        Invalid: the scorer could not be run so, or it cannot be told what it said.
        TimeoutError: a pattern took too long.
    """
    return _GRADES[scorer](asked, args)


def _scorer(name: str) -> Callable[[Grade], Grade]:
    def register(function: Grade) -> Grade:
        _GRADES[name] = function
        return function

    return register


@_scorer("includes")
def _includes(asked: Asked, args: Mapping[str, Any]) -> float:
    fold = _fold(args)
    return float(any(fold(target) in fold(asked.completion) for target in asked.targets))


@_scorer("match")
def _match(asked: Asked, args: Mapping[str, Any]) -> float:
    location = args.get("location", "end")
    if location not in ("begin", "end", "any", "exact"):
        raise Invalid(f"match has no location {location!r}.")
    fold, numeric = _fold(args), bool(args.get("numeric"))
    value = fold(asked.completion.strip())
    for target in asked.targets:
        wanted = fold(target.strip())
        if numeric:
            wanted = written_numbers.without_decoration(wanted)
            if (number := written_numbers.normal(wanted)) is not None:
                if _is_number_at(value, number, location):
                    return 1.0
                continue
        if _is_text_at(_bare(value), _bare(wanted), location):
            return 1.0
    return 0.0


def _is_text_at(value: str, wanted: str, location: str) -> bool:
    compare: Mapping[str, Callable[[str], bool]] = {
        "begin": value.startswith, "end": value.endswith, "exact": value.__eq__, "any": value.__contains__,
    }  # fmt: skip
    return compare[location](wanted)


def _is_number_at(value: str, wanted: str, location: str) -> bool:
    value = written_numbers.without_decoration(value)
    if location == "exact":
        return written_numbers.normal(value, trim=False) == wanted
    words = re.split(r"\s+", value)
    found = (written_numbers.normal(word) for word in (reversed(words) if location == "end" else words))
    numbers = (number for number in found if number is not None)
    return wanted in numbers if location == "any" else next(numbers, "") == wanted


@_scorer("pattern")
def _pattern(asked: Asked, args: Mapping[str, Any]) -> float:
    text = str(args.get("pattern", ""))
    if asked.completion.isascii() or not _BY_KIND.search(text):
        return _found(text, asked, args)
    stand_ins = _stand_ins(asked.completion, text)
    return _found(text, replace(asked, completion=asked.completion.translate(stand_ins)), args, stand_ins)


def _stand_ins(text: str, pattern: str) -> dict[int, int]:
    """Characters that take the place of those of which Python's ``re``, which Inspect uses, says otherwise whether they
    are part of words: it cannot be stopped, and so is not used here.
    """
    odd = sorted(c for c in set(text) if (c.isalnum() or c == "_") != bool(regex.match(r"\w", c)))
    if any(c in pattern for c in odd):
        raise Invalid("The pattern names characters that are understood differently here.")
    letters, others = (iter([n for n in range(*area) if chr(n) not in text]) for area in (_YI, _PRIVATE))
    try:
        return {ord(c): next(letters if c.isalnum() else others) for c in odd}
    except StopIteration as error:
        raise Invalid("The answer has too many unusual characters.") from error


def _found(text: str, asked: Asked, args: Mapping[str, Any], stand_ins: Mapping[int, int] | None = None) -> float:
    ignore_case = bool(args.get("ignore_case", True))
    try:
        found = regex.search(text, asked.completion, regex.IGNORECASE if ignore_case else 0, timeout=_SECONDS)
    except regex.error as error:
        raise Invalid(f"The pattern cannot be read: {error}.") from error
    if found is None:
        return 0.0
    fold: Callable[[str], str] = str.lower if ignore_case else str
    wanted = [fold(target) for target in asked.targets]
    back = {other: character for character, other in (stand_ins or {}).items()}
    groups = [group.translate(back) for group in found.groups() or (found.group(0),) if isinstance(group, str)]
    right = [group for group in groups if fold(group) in wanted]
    if args.get("match_all"):
        return float(bool(groups) and len(right) == len(groups) and any(asked.targets))
    return float(bool(right and right[0]))


@_scorer("answer")
def _answer(asked: Asked, args: Mapping[str, Any]) -> float:
    kind = str(args.get("pattern"))
    if kind not in _ANSWERS:
        raise Invalid(f"The scorer answer has no pattern {kind!r}.")
    return _found(_ANSWERS[kind], asked, {})


@_scorer("exact")
def _exact(asked: Asked, _args: Mapping[str, Any]) -> float:
    answer = " ".join(_words(asked.completion))
    return float(any(wanted and wanted == answer for wanted in (" ".join(_words(target)) for target in asked.targets)))


@_scorer("f1")
def _f1(asked: Asked, args: Mapping[str, Any]) -> float:
    stop_words = args.get("stop_words") or []
    if args.get("answer_fn") is not None or not _are_texts(stop_words):
        raise Invalid("f1 takes a list of stop_words, and no answer_fn from a file.")
    said = _counts(asked.completion, stop_words)
    scores = [_overlap(said, wanted) for target in asked.targets if (wanted := _counts(target, stop_words))]
    return round(max(scores, default=0.0), 2)


def _counts(text: str, stop_words: Sequence[str]) -> Counter[str]:
    return Counter(" ".join(_words(text, stop_words)).split())


def _overlap(said: Counter[str], wanted: Counter[str]) -> float:
    both = sum((said & wanted).values())
    precision = both / sum(said.values()) if said else 1.0
    recall = both / sum(wanted.values())
    return 2 * precision * recall / (precision + recall) if precision or recall else 0.0


def _words(text: str, stop_words: Sequence[str] = ()) -> list[str]:
    """The words that are compared: without case, punctuation and articles, and numbers as numbers."""
    left_out = {_word(word) for word in stop_words}
    words = (_word(token) for token in re.split(" |-", text))
    return [word for word in words if word.strip() and word not in left_out]


def _word(token: str) -> str:
    text = token.casefold()
    if not _is_finite(text):
        bare = _bare(text)
        text = bare if _is_finite(bare) else "".join(c for c in text if c not in string.punctuation)
    if _is_finite(text):
        text = str(float(text))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def _is_finite(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


@_scorer("choice")
def _choice(asked: Asked, _args: Mapping[str, Any]) -> float:
    tokens = [token for target in asked.targets for token in target.replace(",", " ").split()]
    letters = [letter for token in tokens for letter in ([token] if token.isnumeric() else token)]
    wanted = sorted(_place(letter) for letter in letters)
    if any(place >= asked.choices for place in wanted):
        raise Invalid("The right answer names a choice that there is not.")
    return float(sorted(_place(letter) for letter in _chosen(asked)) == wanted)


def _place(letter: str) -> int:
    if len(letter) == 1 and letter.isalpha():
        return ord(letter.upper()) - ord("A")
    if not letter.isdecimal() or int(letter) == 0:
        raise Invalid(f"{letter[:20]!r} names no choice.")
    return _LETTERS - 1 + int(letter)


def _chosen(asked: Asked) -> set[str]:
    """The letters that the model chose, as the solver multiple_choice reads its answer."""
    text = re.sub(r"\x24\s*([A-Za-z\d][A-Za-z\d ,]*?)\s*\x24", r"\1", asked.completion)
    text = re.sub(r"\*\*\s*([A-Za-z\d][A-Za-z\d ,]*?)\s*\*\*", r"\1", text)
    text = re.sub(r"(?i)(^|[:,])(\s*)\(([A-Za-z\d])\)(?=\s*(?:,|\.|\n|\Z))", r"\1\2\3", text)
    found = re.findall(r"(?im)^ANSWER\s*:\s*([A-Za-z\d ,]+)\s*(?:$|\n|\.)", text)
    found = found or re.findall(r"(?i)ANSWER\s*:\s*([A-Za-z\d ,]+)(?:[^\w]|\n|$|\.)", text)
    if not found:
        return set()
    said = found[-1].strip().rstrip(".").upper()
    options = {chr(ord("A") + n) if n < _LETTERS else str(n - _LETTERS + 1) for n in range(asked.choices)}
    if not asked.several:
        single = [part for part in said.split(",") if part]
        return set(single) if len(single) == 1 and single[0] in options else set()
    said = said.replace(" AND ", ",").replace(" ", "")
    parts = {part for part in said.split(",") if part}
    return parts if parts <= options else set(said) if set(said) <= options else set()


def _fold(args: Mapping[str, Any]) -> Callable[[str], str]:
    return str.casefold if args.get("ignore_case", True) else str


def _bare(text: str) -> str:
    return text.strip(string.whitespace + string.punctuation)


def _are_texts(said: object) -> bool:
    return isinstance(said, list) and all(isinstance(part, str) for part in said)
