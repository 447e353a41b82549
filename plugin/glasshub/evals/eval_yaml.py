"""``eval.yaml``: what makes a dataset repo a benchmark.

Format: https://huggingface.co/docs/hub/eval-results (hub-wide part), Inspect AI's task files (see
:mod:`glasshub.evals.inspect_schema`), and our optional top-level ``metrics``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Any, cast

from glasshub.evals import frameworks, inspect_schema, yaml_nodes
from glasshub.evals.problems import Problem
from glasshub.evals.yaml_nodes import Mapping, Node, Problems, Scalar, Sequence, to_python

PATH = "eval.yaml"
MAX_BYTES = 512 * 1024
MAX_TASKS = 2_000
MAX_TEXT = 5_000
_METRIC_KEYS = frozenset({"name", "higher_is_better", "unit", "range"})


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
    spec: MappingType[str, Any] = field(default_factory=dict)


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
    problems = Problems(PATH)
    root = yaml_nodes.compose(data, problems, max_bytes=MAX_BYTES)
    if root is None and problems.errors:
        # Unreadable: ours only if it at least mentions what makes a file ours.
        ours = b"evaluation_framework" in data
        return ParsedBenchmark(None, problems.all() if ours else (), foreign=not ours)
    if not isinstance(root, Mapping) or not _is_ours(root):
        return ParsedBenchmark(None, foreign=True)
    spec = _Reader(root, repo_id, problems).read()
    return ParsedBenchmark(None if problems.errors else spec, problems.all())


def _is_ours(root: Mapping) -> bool:
    """A file that names a framework and tasks means to be a benchmark; others of this name are left alone."""
    return "evaluation_framework" in root.items and "tasks" in root.items


class _Reader:
    """Reads one file that means to be a benchmark."""

    def __init__(self, root: Mapping, repo_id: str, problems: Problems) -> None:
        self._root, self._repo_id, self._problems = root, repo_id, problems
        self._framework = ""

    def read(self) -> BenchmarkSpec:
        name = self._text("name", required=True)
        description = self._text("description")
        self._framework = self._text("evaluation_framework", required=True)
        self._check_framework()
        tasks = self._tasks()
        metrics = self._metrics({task.id for task in tasks})
        return BenchmarkSpec(
            name,
            description,
            self._framework,
            tuple(Task(t.id, t.config, t.split, metrics.get(t.id, Metric()), t.spec) for t in tasks),
        )

    def _check_framework(self) -> None:
        node = self._root.at("evaluation_framework")
        if self._framework and self._framework not in frameworks.KNOWN:
            self._problems.warn(node, f"{self._framework!r} is not a framework this hub knows; check the spelling.")
        namespace = self._repo_id.split("/")[0]
        if self._framework == frameworks.INSPECT and namespace.lower().endswith("hf"):
            self._problems.warn(
                node,
                f"Inspect cannot load benchmarks of namespaces that end in 'hf', such as {namespace}. Move the repo.",
            )

    def _tasks(self) -> list[Task]:
        node = self._root.get("tasks")
        if not isinstance(node, Sequence) or not node.items:
            self._problems.error(self._root.at("tasks"), "tasks must be a list with at least one - id: ...")
            return []
        if len(node.items) > MAX_TASKS:
            self._problems.error(node.items[MAX_TASKS], f"A benchmark has at most {MAX_TASKS:,} tasks.")
        tasks: dict[str, Task] = {}
        for item in node.items[:MAX_TASKS]:
            task = self._task(item)
            if task is not None and task.id in tasks:
                assert isinstance(item, Mapping)
                self._problems.error(item.at("id"), f"Two tasks have the id {task.id!r}. Each needs its own.")
            elif task is not None:
                tasks[task.id] = task
        return list(tasks.values())

    def _task(self, node: Node) -> Task | None:
        if not isinstance(node, Mapping):
            self._problems.error(node, "Write each task as a mapping that begins with - id: ...")
            return None
        if self._framework == frameworks.INSPECT:
            inspect_schema.check_task(node, self._problems)
        task_id = self._task_text(node, "id", "", required=True)
        if "/" in task_id and self._framework == frameworks.INSPECT:
            self._problems.warn(node.at("id"), "Inspect cannot select a task whose id contains '/'.")
        config = self._task_text(node, "config", "default")
        split = self._task_text(node, "split", "test")
        spec = cast("dict[str, Any]", to_python(node))
        return Task(task_id, config, split, spec=spec) if task_id else None

    def _task_text(self, node: Mapping, key: str, default: str, *, required: bool = False) -> str:
        value = node.get(key)
        if value is None:
            if required:
                self._problems.error(node, f"The task has no {key}. Add {key}: ...")
            return default
        if not isinstance(value, Scalar) or not isinstance(value.value, str):
            self._problems.error(value, f"{key} must be text; put it in quotes if it looks like a number.")
            return default
        text = value.text.strip()
        if not text or len(text) > 200 or any(ord(character) < 32 for character in text):
            self._problems.error(value, f"{key} must have 1 to 200 characters on one line.")
        return text

    def _text(self, key: str, *, required: bool = False) -> str:
        value = self._root.get(key)
        if value is None:
            if required:
                self._problems.error(self._root, f"The file has no {key}. Add {key}: ...")
            return ""
        if not isinstance(value, Scalar) or isinstance(value.value, bool) or value.value is None:
            self._problems.error(value, f"{key} must be text.")
            return ""
        if len(value.text) > MAX_TEXT:
            self._problems.error(value, f"{key} has {len(value.text):,} characters; at most {MAX_TEXT:,} are kept.")
        if required and not value.text.strip():
            self._problems.error(value, f"{key} is empty. Fill it in.")
        return value.text.strip()

    def _metrics(self, task_ids: set[str]) -> dict[str, Metric]:
        node = self._root.get("metrics")
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return {}
        if not isinstance(node, Mapping):
            self._problems.error(
                node, "metrics must be a mapping from task ids to {name, higher_is_better, unit, range}."
            )
            return {}
        found = {}
        for task_id, value in node.items.items():
            if task_id not in task_ids:
                self._problems.error(node.keys[task_id], f"metrics names {task_id!r}, but no task has that id.")
            else:
                found[task_id] = self._metric(value)
        return found

    def _metric(self, node: Node) -> Metric:
        if not isinstance(node, Mapping):
            self._problems.error(node, "Write a metric as {name: accuracy, higher_is_better: true, range: [0, 1]}.")
            return Metric()
        for key in node.items:
            if key not in _METRIC_KEYS:
                known = ", ".join(sorted(_METRIC_KEYS))
                self._problems.error(node.keys[key], f"A metric has no {key!r}. Known: {known}.")
        better = to_python(node.get("higher_is_better"))
        if better is not None and not isinstance(better, bool):
            self._problems.error(node.at("higher_is_better"), "higher_is_better must be true or false.")
        low, high = self._range(node)
        name, unit = (self._short(node, key) for key in ("name", "unit"))
        return Metric(name, better is not False, unit, low, high)

    def _short(self, node: Mapping, key: str) -> str:
        value = node.get(key)
        if value is None:
            return ""
        if not isinstance(value, Scalar) or len(value.text) > 100:
            self._problems.error(value, f"{key} of a metric must be text of at most 100 characters.")
            return ""
        return value.text.strip()

    def _range(self, node: Mapping) -> tuple[float | None, float | None]:
        value = node.get("range")
        if value is None:
            return None, None
        ends = (
            [item.value if isinstance(item, Scalar) else "" for item in value.items]
            if isinstance(value, Sequence)
            else []
        )
        if len(ends) != 2 or any(isinstance(end, bool | str) for end in ends):
            self._problems.error(value, "range must be [lowest, highest]; write null for an open end.")
            return None, None
        low, high = (_finite(end) for end in ends)
        if low is not None and high is not None and low >= high:
            self._problems.error(value, "range must have its lower end first.")
        return low, high


def _finite(number: object) -> float | None:
    if number is None:
        return None
    assert isinstance(number, int | float)
    try:
        value = float(number)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None
