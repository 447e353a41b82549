"""What is in a log, item by item, for people: some at a time, found by words or by what went wrong.

Logs come from strangers and are read here in a process that serves others: so within small limits, a few at once, and
never longer than a moment. What a search could not look at in that time, the next page goes on with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from glasshub.audits import attached
from glasshub.audits.attached import AttachedLog
from glasshub.errors import Busy, EntryNotFound, GlasshubError, Invalid
from glasshub.hub import Hub
from glasshub.verify.logs.archive import Limits
from glasshub.verify.logs.arithmetic import to_number
from glasshub.verify.logs.log import EvalLog, Sample, open_log
from glasshub.verify.logs.soundness import headline_score

Show = Literal["all", "failures", "no-answer", "errors"]
SHOWS: tuple[Show, ...] = ("all", "failures", "no-answer", "errors")
LIMITS = Limits(file=64 * 1024**2, member=4 * 1024**2, total=128 * 1024**2, members=30_000)
MOST_DOCUMENT = 8 * 1024**2  # of a log that is one JSON document
SECONDS = 1.5  # for one page of a search
PER_PAGE = 50
MOST_CHARACTERS = 100_000  # of one text that is shown
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE = 10.0
_BIDI = frozenset(range(0x202A, 0x202F)) | frozenset(range(0x2066, 0x206A))


@dataclass(frozen=True, slots=True)
class Item:
    """One item in one epoch, ``number`` as the pages count them from 1; ``problem`` is why it cannot be read.

    ``right`` is the score as a number (``None``: there is none, or it is no number).
    """

    number: int
    id: str
    epoch: int
    question: str = ""
    choices: tuple[str, ...] = ()
    target: str = ""
    answer: str = ""
    score: str = ""
    right: float | None = None
    problem: str = ""

    @property
    def verdict(self) -> str:
        """In a word: right, wrong, partly right, no answer, error; ``""`` where nothing can be said."""
        if self.problem:
            return "error"
        if not self.answer:
            return "no answer"
        if self.right is None:
            return ""
        return "right" if self.right >= 1 else "wrong" if self.right <= 0 else "partly right"


@dataclass(frozen=True, slots=True)
class Page:
    """Some items, of ``total``; ``looked`` is where this page ended, ``next`` where another begins (0: nowhere)."""

    items: tuple[Item, ...]
    total: int
    looked: int
    next: int


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said: by whom (``system``, ``user``, ``assistant``, ``tool``), and what."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Whole:
    """One item with everything that was said."""

    item: Item
    total: int
    messages: tuple[Said, ...]
    completion: str
    explanations: tuple[tuple[str, str], ...]
    error: str


@contextmanager
def opened(hub: Hub, log: AttachedLog) -> Iterator[EvalLog]:
    """A log for showing.

    Raises:
        Busy: others are being looked at.
        TooLarge, Invalid, NotFound: it cannot be shown here, for the reason that the message says.
    """
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise Busy("Many logs are being looked at. Try again in a moment.")
    try:
        limit = LIMITS.file if log.path.endswith(".eval") else MOST_DOCUMENT
        with attached.opened(hub, log, limit=limit) as file:
            yield open_log(file, LIMITS, most=MOST_DOCUMENT)
    finally:
        _AT_ONCE.release()


def page(log: EvalLog, *, show: Show = "all", words: str = "", start: int = 1) -> Page:
    """Items from ``start`` on that are asked for.

    Args:
        log: from :func:`opened`.
        show: all, those that are not right, those without an answer, or those that ended in an error.
        words: what question, choices, right answer or answer contain, without regard to case.
        start: the first number to look at.
    """
    order, name, deadline = _order(log), _score_name(log), time.monotonic() + SECONDS
    found: list[Item] = []
    number = max(start, 1) - 1
    for number in range(max(start, 1), len(order) + 1):
        item = _item(log, number, *order[number - 1], name)
        if _SHOWN[show](item) and _contains(item, words):
            found.append(item)
        if len(found) == PER_PAGE or time.monotonic() > deadline:
            break
    return Page(tuple(found), len(order), number, number + 1 if number < len(order) else 0)


def whole(log: EvalLog, number: int) -> Whole:
    """One item by its number. Raises ``EntryNotFound``, or ``Invalid`` or ``TooLarge`` when it cannot be read."""
    order = _order(log)
    if not 1 <= number <= len(order):
        raise EntryNotFound(f"The log has no item {number}; it has {len(order):,}.")
    sample = log.sample(*order[number - 1])
    scores = (sample.scores or {}).items()
    return Whole(
        _of(sample, number, _score_name(log)),
        len(order),
        tuple(Said(plain(str(message.get("role", ""))[:40]), _content(message)) for message in sample.messages[:200]),
        plain(sample.completion),
        tuple((plain(name[:100]), plain(score.explanation)) for name, score in scores if score.explanation),
        _error(sample),
    )


def plain(text: str) -> str:
    """Text of strangers for people: nothing in it moves what stands around it, or cannot be sent."""
    cut = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
    clean = cut.encode("utf-8", "replace").decode("utf-8")
    return "".join("\N{REPLACEMENT CHARACTER}" if _moves(letter) else letter for letter in clean)


def _moves(letter: str) -> bool:
    code = ord(letter)
    return (code < 0x20 and letter not in "\n\t\r") or 0x7F <= code < 0xA0 or code in _BIDI


def _order(log: EvalLog) -> list[tuple[str, int]]:
    """The samples by id (numbers as such) and epoch."""
    return sorted(log.places, key=lambda place: (*_sorting(place[0]), place[1]))


def _sorting(id: str) -> tuple[int, int, str]:
    return (0, int(id), "") if id.isdecimal() and len(id) < 18 else (1, 0, id)


def _score_name(log: EvalLog) -> str:
    score = headline_score(log.header)
    return score.name if score is not None else ""


def _item(log: EvalLog, number: int, id: str, epoch: int, score_name: str) -> Item:
    try:
        return _of(log.sample(id, epoch), number, score_name)
    except GlasshubError as error:
        return Item(number, plain(id[:200]), epoch, problem=plain(error.message[:500]))


def _of(sample: Sample, number: int, score_name: str) -> Item:
    scores = sample.scores or {}
    score = scores.get(score_name) or next(iter(scores.values()), None)
    target = sample.target if isinstance(sample.target, str) else ", ".join(sample.target)
    answer = score.answer if score is not None and score.answer is not None else ""
    return Item(
        number, plain(str(sample.id)[:200]), sample.epoch, _question(sample), tuple(map(plain, sample.choices or ())),
        plain(target), plain(answer), plain(str(score.value)[:100]) if score is not None else "",
        _number(score.value) if score is not None else None, _error(sample),
    )  # fmt: skip


def _number(value: Any) -> float | None:
    try:
        return to_number(value)
    except Invalid:
        return None


def _question(sample: Sample) -> str:
    if isinstance(sample.input, str):
        return plain(sample.input)
    return "\n\n".join(_content(message) for message in sample.input if isinstance(message, dict))


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return plain(content)
    if not isinstance(content, list):
        return ""
    return plain("\n".join(_part(part) for part in content[:200]))


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return ""
    for name in ("text", "reasoning"):
        if isinstance(part.get(name), str):
            return str(part[name])
    return f"[{str(part.get('type', 'something else'))[:40]}]"


def _error(sample: Sample) -> str:
    if sample.error is not None:
        return plain(str(sample.error.get("message", "It ended in an error."))[:2_000])
    return plain(f"A limit was reached: {str(sample.limit.get('type', ''))[:60]}.") if sample.limit else ""


def _contains(item: Item, words: str) -> bool:
    if not words:
        return True
    text = "\n".join((item.id, item.question, *item.choices, item.target, item.answer)).casefold()
    return words.casefold() in text


_SHOWN: dict[Show, Callable[[Item], bool]] = {
    "all": lambda item: True,  # noqa: ARG005
    "failures": lambda item: bool(item.problem) or item.right is None or item.right < 1,
    "no-answer": lambda item: item.verdict == "no answer",
    "errors": lambda item: bool(item.problem),
}
