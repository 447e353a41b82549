"""``.eval_results/*.yaml``: the scores a model repo keeps.

Format: https://huggingface.co/docs/hub/eval-results, with our optional ``extra`` mapping.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from glasshub import clock
from glasshub.evals import yaml_nodes
from glasshub.evals.problems import Problem
from glasshub.evals.yaml_nodes import Node, Problems, Scalar, to_python

FOLDER = ".eval_results"
MAX_BYTES = 1024 * 1024
MAX_ENTRIES = 5_000
MAX_TEXT = 2_000
_KNOWN = frozenset({"dataset", "value", "date", "source", "notes", "verifyToken", "extra"})
_REPO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[0-9a-f]{7,40}")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a result comes from; ``url`` is always an http(s) URL."""

    url: str
    name: str = ""
    user: str = ""
    org: str = ""


@dataclass(frozen=True, slots=True)
class ResultEntry:
    """One valid entry of a result file.

    ``position`` is its index in the list (from 0), ``line`` where it starts (from 1). ``value_text`` is
    the number exactly as written. ``date`` is ISO-8601 as written, or ``""``. ``extra`` holds our optional
    ``extra`` mapping and ``unknown`` every other key, both kept as written (JSON-serialisable).
    """

    path: str
    position: int
    line: int
    dataset_id: str
    task_id: str
    value: float
    value_text: str
    dataset_revision: str = ""
    date: str = ""
    verify_token: str = ""
    source: Source | None = None
    notes: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParsedResults:
    """The valid entries of a file and every problem in it; a bad entry does not take its neighbours down."""

    entries: tuple[ResultEntry, ...]
    problems: tuple[Problem, ...] = ()


def is_result_path(path: str) -> bool:
    """Whether ``path`` names a result file: ``.eval_results/<name>.yaml`` (or ``.yml``), not deeper."""
    return path.startswith(f"{FOLDER}/") and path.count("/") == 1 and path.endswith((".yaml", ".yml"))


def normalise_date(text: str) -> str:
    """An ISO-8601 date or time in the hub's form (UTC, ``Z``); without a zone it is taken as UTC.

    Raises:
        ValueError: it is not one.
    """
    if not _DATE.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text.upper())
    return clock.iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def parse_result_file(data: bytes, path: str) -> ParsedResults:
    """Parse an untrusted result file.

    Args:
        data: the file's bytes.
        path: its path in the repo, for the problems.

    Returns:
        Valid entries and all problems with positions. Never raises on bad input.
    """
    problems = Problems(path)
    root = yaml_nodes.compose(data, problems, max_bytes=MAX_BYTES)
    if root is None:
        if not problems.errors:
            problems.error_at(1, 1, "The file is empty. Write a list of results, or remove the file.")
        return ParsedResults((), problems.all())
    if not isinstance(root, yaml_nodes.Sequence):
        problems.error(root, "The file must be a list of results: begin each with '- dataset:'.")
        return ParsedResults((), problems.all())
    if len(root.items) > MAX_ENTRIES:
        problems.error(root.items[MAX_ENTRIES], f"Only the first {MAX_ENTRIES:,} results of a file are read.")
    entries = []
    for position, node in enumerate(root.items[:MAX_ENTRIES]):
        entry = _Entry(node, path, position, problems).read()
        if entry is not None:
            entries.append(entry)
    return ParsedResults(tuple(entries), problems.all())


class _Entry:
    """Reads one entry; notes every problem in it, and answers nothing if there was an error."""

    def __init__(self, node: Node, path: str, position: int, problems: Problems) -> None:
        self._node, self._path, self._position, self._problems = node, path, position, problems

    def read(self) -> ResultEntry | None:
        before, node = self._problems.errors, self._node
        if not isinstance(node, yaml_nodes.Mapping):
            self._problems.error(node, "A result is a mapping with dataset, value and so on.")
            return None
        dataset = self._dataset(node)
        value, value_text = self._value(node)
        source = self._source(node)
        extra = self._extra(node)
        date, notes = self._date(node), self._text(node, "notes")
        verify_token = self._text(node, "verifyToken", limit=16_384)
        if self._problems.errors > before:
            return None
        return ResultEntry(
            path=self._path,
            position=self._position,
            line=node.line,
            dataset_id=dataset["id"],
            task_id=dataset["task_id"],
            dataset_revision=dataset["revision"],
            value=value,
            value_text=value_text,
            date=date,
            verify_token=verify_token,
            source=source,
            notes=notes,
            extra=extra,
            unknown={key: to_python(value) for key, value in node.items.items() if key not in _KNOWN},
        )

    def _dataset(self, node: yaml_nodes.Mapping) -> dict[str, str]:
        found = {"id": "", "task_id": "", "revision": ""}
        dataset = node.get("dataset")
        if not isinstance(dataset, yaml_nodes.Mapping):
            self._problems.error(node.at("dataset"), "Give the result a dataset: {id: namespace/name, task_id: task}.")
            return found
        for key in ("id", "task_id"):
            found[key] = self._text(dataset, key, required=f"dataset.{key}", limit=200)
        found["revision"] = self._text(dataset, "revision", limit=200)
        if found["id"] and not _REPO_ID.fullmatch(found["id"]):
            self._problems.error(dataset.at("id"), "dataset.id must be namespace/name, as in the dataset's address.")
        if found["revision"] and not _REVISION.fullmatch(found["revision"]):
            self._problems.error(
                dataset.at("revision"), "dataset.revision must be a commit id (7 to 40 hex digits) of that dataset."
            )
        return found

    def _value(self, node: yaml_nodes.Mapping) -> tuple[float, str]:
        value = node.get("value")
        if value is None:
            self._problems.error(node, "The result has no value. Add value: with a number.")
            return 0.0, ""
        number = value.value if isinstance(value, Scalar) else None
        if isinstance(value, Scalar) and not value.plain and _is_number(value.text):
            self._problems.error(value, "value is text in quotes. Write the number without quotes.")
        elif isinstance(number, bool) or not isinstance(number, int | float):
            self._problems.error(value, "value must be a number, such as 0.731 or 41.")
        elif not _is_finite(number):
            self._problems.error(value, "value must be a finite number.")
        else:
            assert isinstance(value, Scalar)
            return float(number), value.text
        return 0.0, ""

    def _date(self, node: yaml_nodes.Mapping) -> str:
        text = self._text(node, "date", limit=100)
        if text:
            try:
                normalise_date(text)
            except (ValueError, OverflowError):
                advice = 'date must be ISO-8601, such as "2026-01-31" or "2026-01-31T12:00:00Z".'
                self._problems.error(node.at("date"), advice)
        return text

    def _source(self, node: yaml_nodes.Mapping) -> Source | None:
        source = node.get("source")
        if source is None or to_python(source) in (None, {}):
            return None
        if not isinstance(source, yaml_nodes.Mapping):
            self._problems.error(source, "source must be a mapping with url and, if you like, name, user and org.")
            return None
        url = self._text(source, "url", required="source.url", limit=2_000)
        if url and (reason := _refuse_url(url)):
            self._problems.error(source.at("url"), reason)
        name, user, org = (self._text(source, key, limit=200) for key in ("name", "user", "org"))
        return Source(url, name, user, org)

    def _extra(self, node: yaml_nodes.Mapping) -> Mapping[str, Any]:
        extra = to_python(node.get("extra"))
        if extra is None:
            return {}
        if not isinstance(extra, dict):
            self._problems.error(node.at("extra"), "extra must be a mapping, such as {n: 1000, stderr: 0.01}.")
            return {}
        return extra

    def _text(self, node: yaml_nodes.Mapping, key: str, *, required: str = "", limit: int = MAX_TEXT) -> str:
        value = node.get(key)
        if value is None or (isinstance(value, Scalar) and value.value is None):
            if required:
                self._problems.error(node.at(key), f"The result has no {required}. Add it.")
            return ""
        if not isinstance(value, Scalar) or isinstance(value.value, bool):
            self._problems.error(value, f"{key} must be text.")
            return ""
        if required and not value.text.strip():
            self._problems.error(value, f"{required} is empty. Fill it in.")
        if len(value.text) > limit:
            self._problems.error(value, f"{key} has {len(value.text):,} characters; at most {limit:,} are kept.")
        return value.text.strip()


def _is_number(text: str) -> bool:
    value = Scalar(text.strip(), True, 1, 1).value
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:  # an integer too large for a float
        return False


@lru_cache(maxsize=1024)  # most results of a model name the same few sources
def _refuse_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "source.url is not a URL. Copy it from the browser's address bar."
    if parts.scheme not in ("http", "https") or not host:
        return "source.url must begin with http:// or https:// and name a host."
    if parts.username is not None or parts.password is not None:
        return "source.url must not contain a user name or password. Remove it."
    if _NOT_IN_URLS.search(url):
        return "source.url must not contain spaces or control characters."
    return ""
