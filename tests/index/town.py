"""Doing what people do to a hub, through its own use cases and its one door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from glasshub import access, accounts, indexing, receive, repos
from glasshub.access import Visibility
from glasshub.git import read
from glasshub.git.build import Delete, Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.index import queries
from glasshub.index.rows import LeaderboardRow, ResultRow

MAIN = "refs/heads/main"
EVERYONE = Visibility()
EVERYTHING = Visibility(everything=True)
START = 1_700_000_000


def eval_yaml(*tasks: str, metrics: str = "", name: str = "Capitals") -> str:
    """A valid ``eval.yaml`` with these task ids."""
    listed = "".join(f"  - id: {task}\n" for task in tasks)
    return f"name: {name}\nevaluation_framework: custom\ntasks:\n{listed}" + (
        f"metrics:\n  {metrics}\n" if metrics else ""
    )


def result(dataset: str, task: str, value: object, **fields: str) -> str:
    """One entry of a result file."""
    revision = f", revision: {fields.pop('revision')}" if "revision" in fields else ""
    entry = f"- dataset: {{id: {dataset}, task_id: {task}{revision}}}\n  value: {value}\n"
    return entry + "".join(f'  {name}: "{text}"\n' for name, text in fields.items())


@dataclass
class Town:
    """A hub and shortcuts to what happens in it."""

    hub: Hub
    clock: int = field(default=START)

    def actor(self, name: str = "ada") -> Actor:
        return accounts.actor_for(self.hub, name)

    def see(self, name: str) -> Visibility:
        return access.visibility(self.actor(name))

    def repo(self, type: str, repo_id: str, *, private: bool = False) -> Repo:
        namespace, name = repo_id.split("/")
        actor = self.actor("bob" if namespace == "bob" else "ada")
        return repos.create(self.hub, actor, type, namespace, name, private=private)

    def dataset(self, repo_id: str, content: str | None = None, *, private: bool = False) -> Repo:
        """A dataset, a benchmark if ``content`` is its ``eval.yaml``."""
        repo = self.repo("dataset", repo_id, private=private)
        if content is not None:
            self.push(repo, {"eval.yaml": content})
        return repo

    def model(self, repo_id: str, results: str = "", *, private: bool = False, card: str = "") -> Repo:
        """A model with one result file."""
        repo = self.repo("model", repo_id, private=private)
        files = {".eval_results/own.yaml": results} if results else {}
        if files or card:
            self.push(repo, {**files, **({"README.md": card} if card else {})})
        return repo

    def build(self, quarantine: Quarantine, parent: str | None, files: Mapping[str, str | bytes | None]) -> str:
        operations = [
            Delete(path) if text is None else Put(path, text.encode() if isinstance(text, str) else text)
            for path, text in files.items()
        ]
        self.clock += 60
        who = Signature("Ada", "ada@example.org", self.clock)
        return build_commit(quarantine, parent, operations, message="Change", author=who)

    def push(
        self,
        repo: Repo,
        files: Mapping[str, str | bytes | None],
        *,
        ref: str = MAIN,
        parent: str | None = "",
        who: str = "",
    ) -> str:
        """Commit on top of ``ref`` (or of ``parent``; ``None``: an orphan) and push; ``None`` deletes a file."""
        with read.open_repo(self.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
            old = read.list_refs(git).get(ref, ZERO)
            base = parent if parent != "" else (None if old == ZERO else old)
            new = self.build(incoming, base, files)
            self._apply(repo, RefUpdate(old, new, ref), incoming, who)
        return new

    def set_ref(self, repo: Repo, ref: str, new: str = ZERO) -> None:
        """Move (or by default delete) a ref."""
        with read.open_repo(self.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
            old = read.list_refs(git).get(ref, ZERO)
            if old != new:
                self._apply(repo, RefUpdate(old, new, ref), incoming)

    def _apply(self, repo: Repo, update: RefUpdate, incoming: Quarantine, who: str = "") -> None:
        actor = self.actor(who or ("bob" if repo.namespace == "bob" else "ada"))
        done = receive.apply_ref_updates(self.hub, repo, [update], actor, incoming=incoming)
        assert done[0].ok, done[0].error

    def board(self, dataset: Repo, task: str, see: Visibility = EVERYONE, **options: object) -> list[LeaderboardRow]:
        return list(queries.leaderboard(self.hub.index.read(), see, dataset.key, task, **options).items)

    def standing(self, dataset: Repo, task: str, see: Visibility = EVERYONE, **options: object) -> list[tuple]:
        """(rank, model, value) of a leaderboard."""
        return [(r.rank, r.result.model_id, r.result.value) for r in self.board(dataset, task, see, **options)]

    def results(self, model: Repo, see: Visibility = EVERYONE) -> list[ResultRow]:
        return queries.results_of_model(self.hub.index.read(), see, model.key)

    def states(self, model: Repo, see: Visibility = EVERYONE) -> list[str]:
        return [r.state for r in self.results(model, see)]

    def assert_equal_to_rebuilt(self) -> None:
        """The kept index is the rebuilt one, row for row."""
        assert indexing.compare(self.hub) == []
