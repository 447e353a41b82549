"""What every page of a repo needs: the repo, its row in the index, its tabs; and one way to route both types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint
from flask.typing import ResponseReturnValue

from glasshub import access, gates
from glasshub.access import Action, Visibility
from glasshub.identity import Repo, RepoType
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, RepoRow
from glasshub.web.context import actor, hub, load_repo
from glasshub.web.links import commits_url, tree_url

MAIN = "main"
View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of a repo's pages; ``count`` is shown when it is not ``None``."""

    key: str
    label: str
    address: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class RepoView:
    """A repo that the reader may see, with what the index knows of it."""

    repo: Repo
    row: RepoRow
    benchmark: BenchmarkRow | None
    may_write: bool
    may_administer: bool
    open_discussions: int = 0
    may_read_files: bool = True

    @property
    def path(self) -> str:
        """The path of its page."""
        return self.repo.path

    @property
    def tags(self) -> Sequence[str]:
        """The tags people care for: clients also expect plain languages and the mark of a benchmark among them.

        How a model came from others is told beside the card.
        """
        tags, bases = self.row.tags, {f"base_model:{base}" for base in self.row.base_models}
        shown = [tag for tag in tags if not tag.startswith(("benchmark:", "base_model:")) or tag in bases]
        return [tag for tag in shown if f"language:{tag}" not in tags]

    @property
    def section(self) -> str:
        """The entry of the main navigation that its pages belong to."""
        return "benchmarks" if self.row.benchmark else f"{self.repo.type}s"

    def offers_edits(self, ref: str) -> bool:
        """Whether pages offer to edit what stands at a ref (its full name): by a commit or a pull request."""
        if ref == f"refs/heads/{MAIN}" and self.repo.pulls_enabled:
            return True
        return ref.startswith("refs/pr/") or (self.may_write and ref.startswith("refs/heads/"))

    def tabs(self) -> Sequence[Tab]:
        """The tabs of its pages in order."""
        repo = self.repo
        tabs = [Tab("card", "Card", repo.path)]
        if repo.type == "model" and self.row.head:
            tabs.append(Tab("evaluations", "Evaluations", f"{repo.path}/evaluations", self.row.results or None))
        tabs.append(Tab("files", "Files", tree_url(repo.path, MAIN)))
        tabs.append(Tab("history", "History", commits_url(repo.path, MAIN)))
        tabs.append(Tab("discussions", "Community", f"{repo.path}/discussions", self.open_discussions))
        if repo.gated and self.may_write:
            tabs.append(Tab("access", "Access", f"{repo.path}/access-requests"))
        if self.may_administer:
            tabs.append(Tab("settings", "Settings", f"{repo.path}/settings"))
        return tabs


def view_repo(type: RepoType, ns: str, name: str, action: Action = Action.READ) -> RepoView:
    """Load the repo that an address names; pages with the content of files ask for ``READ_FILES``.

    Raises as :func:`glasshub.web.context.load_repo`.
    """
    repo, who = load_repo(type, ns, name, action), actor()
    index = hub().index.read()
    return RepoView(
        repo,
        queries.repo(index, repo.key) or _bare_row(repo),
        queries.benchmark(index, see(), repo.key) if type == "dataset" else None,
        access.may(who, Action.WRITE, repo),
        access.may(who, Action.ADMINISTER, repo),
        queries.discussion_counts(index, repo.key)["open"],
        gates.may_read_files(hub(), who, repo),
    )


def see() -> Visibility:
    """What the reader may see, for the queries of the index."""
    return access.visibility(actor())


def repo_routes(bp: Blueprint, suffix: str = "", *, methods: Sequence[str] = ("GET",)) -> Callable[[View], View]:
    """Route a view for models at ``/ns/name<suffix>`` and for datasets at ``/datasets/ns/name<suffix>``."""

    def register(view: View) -> View:
        for prefix, type in (("", "model"), ("/datasets", "dataset")):
            rule = f"{prefix}/<ns>/<name>{suffix}"
            bp.add_url_rule(rule, f"{view.__name__}_{type}", view, defaults={"type": type}, methods=methods)
        return view

    return register


def _bare_row(repo: Repo) -> RepoRow:
    # A repo made a moment ago, before its first sync.
    created = repo.created_at
    return RepoRow(repo.key, repo.type, repo.namespace, repo.name, repo.private, created, created, gated=repo.gated)
