"""``eval.yaml``: what makes a dataset repo a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from glasshub.evals.problems import Problem

PATH = "eval.yaml"


@dataclass(frozen=True, slots=True)
class Metric:
    """How a task is measured (our optional top-level ``metrics``). ``minimum``/``maximum`` are the declared range."""

    name: str = ""
    higher_is_better: bool = True
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One entry of ``tasks[]``; ``spec`` is the whole mapping as written (JSON-serialisable)."""

    id: str
    config: str
    split: str
    metric: Metric = field(default_factory=Metric)
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BenchmarkSpec:
    """A valid ``eval.yaml``."""

    name: str
    description: str
    framework: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class ParsedBenchmark:
    """The outcome of reading ``eval.yaml``.

    ``spec`` is ``None`` when there are errors or the file is ``foreign`` (another tool's; no problems then).
    """

    spec: BenchmarkSpec | None
    problems: tuple[Problem, ...] = ()
    foreign: bool = False

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse a push to ``main``."""
        return tuple(p for p in self.problems if p.severity == "error")


def parse_eval_yaml(data: bytes, *, repo_id: str = "") -> ParsedBenchmark:
    """Parse an untrusted ``eval.yaml``.

    Args:
        data: the file's bytes.
        repo_id: ``namespace/name`` of the dataset, for advice that depends on it (Inspect's ``hf/`` trap).

    Returns:
        The spec, or every problem found with its position. Never raises on bad input.
    """
    raise NotImplementedError
