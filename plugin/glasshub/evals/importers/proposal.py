"""What the file of an evaluation tool says, as results that could be reported. Nothing in it is made up.

A file holds one or more **drafts**, one for each thing that it measured. Each has **measures**: all the numbers that
the tool gives for it, by the tool's own names. Which of them is the score of which task of which benchmark is said by
the file or by a person, never guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from glasshub.evals.importers.json_values import parse_json

LOGS = ".eval_logs"
MAX_KEPT = 10 * 1024 * 1024  # bytes of a file that is kept in the model's repo
MOST_BENCHMARKS = 200  # that are offered where a file names no dataset
_DIGITS = 16  # of the digest, in the name of a kept file
MAX_BYTES = 64 * 1024 * 1024
MAX_DRAFTS = 1_000
MAX_MEASURES = 200
MAX_REMARKS = 50


class Complete(StrEnum):
    """Whether all items were measured, as far as the file tells."""

    YES = "true"
    NO = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number, as the file names it.

    ``value`` and ``stderr`` are numbers as text (``stderr`` may be ``""``). ``headline``: the file's format says that
    this one stands for the run.
    """

    name: str
    value: str
    stderr: str = ""
    n: int | None = None
    headline: bool = False
    higher_is_better: bool | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """One thing that was measured. ``""`` stands for what the file does not say.

    Attributes:
        what: how the file calls it; no two drafts of a file are called the same.
        measures: the numbers, at least one.
        dataset: ``namespace/name``, as the file says.
        task: the task of that benchmark, as the file says.
        only_task: the file says that its benchmark has a single task, without naming it.
        revision: a commit of the dataset.
        config: the part of the dataset.
        split: the split of it.
        date: when it was measured, in the hub's form.
        complete: whether all items were measured.
        ran: how many of how many, in words.
        conditions: settings of the run by name, those of ``extra`` in result files.
    """

    what: str
    measures: tuple[Measure, ...]
    dataset: str = ""
    task: str = ""
    only_task: bool = False
    revision: str = ""
    config: str = ""
    split: str = ""
    date: str = ""
    complete: Complete = Complete.UNKNOWN
    ran: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one file says.

    Attributes:
        tool: what wrote it, such as ``lm-evaluation-harness``.
        version: of the tool (``""``: not said).
        drafts: at least one.
        ending: of the file when it is kept: ``eval``, ``json`` or ``md``.
        model: how the file calls the model; names are not to be trusted.
        model_revision: a commit of the model.
        holds_items: whether questions and answers of the benchmark are in the file.
        remarks: what was left out, and why.
        sha256: of the file.
        size: of the file in bytes.
    """

    tool: str
    version: str
    drafts: tuple[Draft, ...]
    ending: str = "json"
    model: str = ""
    model_revision: str = ""
    holds_items: bool = False
    remarks: tuple[str, ...] = ()
    sha256: str = ""
    size: int = 0

    @property
    def written_by(self) -> str:
        """Tool and version."""
        return f"{self.tool} {self.version}".strip()

    @property
    def kept_path(self) -> str:
        """Where the file is kept in the model's repo."""
        return f"{LOGS}/{self.sha256[:_DIGITS]}.{self.ending}"

    def draft(self, what: str) -> Draft | None:
        """The draft that is called so."""
        return next((draft for draft in self.drafts if draft.what == what), None)


@dataclass(frozen=True)
class LogFile:
    """An untrusted file: its name (without folders; it may say when it was written) and its bytes."""

    name: str
    data: bytes

    @cached_property
    def document(self) -> Any:
        """Its JSON; ``None`` if it is none, or more than is read."""
        return parse_json(self.data) if self.data[:1024].lstrip()[:1] in (b"{", b"[") else None

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Importer:
    """A format that the hub reads.

    Attributes:
        name: of the tool, as people know it.
        read: gives what a file says; ``None`` if it is of another format. Raises ``Invalid`` or ``TooLarge`` if it is
            of this format and cannot be used.
    """

    name: str
    read: Callable[[LogFile], Proposal | None]
