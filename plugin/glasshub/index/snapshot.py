"""One repo as the registry and git have it at one moment: the only input of the index."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from glasshub.cards import Card
from glasshub.evals.eval_results import ResultEntry
from glasshub.evals.eval_yaml import BenchmarkSpec
from glasshub.evals.problems import Problem
from glasshub.identity import RepoType


@dataclass(frozen=True, slots=True)
class Owner:
    """The namespace of a repo."""

    name: str
    kind: Literal["user", "org"]
    full_name: str


@dataclass(frozen=True, slots=True)
class RepoFacts:
    """What the registry says of a repo. ``old_names`` are lower-cased ids that redirect to it.

    ``registered`` says whether a valid ``eval.yaml`` makes it a benchmark (the setting, or an admin's approval).
    """

    type: RepoType
    namespace: str
    name: str
    private: bool
    created_at: str
    old_names: tuple[str, ...]
    registered: bool

    @property
    def repo_id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def scope(self) -> str:
        """``""`` for a public repo, else the lower-cased namespace that may see it."""
        return self.namespace.lower() if self.private else ""

    @property
    def names(self) -> frozenset[str]:
        """Its present and former names, lower-cased."""
        return frozenset({self.repo_id.lower(), *self.old_names})

    def as_json(self) -> str:
        """All but the former names as text, for comparing with what was indexed.

        (Another repo can take a former name away, and only that other one is synced then.)
        """
        facts = asdict(self)
        del facts["old_names"]
        return json.dumps(facts, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Observed:
    """The outside of a repo, cheap to read: any change of what is indexed shows here."""

    git_dir: Path
    facts: RepoFacts
    owner: Owner
    refs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileResult:
    """One entry of a result file on ``main`` and the commit that last changed the file."""

    entry: ResultEntry
    commit: str
    committed_at: str
    submitter: str


@dataclass(frozen=True, slots=True)
class RepoSnapshot:
    """Everything about one repo that the index keeps.

    ``commits`` are the ids of all that a dataset's branches and tags lead to.
    """

    key: str
    observed: Observed
    head: str = ""
    last_modified: str = ""
    card: Card = field(default_factory=Card)
    benchmark: BenchmarkSpec | None = None
    results: tuple[FileResult, ...] = ()
    commits: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
