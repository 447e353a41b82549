"""Whatever happens to a hub, in whatever order the index hears of it: it equals a rebuilt one, row for row."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from glasshub import accounts, indexing, repos
from glasshub.config import Settings
from glasshub.errors import Conflict
from glasshub.git import read
from glasshub.git.refs import ZERO
from glasshub.hub import open_hub
from glasshub.identity import Repo
from glasshub.index.db import Index
from tests.index.town import MAIN, Town, eval_yaml, result

pytestmark = pytest.mark.slow

NAMES = st.sampled_from(["ada/a", "ada/b", "lab/a", "LAB/b", "lab/c"])
TASKS = st.sampled_from(["one", "two"])
PICK = st.integers(0, 99)
# Whether the index hears of a change at once, or only later.
HEARD = st.booleans()
ENTRY = st.builds(
    lambda name, task, value, notes, date, revision: (name, task, value, notes, date, revision),
    NAMES,
    TASKS,
    st.sampled_from([0.0, -0.0, 0.5, 1, 1.5, 2]),
    st.sampled_from(["", "", "few-shot"]),
    st.sampled_from(["", "2024-05-01", "2024-05-01T12:00:00+02:00"]),
    st.sampled_from([None, None, None, 0, 1, 2]),
)
METRICS = st.sampled_from(["", "one: {higher_is_better: false}", "two: {range: [0, 1]}", "one: {name: wer, unit: '%'}"])


class Histories(RuleBasedStateMachine):
    """A hub, and a second view of the same data whose changes the first one's index does not hear of."""

    @initialize(benchmarks=st.sampled_from(["open", "shortlist"]))
    def open(self, benchmarks: str) -> None:
        self.folder = Path(tempfile.mkdtemp())
        hub = open_hub(Settings(data=self.folder / "data", benchmarks=benchmarks))
        accounts.add_user(hub, "ada")
        accounts.add_org(hub, "lab", admin="ada")
        self.heard = Town(hub)
        self.unheard = Town(dataclasses.replace(hub, index=Index(self.folder / "other.sqlite")))
        self.touched: list[str] = []
        self.commits: list[str] = [ZERO]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            for key in self.touched:  # in any order: hypothesis shuffled them by choosing them
                indexing.sync_repo(self.heard.hub, key)
            assert indexing.compare(self.heard.hub) == []
            assert indexing.heal(self.heard.hub) == 0
            self.unheard.hub.index.close()
            self.heard.hub.close()
            shutil.rmtree(self.folder)

    def repo(self, pick: int, type: str = "") -> Repo | None:
        # By name, since keys are drawn at random: the same choices must lead to the same history again.
        found = sorted(repos.every(self.heard.hub), key=lambda repo: (repo.type, repo.repo_id.lower()))
        known = [repo for repo in found if repo.type == type or not type]
        return known[pick % len(known)] if known else None

    def town(self, heard: bool, repo: Repo) -> Town:
        if not heard:
            self.touched.insert(len(self.touched) // 2, repo.key)
        return self.heard if heard else self.unheard

    @rule(name=NAMES, type=st.sampled_from(["model", "dataset"]), private=st.booleans(), heard=HEARD)
    def create(self, name: str, type: str, private: bool, heard: bool) -> None:
        town = self.heard if heard else self.unheard
        try:
            repo = town.repo(type, name, private=private)
        except Conflict:
            return
        repos.configure(town.hub, town.actor(), repo, allow_force_push=True)
        self.town(heard, repo)

    @rule(pick=PICK, heard=HEARD)
    def delete(self, pick: int, heard: bool) -> None:
        if repo := self.repo(pick):
            town = self.town(heard, repo)
            repos.delete(town.hub, town.actor(), repo)

    @rule(pick=PICK, name=NAMES, heard=HEARD)
    def move(self, pick: int, name: str, heard: bool) -> None:
        if repo := self.repo(pick):
            town = self.town(heard, repo)
            try:
                repos.move(town.hub, town.actor(), repo, *name.split("/"))
            except Conflict:
                return

    @rule(pick=PICK, private=st.booleans(), heard=HEARD)
    def show_or_hide(self, pick: int, private: bool, heard: bool) -> None:
        if repo := self.repo(pick):
            town = self.town(heard, repo)
            repos.configure(town.hub, town.actor(), repo, private=private)

    @rule(pick=PICK, approved=st.booleans(), heard=HEARD)
    def approve(self, pick: int, approved: bool, heard: bool) -> None:
        if repo := self.repo(pick, "dataset"):
            repos.approve_benchmark(self.town(heard, repo).hub, repo, approved=approved)

    @rule(pick=PICK, entries=st.lists(ENTRY, max_size=4), file=st.sampled_from("ab"), heard=HEARD)
    def report(self, pick: int, entries: list[tuple], file: str, heard: bool) -> None:
        if repo := self.repo(pick, "model"):
            text = "".join(self._entry(*entry) for entry in entries) or "- broken: [\n"
            self._push(repo, {f".eval_results/{file}.yaml": text}, heard)

    @rule(pick=PICK, tasks=st.lists(TASKS, unique=True, min_size=1), metrics=METRICS, heard=HEARD)
    def measure(self, pick: int, tasks: list[str], metrics: str, heard: bool) -> None:
        if metrics and metrics[:3] not in tasks:
            metrics = ""
        if repo := self.repo(pick, "dataset"):
            self._push(repo, {"eval.yaml": eval_yaml(*tasks, metrics=metrics)}, heard)

    @rule(
        pick=PICK,
        text=st.sampled_from(["plain", "---\nbase_model: a/b\ntags: [x]\n---\nHi", "---\n[\n---\n"]),
        heard=HEARD,
    )
    def describe(self, pick: int, text: str, heard: bool) -> None:
        if repo := self.repo(pick):
            self._push(repo, {"README.md": text}, heard)

    @rule(pick=PICK, back=PICK, ref=st.sampled_from([MAIN, MAIN, "refs/heads/side", "refs/tags/v1"]), heard=HEARD)
    def set_ref(self, pick: int, back: int, ref: str, heard: bool) -> None:
        if repo := self.repo(pick):
            with read.open_repo(self.heard.hub.git_dir(repo)) as git:
                own = [commit for commit in self.commits if commit == ZERO or commit.encode() in git]
            self.town(heard, repo).set_ref(repo, ref, own[back % len(own)])

    @precondition(lambda self: self.touched)
    @rule(pick=PICK)
    def hear(self, pick: int) -> None:
        indexing.sync_repo(self.heard.hub, self.touched.pop(pick % len(self.touched)))

    @rule()
    def heal(self) -> None:
        indexing.heal(self.heard.hub)
        self.touched.clear()
        assert indexing.heal(self.heard.hub) == 0

    @rule()
    def reindex(self) -> None:
        indexing.reindex(self.heard.hub)
        self.touched.clear()
        assert indexing.compare(self.heard.hub) == []

    def _entry(self, name: str, task: str, value: float, notes: str, date: str, revision: int | None) -> str:
        fields = {"notes": notes, "date": date}
        if revision is not None and len(self.commits) > revision + 1:
            fields["revision"] = self.commits[-1 - revision][: 40 if revision else 8]
        return result(name, task, value, **{key: text for key, text in fields.items() if text})

    def _push(self, repo: Repo, files: dict[str, str], heard: bool) -> None:
        self.unheard.clock = self.heard.clock = max(self.heard.clock, self.unheard.clock)
        self.commits.append(self.town(heard, repo).push(repo, files))


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
