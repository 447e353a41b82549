"""The published MTEB scores as repos: which benchmarks, which models, and what stands in their files.

The table is tab-separated (gzip) with the columns ``model, model_revision, task, dataset_revision, split, subset,
main_score, mteb_version``, a row per score. It becomes a hub like this:

- ``task``: a benchmark, the dataset repo ``mteb/<task>``;
- ``split`` and ``subset`` within it: a task ``<split>.<subset>`` of its ``eval.yaml``, with a leaderboard of its own;
- ``model``: a model repo of the same name (characters that no repo name may have become ``-``);
- every row: one result. Those of one model for one benchmark, at one revision of both, share a file.

Values are copied as text. Rows whose score is not a finite number are left out.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

SOURCE = "https://github.com/embeddings-benchmark/results"
NAMESPACE = "mteb"
_REFUSED = re.compile(r"[^A-Za-z0-9._]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table, as text."""

    model: str
    model_revision: str
    benchmark: str
    dataset_revision: str
    split: str
    subset: str
    value: str
    version: str

    @property
    def task(self) -> str:
        """The task of the benchmark that the score is for."""
        return f"{self.split}.{self.subset}"


@dataclass(frozen=True)
class Table:
    """The part of the table that a hub is made of. ``tasks``: per benchmark those of its tasks; ``rows``: how many."""

    path: Path
    tasks: dict[str, list[tuple[str, str]]]
    models: frozenset[str]
    rows: int

    def by_model(self) -> Iterator[tuple[str, list[Row]]]:
        """Each model with its rows, a few at a time, since all of them are large."""
        kept = (row for row in read(self.path) if row.model in self.models and row.benchmark in self.tasks)
        for model, rows in groupby(kept, attrgetter("model")):
            yield model, list(rows)


def read(path: Path) -> Iterator[Row]:
    """Every row with a finite score."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(lines)
        for line in lines:
            row = Row(*line)
            if row.value and math.isfinite(float(row.value)):
                yield row


def select(path: Path, *, models: int | None = None, benchmarks: int | None = None) -> Table:
    """The ``models`` and ``benchmarks`` that meet in most rows (all by default)."""
    pairs: Counter[tuple[str, str]] = Counter((row.model, row.benchmark) for row in read(path))
    chosen_benchmarks = _most(Counter(benchmark for _, benchmark in pairs), benchmarks)
    chosen_models = _most(Counter(model for model, benchmark in pairs if benchmark in chosen_benchmarks), models)
    tasks: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    rows = 0
    for row in read(path):
        if row.model in chosen_models and row.benchmark in chosen_benchmarks:
            tasks[row.benchmark].add((row.split, row.subset))
            rows += 1
    return Table(path, {name: sorted(found) for name, found in sorted(tasks.items())}, chosen_models, rows)


def repo_id(model: str) -> tuple[str, str]:
    """Namespace and name of a model's repo."""
    namespace, _, name = model.partition("/")
    return namespace, _REFUSED.sub("-", name).strip("-.") if _REFUSED.search(name) else name


def eval_yaml(benchmark: str, tasks: Iterable[tuple[str, str]]) -> str:
    """The ``eval.yaml`` of a benchmark with these (split, subset)."""
    listed, metrics = [], []
    for split, subset in tasks:
        name = json.dumps(f"{split}.{subset}")
        listed.append(f"  - {{id: {name}, config: {json.dumps(subset)}, split: {json.dumps(split)}}}\n")
        metrics.append(f"  {name}: {{name: main_score}}\n")
    head = f"name: {benchmark}\ndescription: {benchmark} of MTEB.\nevaluation_framework: mteb\n"
    return f"{head}tasks:\n{''.join(listed)}metrics:\n{''.join(metrics)}"


def result_files(rows: Iterable[Row]) -> dict[str, str]:
    """The files in ``.eval_results/`` of the model that these rows are about."""
    groups: defaultdict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.benchmark, row.model_revision, row.dataset_revision].append(row)
    files: dict[str, str] = {}
    for (benchmark, _, _), found in groups.items():
        files[_free(files, benchmark)] = "".join(map(_entry, found))
    return files


def _free(taken: Collection[str], benchmark: str) -> str:
    number, path = 1, f".eval_results/{benchmark}.yaml"
    while path in taken:
        number += 1
        path = f".eval_results/{benchmark}-{number}.yaml"
    return path


def _entry(row: Row) -> str:
    return (
        f"- dataset:\n    id: {NAMESPACE}/{row.benchmark}\n    task_id: {json.dumps(row.task)}\n  value: {row.value}\n"
        f"  source:\n    url: {SOURCE}\n    name: MTEB results\n"
        f"  extra:\n    model_revision: {json.dumps(row.model_revision)}\n"
        f"    dataset_revision: {json.dumps(row.dataset_revision)}\n    mteb_version: {json.dumps(row.version)}\n"
    )


def _most(counts: Counter[str], number: int | None) -> frozenset[str]:
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return frozenset(ranked[:number])
