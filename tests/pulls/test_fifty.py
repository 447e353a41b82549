"""Fifty pull requests in random order: the same cards and leaderboards kept, rebuilt, and restored from bare copies."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from glasshub import accounts, discussions, indexing, pulls, repos, results
from glasshub.errors import GlasshubError
from glasshub.git import read
from glasshub.hub import open_hub
from glasshub.identity import Repo, Role
from glasshub.index import queries
from tests.index.town import EVERYTHING, MAIN, eval_yaml, result
from tests.pulls.village import Village

pytestmark = pytest.mark.slow
PULLS = 50
TASKS = ("europe", "asia", "africa")
PEOPLE = ("ada", "bob", "eve", "mo")
WRITERS = ("ada", "bob")


class Story:
    """What happens, chosen by chance."""

    def __init__(self, village: Village, models: list[Repo], chance: random.Random) -> None:
        self.village, self.models, self.chance = village, models, chance
        self.opened = self.refused = self.done = 0
        self.begun: dict[str, str] = {}

    def file(self) -> dict[str, str]:
        dice = self.chance.randint
        entries = [
            result("lab/cap", self.chance.choice(TASKS), dice(0, 9), notes=f"n{dice(0, 1)}") for _ in range(dice(1, 3))
        ]
        return {f".eval_results/f{dice(0, 4)}.yaml": "".join(entries)}

    def step(self) -> None:
        model = self.chance.choice(self.models)
        known = self.village.discussions(model)
        if self.opened < PULLS and (not known or self.chance.random() < 0.3):
            options = ("draft",) if self.chance.random() < 0.2 else ()
            self.village.propose(model, self.chance.choice(PEOPLE), self.file(), options=options)
            self.opened += 1
            return
        if not known:
            return
        number = self.chance.choice(list(known))
        try:
            self.chance.choice([self.push, self.push_main, self.status, self.status, self.merge, self.hide, self.show,
                                self.comment, self.delete])(model, number)  # fmt: skip
            self.done += 1
        except (GlasshubError, KeyError):
            self.refused += 1  # merged twice, a conflict, nothing to hide: as in life

    def push(self, model: Repo, number: int) -> None:
        self.village.update(model, "ada", number, self.file())

    def push_main(self, model: Repo, _number: int) -> None:
        begun = self.begun.setdefault(model.key, main_of(self.village, model))
        parent = begun if self.chance.random() < 0.1 else ""  # now and then main is rewritten
        self.village.push(model, self.file(), parent=parent, who=self.chance.choice(WRITERS))

    def status(self, model: Repo, number: int) -> None:
        status = self.chance.choice(["open", "closed", "draft"])
        self.village.decide(model, "ada", discussions.set_status, number=number, status=status)

    def merge(self, model: Repo, number: int) -> None:
        who = self.chance.choice(WRITERS)
        self.village.decide(model, who, pulls.merge, number=number, how=self.chance.choice(pulls.HOWS))

    def hide(self, model: Repo, _number: int) -> None:
        shown = [row.id for row in self.village.results(model)]
        if shown:
            wanted = self.chance.choice(shown)
            self.village.decide(model, "ada", results.hide_result, result_id=wanted, reason="No.")
            assert wanted not in [row.id for row in self.village.results(model)]

    def show(self, model: Repo, _number: int) -> None:
        hidden = queries.hidden_results(self.village.hub.index.read(), model.key)
        if hidden:
            self.village.decide(model, "ada", results.show_result, result_id=hidden[0].id)

    def comment(self, model: Repo, number: int) -> None:
        self.village.decide(model, self.chance.choice(PEOPLE), discussions.comment, number=number, body="Hm.")

    def delete(self, model: Repo, number: int) -> None:
        self.village.decide(model, "ada", pulls.delete_head, number=number)


def main_of(village: Village, model: Repo) -> str:
    with read.open_repo(village.hub.git_dir(model)) as git:
        return read.list_refs(git)[MAIN]


def build_models(village: Village, count: int) -> list[Repo]:
    """Models of the lab, to which ada and bob write; their main may be rewritten."""
    accounts.set_member(village.hub, village.actor("ada"), "lab", "bob", Role.WRITE)
    models = [village.model(f"lab/m{n}", result("lab/cap", "europe", n)) for n in range(count)]
    return [repos.configure(village.hub, village.actor("ada"), model, allow_force_push=True) for model in models]


def _seen(village: Village, board: Repo, models: list[Repo]) -> list[object]:
    """Cards, leaderboards and conversations as readers see them."""
    db = village.hub.index.read()
    return [
        *(village.board(board, task, EVERYTHING) for task in TASKS),
        *(village.results(model) for model in models),
        *(queries.hidden_results(db, model.key) for model in models),
        *(village.discussions(model) for model in models),
    ]


def _restore(village: Village, folder: Path) -> Village:
    """A hub made of nothing but the registry and a mirror clone of each repo."""
    data = village.hub.settings.data
    target = folder / "restored"
    target.mkdir()
    shutil.copy(data / "registry.sqlite", target)
    for path in data.glob("repos/??/*.git"):
        copy = target / "repos" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        # By its address, since a clone of a folder takes over what no ref leads to.
        subprocess.run(["git", "clone", "-q", "--mirror", f"file://{path}", str(copy)], check=True, capture_output=True)
    hub = open_hub(type(village.hub.settings)(data=target))
    indexing.heal(hub)
    return Village(hub)


@pytest.mark.parametrize("seed", [1, 2])
def test_fifty_pull_requests_end_the_same_however_they_are_read(village: Village, tmp_path: Path, seed: int):
    board = village.dataset("lab/cap", eval_yaml(*TASKS))
    models = build_models(village, 3)
    story = Story(village, models, random.Random(seed))
    for number in range(260):
        story.step()
        if number % 65 == 0:
            village.assert_equal_to_rebuilt()
    assert story.opened == PULLS
    assert story.done > 60
    assert {row.submitter for model in models for row in village.results(model)} >= {"ada", "bob"}
    assert not [row for model in models for row in village.results(model) if row.git_author]
    before = _seen(village, board, models)
    village.assert_equal_to_rebuilt()
    indexing.reindex(village.hub)
    assert _seen(village, board, models) == before
    village.hub.registry.close()
    restored = _restore(village, tmp_path)
    assert _seen(restored, board, models) == before
    restored.hub.close()
