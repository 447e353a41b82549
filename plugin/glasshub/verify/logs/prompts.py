"""Check B2: what the model was sent is the question in the templates of ``eval.yaml``, and nothing beside it.

The rules are those of Inspect's solvers 0.3.285 (``inspect_ai/solver/_prompt.py``, ``_multiple_choice.py``).
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from glasshub.errors import Invalid
from glasshub.verify.logs.content import item_of
from glasshub.verify.logs.log import Header, Sample
from glasshub.verify.logs.report import Check, Outcome, Trouble
from glasshub.verify.rows import Row

Message = tuple[str, str]
_TITLE = "The model was sent the question in the templates of eval.yaml, and nothing else"
_MOST = 10_000_000  # characters of one prompt
_ATTACHMENT = "attachment://"
_CHAIN_OF_THOUGHT = """
{prompt}

Before answering, reason in a step-by-step manner as to get the right answer. Provide your answer at the end on its \
own line in the form "ANSWER: $ANSWER" (without quotes) where $ANSWER is the answer to the question.
"""
_CHOICE = (
    "Answer the following multiple choice question{several}. {where} of your response should be of the following "
    "format: 'ANSWER: {sign}' (without quotes) where {which} {{letters}}.{steps}\n\n{{question}}\n\n{{choices}}"
)


class Prompts:
    """Renders what each sample's model should have been sent first, and compares it with what its log says was sent.

    Args:
        header: the log's.
        spec: the task's entry in ``eval.yaml``.
        rows: the rows of the split (``None``: unknown).
    """

    def __init__(self, header: Header, spec: Mapping[str, Any], rows: Sequence[Row] | None) -> None:
        self._solvers = [step for step in spec.get("solvers") or () if isinstance(step, Mapping)]
        self._fields: Mapping[str, Any] = spec.get("field_spec") or {}
        self._rows, self._trouble, self._seen = rows, Trouble(), 0
        self._unknown = "" if rows is not None else "The data could not be read."
        if not self._solvers:
            self._unknown = "The task has no solvers."
        for settings in (header.plan.config, header.eval.model_generate_config):
            if settings.get("system_message"):
                self._trouble.add("the run was given a system message of its own")

    def see(self, sample: Sample) -> None:
        """Compare one sample."""
        number = int(sample.id) if str(sample.id).isdecimal() else 0
        if self._unknown or self._rows is None or not 1 <= number <= len(self._rows):
            return  # B1 tells of an item without a row
        self._seen += 1
        row = self._rows[number - 1]
        try:
            expected = rendered(self._solvers, item_of(row, self._fields).input, sample.choices or (), self._named(row))
            sent = first_prompt(sample)
        except Invalid as error:
            self._unknown = error.message
            return
        if sent is None:
            self._trouble.add(f"item {sample.id} of epoch {sample.epoch}: the log shows no request to a model")
        elif merged(sent) != merged(expected):
            self._trouble.add(f"item {sample.id} of epoch {sample.epoch}: the model was sent something else")

    def check(self) -> Check:
        """B2."""
        if self._unknown and not self._trouble.count:
            return Check("B2", _TITLE, Outcome.UNKNOWN, self._unknown)
        return self._trouble.check("B2", _TITLE, f"{self._seen:,} prompts written again and compared.")

    def _named(self, row: Row) -> dict[str, Any]:
        """The columns that ``field_spec`` lets templates use."""
        names = self._fields.get("metadata")
        return {str(name): row[str(name)] for name in names or () if str(name) in row} if names else {}


def rendered(
    solvers: Iterable[Mapping[str, Any]], question: str, choices: Sequence[str], metadata: Mapping[str, Any]
) -> list[Message]:
    """The conversation that these solvers send first, as (role, text).

    Raises:
        Invalid: a solver or a template that is not written again here.
    """
    messages: list[Message] = [("user", question)]
    for solver in solvers:
        name, args = str(solver.get("name", "")), dict(solver.get("args") or {})
        if name == "generate":
            return messages
        if name == "multiple_choice":
            template = str(args.get("template") or _choice_template(args))
            letters = [_letter(place) for place in range(len(choices))]
            listed = "\n".join(f"{letter}) {choice}" for letter, choice in zip(letters, choices, strict=True))
            place = _last_user(messages)
            values = {"question": messages[place][1], "choices": listed, "letters": ",".join(letters)}
            messages[place] = ("user", fill(template, values, strict=True))
            return messages
        _prepare(messages, name, args, metadata)
    raise Invalid("The task's solvers ask no model.")


def _prepare(messages: list[Message], name: str, args: dict[str, Any], metadata: Mapping[str, Any]) -> None:
    """Do what a solver does that comes before the model is asked."""
    template = str(args.pop("template", _CHAIN_OF_THOUGHT if name == "chain_of_thought" else ""))
    if name in ("prompt_template", "chain_of_thought"):
        place = _last_user(messages)
        known = {**metadata, **args} if name == "prompt_template" else {}
        messages[place] = ("user", fill(template, {**known, "prompt": args.get("prompt", messages[place][1])}))
    elif name == "system_message":
        last = max((place for place, (role, _) in enumerate(messages) if role == "system"), default=-1)
        messages.insert(last + 1, ("system", fill(template, {**metadata, **args})))
    elif name == "user_message":
        messages.append(("user", fill(template, {**metadata, **args})))
    else:
        raise Invalid(f"What the solver {name} sends is not written again here.")


def fill(template: str, values: Mapping[str, Any], *, strict: bool = False) -> str:
    """A template with its ``{names}`` replaced; unknown ones stay, unless ``strict``.

    Raises:
        Invalid: it uses more of Python's format language than plain names, or a value that is no text or number.
    """
    parts: list[str] = []
    size = 0
    for part in _parts(template, values, strict):
        size += len(part)
        if size > _MOST:
            raise Invalid("A prompt is longer than is written again here.")
        parts.append(part)
    return "".join(parts)


def _parts(template: str, values: Mapping[str, Any], strict: bool) -> Iterator[str]:
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise Invalid(f"A template of the task is not well formed: {error}.") from error
    for text, name, spec, conversion in pieces:
        yield text
        if name is None:
            continue
        if spec or conversion or not name.isidentifier():
            raise Invalid(f"The placeholder {{{name[:40]}}} of a template is not written again here.")
        value = values.get(name)
        if value is None:
            if strict:
                raise Invalid(f"A template asks for {{{name[:40]}}}, which there is not.")
            yield f"{{{name}}}"
        elif isinstance(value, str | int | float):
            yield str(value)
        else:
            raise Invalid(f"The value of {{{name[:40]}}} in a template is no text, which is not written again here.")


def first_prompt(sample: Sample) -> list[Message] | None:
    """What a model was sent first in a sample (``None``: its events tell of no such request).

    Raises:
        Invalid: the log kept no events, or the prompt is more than text.
    """
    if not sample.events:
        raise Invalid("The log does not say what was sent: it was written without events.")
    event = next((event for event in sample.events if event.get("event") == "model"), None)
    if event is None:
        return None
    messages = event.get("input") or _referred(event.get("input_refs"), sample.events_data.get("messages"))
    return [_message(message, sample.attachments) for message in messages]


def _referred(ranges: object, pool: object) -> list[Any]:
    """Messages of a pool by ranges ``[start, end)``, as logs keep what many requests share."""
    if not isinstance(ranges, list) or not isinstance(pool, list):
        return []
    found: list[Any] = []
    for pair in ranges:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(end, int) and end >= 0 for end in pair)):
            raise Invalid("The log's events refer to messages in a way that is not understood.")
        found += pool[pair[0] : pair[1]]
        if len(found) > 10_000:
            raise Invalid("The log's events hold more messages than are read.")
    return found


def _message(message: object, attachments: Mapping[str, str]) -> Message:
    if not isinstance(message, dict):
        raise Invalid("The log's events hold a message that is none.")
    content = message.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list) or not all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in parts):
        raise Invalid("A prompt is more than text, which is not compared here.")
    return str(message.get("role", "")), "\n".join(_attached(part["text"], attachments) for part in parts)


def _attached(text: str, attachments: Mapping[str, str]) -> str:
    return attachments.get(text.removeprefix(_ATTACHMENT), text) if text.startswith(_ATTACHMENT) else text


def merged(messages: Iterable[Message]) -> list[Message]:
    """Messages of the same role that follow each other, as one: some providers are sent them so."""
    found: list[Message] = []
    for role, text in messages:
        if found and found[-1][0] == role:
            found[-1] = (role, f"{found[-1][1]}\n{text}")
        else:
            found.append((role, text))
    return found


def _last_user(messages: Sequence[Message]) -> int:
    return max(place for place, (role, _) in enumerate(messages) if role == "user")


def _choice_template(args: Mapping[str, Any]) -> str:
    several, steps = bool(args.get("multiple_correct")), bool(args.get("cot"))
    return _CHOICE.format(
        several=" where multiple answers may be correct" if several else "",
        where="The last line" if steps else "The entire content",
        sign="$LETTERS" if several else "$LETTER",
        which="LETTERS is one or more of" if several else "LETTER is one of",
        steps=" Think step by step before answering." if steps else "",
    )


def _letter(place: int) -> str:
    return chr(ord("A") + place) if place < 26 else str(place - 25)
