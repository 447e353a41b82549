"""``.eval_results/*.yaml``: the scores a model repo keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from glasshub.evals.problems import Problem

FOLDER = ".eval_results"


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


def parse_result_file(data: bytes, path: str) -> ParsedResults:
    """Parse an untrusted result file.

    Args:
        data: the file's bytes.
        path: its path in the repo, for the problems.

    Returns:
        Valid entries and all problems with positions. Never raises on bad input.
    """
    raise NotImplementedError
