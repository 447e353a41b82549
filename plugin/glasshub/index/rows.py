"""What the index answers with: one frozen value per kind of row, ready for pages and API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from glasshub.conversation import Discussion
from glasshub.evals.eval_yaml import Metric
from glasshub.identity import Gate, RepoType
from glasshub.verify.states import State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing.

    ``cursor`` is opaque and ``None`` on the last page; ``total`` counts what the reader may see.
    """

    items: Sequence[T]
    cursor: str | None = None
    total: int = 0


@dataclass(frozen=True, slots=True)
class RepoRow:
    """A repo with its card's metadata. ``head`` is ``main``'s commit (``""`` when empty); ``card`` the front matter.

    ``benchmark`` is ``"registered"``, ``"awaiting"`` or ``""``. ``parameters`` counts those of a model, if known. Dates
    as in :mod:`glasshub.clock`.
    """

    key: str
    type: RepoType
    namespace: str
    name: str
    private: bool
    created_at: str
    last_modified: str
    head: str = ""
    title: str = ""
    excerpt: str = ""
    card: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    license: str = ""
    pipeline_tag: str = ""
    library_name: str = ""
    base_models: tuple[str, ...] = ()
    benchmark: Literal["", "registered", "awaiting"] = ""
    results: int = 0
    parameters: int | None = None
    downloads: int = 0
    downloads_all_time: int = 0
    likes: int = 0
    trending: int = 0
    gated: Gate = ""

    @property
    def repo_id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/{self.repo_id}" if self.type == "model" else f"/datasets/{self.repo_id}"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task of a benchmark with the number of models on its leaderboard (as the reader sees it)."""

    dataset_key: str
    dataset_id: str
    task_id: str
    position: int
    config: str
    split: str
    metric: Metric
    spec: Mapping[str, Any]
    models: int = 0


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """A benchmark: a dataset repo with a valid ``eval.yaml`` on ``main``."""

    key: str
    dataset_id: str
    state: Literal["registered", "awaiting"]
    name: str
    description: str
    framework: str
    head: str
    private: bool
    tasks: tuple[TaskRow, ...] = ()
    models: int = 0
    results: int = 0


class ResultRow(NamedTuple):  # quicker to make than a dataclass, and a page may have thousands
    """One result with its provenance, as one reader may see it.

    ``state`` is an :class:`glasshub.evals.alignment.Alignment` value and ``reason`` its sentence.
    ``dataset_key`` is ``""`` when the dataset is not on this hub (or not for this reader).
    ``commit`` is the commit that last changed the file; ``date`` the result's own date or that commit's.
    ``rank``/``of`` is the standing on its leaderboard, 0 unless this is the headline result of an aligned task.
    ``higher_is_better`` follows the task's metric. ``id`` is the claim's :func:`glasshub.evals.result_id.result_id`,
    ``pull`` the pull request it is in (0: ``main``), ``via_pull`` the one by which it came to ``main``, merged by
    ``merged_by``; ``submitter`` is the author of either, else who brought it to ``main``. Where no record tells that,
    ``git_author`` is whom the commit names: text, and no account. ``badge`` is the state of its token
    (:class:`glasshub.verify.states.State`; ``""``: it has none), with a sentence for people, and who signed.
    """

    model_key: str
    model_id: str
    path: str
    position: int
    line: int
    dataset_id: str
    dataset_key: str
    task_id: str
    value: float
    value_text: str
    date: str
    dataset_revision: str
    source_url: str
    source_name: str
    source_user: str
    source_org: str
    notes: str
    verify_token: str
    extra: Mapping[str, Any]
    unknown: Mapping[str, Any]
    origin: Literal["author", "community"]
    pull: int
    commit: str
    submitter: str
    id: str
    via_pull: int
    merged_by: str
    git_author: str
    badge: str
    badge_reason: str
    runner: str
    state: str
    reason: str
    headline: bool
    benchmark_name: str = ""
    metric: Metric = Metric()
    rank: int = 0
    of: int = 0

    @property
    def verified(self) -> bool:
        """Whether its token earns it the badge: a registered runner signed exactly this (:mod:`glasshub.verify`)."""
        return self.badge in (State.VERIFIED, State.ENDPOINT)


class LeaderboardRow(NamedTuple):
    """One model on one leaderboard: its headline result, its rank among what the reader may see, and the spread.

    ``reports`` counts all aligned results of this model for this task; ``low``/``high`` are their extremes.
    """

    rank: int
    result: ResultRow
    namespace_kind: Literal["user", "org"]
    namespace_full_name: str
    reports: int
    low: float
    high: float
    derived: bool
    parameters: int | None = None


@dataclass(frozen=True, slots=True)
class DiscussionRow:
    """A discussion or pull request in a list.

    ``comments`` counts those that are not hidden, without the opening one.
    """

    key: str
    number: int
    is_pull: bool
    title: str
    author: str
    status: Literal["draft", "open", "closed", "merged"]
    created_at: str
    updated_at: str
    comments: int
    pinned: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """Something that concerns somebody: a discussion, or with number 0 what was decided about a repo's results.

    ``reason`` is mentioned, result, opened, took part or watching. ``place``, ``event_id``, ``event`` (its type),
    ``actor`` and ``date`` are of the last event in it by somebody else. Number 0 has neither title nor status.
    """

    key: str
    repo_type: RepoType
    repo_id: str
    number: int
    title: str
    is_pull: bool
    status: str
    reason: str
    place: int
    event_id: str
    event: str
    actor: str
    date: str


@dataclass(frozen=True, slots=True)
class FeedResult:
    """A result in a feed; ``told_at`` is the date of the commit that reported it."""

    result: ResultRow
    told_at: str


@dataclass(frozen=True, slots=True)
class FeedDiscussion:
    """A discussion or pull request in a feed, and the repo that it is in."""

    key: str
    repo_type: RepoType
    repo_id: str
    discussion: Discussion


@dataclass(frozen=True, slots=True)
class HiddenRow:
    """A result that stands in the files and is hidden: what it says, and who hid it, when and why."""

    model_key: str
    id: str
    pull: int
    path: str
    line: int
    dataset_id: str
    task_id: str
    value_text: str
    submitter: str
    git_author: str
    hidden_by: str
    hidden_at: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem in a file of a repo, at the commit indexed last."""

    key: str
    path: str
    line: int
    column: int
    message: str
    severity: Literal["error", "warning"]
