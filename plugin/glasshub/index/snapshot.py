"""One repo as the registry and git have it at one moment: the only input of the index."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from glasshub.cards import Card
from glasshub.conversation import Discussion
from glasshub.evals.eval_results import ResultEntry
from glasshub.evals.eval_yaml import BenchmarkSpec
from glasshub.evals.problems import Problem
from glasshub.events import Event
from glasshub.identity import Gate, RepoType
from glasshub.verify.keys import RunnerKey
from glasshub.weights.facts import ModelFiles


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
    gated: Gate = ""

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
    """One entry of a result file, on ``main`` or in a pull request, and the commit that last changed the file.

    Attributes:
        entry: what it says.
        id: its :func:`glasshub.evals.result_id.result_id`.
        commit: the commit (40 hex) and ``committed_at`` its date.
        submitter: who proposed it in a pull request, or brought it to ``main``; ``""`` when that is not on record (or
            erased from it).
        git_author: whom the commit names, when no record tells who brought it (``""`` otherwise): anybody may write
            any name there.
        pull: the pull request it is in (0: ``main``).
        via_pull: the pull request by which it came to ``main`` (0: none), and ``merged_by`` who merged that.
        commit_known: whether the commit of the model that its token names is in the history it stands in.
    """

    entry: ResultEntry
    id: str
    commit: str
    committed_at: str
    submitter: str
    pull: int = 0
    via_pull: int = 0
    merged_by: str = ""
    git_author: str = ""
    commit_known: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the hub's own record says: the keys of runners, and the tokens that were issued.

    ``issued`` maps the SHA-256 of a token to the reason for which its run was revoked (``""``: it was not).
    """

    keys: tuple[RunnerKey, ...] = ()
    issued: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A result that the repo's writers have hidden, with who did it, when and why."""

    result: FileResult
    by: str
    date: str
    reason: str


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One commit of the chain of events; ``event`` is ``None`` when this version does not understand it."""

    commit: str
    event: Event | None


@dataclass(frozen=True, slots=True)
class RepoSnapshot:
    """Everything about one repo that the index keeps.

    ``commits`` are the ids of all that a dataset's branches and tags lead to. ``log`` is the whole chain of events,
    of which the index has the first ``logged`` already; ``discussions`` is what the events make. ``content`` is the
    digest of what is on ``main``, where attestations may speak of it; ``recorded`` is for the hub's own record only.
    """

    key: str
    observed: Observed
    head: str = ""
    last_modified: str = ""
    card: Card = field(default_factory=Card)
    files: ModelFiles = field(default_factory=ModelFiles)
    benchmark: BenchmarkSpec | None = None
    results: tuple[FileResult, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    log: tuple[LoggedEvent, ...] = ()
    logged: int = 0
    discussions: tuple[Discussion, ...] = ()
    commits: frozenset[str] = frozenset()
    content: str = ""
    recorded: Recorded = field(default_factory=Recorded)
    problems: tuple[Problem, ...] = ()
