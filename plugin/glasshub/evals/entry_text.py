"""Writing one result as text from what people typed, and adding it to a file that keeps what it has. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from glasshub.evals.eval_results import ResultEntry, parse_result_file
from glasshub.evals.result_id import result_id
from glasshub.evals.yaml_nodes import Scalar

MAX_SETTINGS = 30
MAX_SETTING = 500
MAX_DIGITS = 25
NUMBERS = ("stderr", "n", "shots")
TEXTS = ("model_revision", "harness", "harness_version")
FIELDS = ("dataset", "task", "revision", "value", "date", "source_url", "source_name", "notes", "settings", *NUMBERS,
          *TEXTS)  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_AMBIGUOUS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})  # to some readers of YAML
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,60}")
_JOINERS = "\n\t\u200c\u200d"

_SPOKEN = {
    "value": "The value", "date": "The date", "notes": "The notes", "source.url": "The link", "source.name": "The name",
    "dataset.id": "The dataset", "dataset.task_id": "The task", "dataset.revision": "The revision",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """A result as text, as it reads back (``None``: it cannot), and what is wrong: a sentence by name of the field."""

    text: str
    entry: ResultEntry | None
    errors: Mapping[str, str] = field(default_factory=dict)


def write_entry(said: Mapping[str, str], path: str) -> WrittenEntry:
    """Write a result.

    Args:
        said: what was typed, by name of the field (those of :data:`FIELDS`; any may be missing). ``settings`` has a
            line for each, ``name: value``.
        path: of the file that it is for.
    """
    fields = {name: clean(text) for name, text in said.items()}
    errors: dict[str, str] = {}
    lines = [*_lines(fields), *_extra(fields, errors)]
    text = "".join(f"{line}\n" for _, line in lines)
    parsed = parse_result_file(text.encode("utf-8", "replace"), path)
    for problem in parsed.problems:
        name = lines[min(problem.line, len(lines)) - 1][0]
        errors.setdefault(name, _for_form(problem.message))
    return WrittenEntry(text, parsed.entries[0] if parsed.entries else None, errors)


def _for_form(message: str) -> str:
    """What a problem of a file says, in words of a form: people who fill it in know no keys."""
    key, _, rest = message.partition(" ")
    return f"{_SPOKEN[key]} {rest}" if key in _SPOKEN else message


def add_entry(content: bytes, text: str, path: str) -> bytes | None:
    """The file with one more entry at its end; everything in it stays as it is, comments included.

    Args:
        content: the file as it is (``b""``: there is none).
        text: the entry, as :func:`write_entry` made it.
        path: of the file.

    Returns:
        The new file; ``None`` if it cannot be added that way (another style of list, say).
    """
    newline = "\r\n" if b"\r\n" in content else "\n"
    found = re.search(rb"^( *)- ", content, re.MULTILINE)
    indent = found[1].decode() if found else ""
    added = "".join(f"{indent}{line}{newline}" for line in text.removesuffix("\n").split("\n"))
    gap = newline if content and not content.endswith(b"\n") else ""
    new = content + (gap + added).encode("utf-8")
    before, after = parse_result_file(content, path), parse_result_file(new, path)
    if [result_id(entry) for entry in after.entries] != _ids(content, path) + _ids(text.encode("utf-8"), path):
        return None
    return new if not content or set(after.problems) <= set(before.problems) else None


def slug_of(dataset_id: str, submitter: str = "") -> str:
    """The name of a result file without its ending; pull requests of different people touch different files."""
    name = re.sub(r"[^a-z0-9._-]+", "-", dataset_id.partition("/")[2].lower()).strip(".-_") or "results"
    return f"{name[:80]}-{submitter.lower()}" if submitter else name[:80]


def clean(text: str) -> str:
    """Text without what no file of this kind holds: control characters, other line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c.isprintable() or c in _JOINERS else " " for c in text).strip()


def scalar(text: str) -> str:
    """A text as YAML: plain where nobody can read it otherwise, else in double quotes, always on one line."""
    if _PLAIN.fullmatch(text) and text.lower() not in _AMBIGUOUS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _lines(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Lines, each with the field that it comes from."""
    yield "dataset", "- dataset:"
    yield "dataset", f"    id: {scalar(said.get('dataset', ''))}"
    yield "task", f"    task_id: {scalar(said.get('task', ''))}"
    if said.get("revision"):
        yield "revision", f"    revision: {json.dumps(said['revision'], ensure_ascii=False)}"
    value = said.get("value", "")
    plain = not value or isinstance(Scalar(value, True, 1, 1).value, float | int)
    yield "value", f"  value: {value if plain else scalar(value)}"
    if said.get("date"):
        yield "date", f"  date: {json.dumps(said['date'], ensure_ascii=False)}"
    if said.get("source_url") or said.get("source_name"):
        yield "source_url", "  source:"
        yield "source_url", f"    url: {scalar(said.get('source_url', ''))}"
        if said.get("source_name"):
            yield "source_name", f"    name: {scalar(said['source_name'])}"
    if said.get("notes"):
        yield "notes", f"  notes: {scalar(said['notes'])}"


def _extra(said: Mapping[str, str], errors: dict[str, str]) -> list[tuple[str, str]]:
    lines = []
    for name in TEXTS:
        if said.get(name):
            lines.append((name, f"    {name}: {json.dumps(said[name], ensure_ascii=False)}"))
            if len(said[name]) > MAX_SETTING:
                errors[name] = f"At most {MAX_SETTING} characters are kept."
    for name in NUMBERS:
        if said.get(name):
            lines.append((name, f"    {name}: {said[name] if _number(said[name]) is not None else scalar(said[name])}"))
            if error := _refuse_number(name, said[name]):
                errors[name] = error
    lines += _settings(said.get("settings", ""), errors)
    return [(lines[0][0], "  extra:"), *lines] if lines else []


def _settings(text: str, errors: dict[str, str]) -> Iterator[tuple[str, str]]:
    seen = {*NUMBERS, *TEXTS}
    given = [line for line in text.split("\n") if line.strip()]
    if len(given) > MAX_SETTINGS:
        errors["settings"] = f"At most {MAX_SETTINGS} settings are kept."
    for line in given[:MAX_SETTINGS]:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not _KEY.fullmatch(name) or not value or len(value) > MAX_SETTING:
            errors.setdefault("settings", f"Write one setting a line, as name: value. This one is not: {line[:60]}")
        elif name in seen:
            errors.setdefault("settings", f"{name} stands here twice, or has a field of its own.")
        else:
            digits = len(value) <= MAX_DIGITS and _number(value) is not None  # a digest may look like a number
            plain = digits or value in ("true", "false")
            yield "settings", f"    {scalar(name)}: {value if plain else scalar(value)}"
        seen.add(name)


def _refuse_number(name: str, text: str) -> str:
    value = _number(text)
    if name == "stderr":
        return "" if value is not None and value >= 0 else "The standard error is a number, such as 0.4."
    least = 1 if name == "n" else 0
    return "" if isinstance(value, int) and value >= least else f"This is a whole number, at least {least}."


def _number(text: str) -> int | float | None:
    value = Scalar(text, True, 1, 1).value
    finite = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    return value if finite else None  # type: ignore[return-value]


def _ids(content: bytes, path: str) -> list[str]:
    return [result_id(entry) for entry in parse_result_file(content, path).entries]
