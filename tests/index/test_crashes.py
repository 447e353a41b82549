"""A process may die at any step: what was acknowledged stays, and the next start puts the index right."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable

import pytest
from sqlite_utils import Database

from glasshub import indexing, repos
from glasshub.config import Settings
from glasshub.git import read, refs
from glasshub.git.quarantine import Quarantine
from glasshub.hub import open_hub
from glasshub.identity import Repo
from glasshub.index import boards, comparison, repo_rows, sync
from glasshub.index.db import Index
from glasshub.registry import repos as registry
from tests.git import packs
from tests.git.receive_server import LIMITS
from tests.index import children
from tests.index.town import MAIN, Town, eval_yaml, result

pytestmark = pytest.mark.slow
PUSH_STEPS = [
    (Quarantine, "migrate"),
    (refs, "apply_updates"),
    (indexing, "sync_repo"),
    (sync, "write"),
    (repo_rows, "write"),
    (boards, "replace_of_model"),
]


def _killed(action: Callable[[], object], owner: object, name: str, *, after: bool) -> None:
    def die() -> None:
        children.die_at(owner, name, after=after)
        action()

    assert children.wait(children.start(die)) == -signal.SIGKILL


def _restart(town: Town) -> Town:
    """The hub as the next process finds it, healed as at every start."""
    town.hub.close()
    hub = open_hub(Settings(data=town.hub.settings.data))
    indexing.heal(hub)
    assert indexing.heal(hub) == 0
    return Town(hub, town.clock)


def _main(town: Town, repo: Repo) -> str:
    with read.open_repo(town.hub.git_dir(repo)) as git:
        return read.list_refs(git)[MAIN]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("owner", "name"), PUSH_STEPS)
def test_a_push_that_dies_is_whole_or_has_not_happened(town: Town, owner: object, name: str, after: bool):
    data = town.dataset("lab/cap", eval_yaml("europe"))
    model = town.model("ada/m", result("lab/cap", "europe", 0.1))
    before = _main(town, model)
    change = {".eval_results/own.yaml": result("lab/cap", "europe", 0.2)}
    _killed(lambda: town.push(model, change), owner, name, after=after)
    town = _restart(town)
    moved = _main(town, model) != before
    assert moved == (PUSH_STEPS.index((owner, name)) > 1 or (name == "apply_updates" and after))
    assert town.standing(data, "europe") == [(1, "ada/m", 0.2 if moved else 0.1)]
    town.assert_equal_to_rebuilt()
    town.push(model, {".eval_results/own.yaml": result("lab/cap", "europe", 0.3)})
    assert town.standing(data, "europe") == [(1, "ada/m", 0.3)]
    town.assert_equal_to_rebuilt()
    town.hub.close()


def test_what_was_received_of_a_push_that_died_is_removed_at_the_next_start(town: Town):
    model = town.model("ada/m", result("lab/cap", "europe", 0.1))
    git_dir = town.hub.git_dir(model)

    def receive() -> None:
        with read.open_repo(git_dir) as git, Quarantine(git) as incoming:
            many = [(packs.BLOB, b"%d" % number) for number in range(1000)]
            incoming.receive(io.BytesIO(packs.pack_of(*many)), LIMITS)
            incoming.migrate()

    _killed(receive, Quarantine, "migrate", after=False)
    assert list(git_dir.glob("quarantine/*/pack/*.pack"))
    town = _restart(town)
    assert not (git_dir / "quarantine").exists()
    assert _main(town, model)
    town.hub.close()


@pytest.mark.parametrize("name", ["add", "rename", "delete", "update"])
def test_a_change_in_the_registry_that_the_index_missed_is_healed(town: Town, name: str):
    town.model("ada/m", result("lab/cap", "europe", 0.1))
    data = town.dataset("lab/cap", eval_yaml("europe")) if name != "add" else None
    actions = {
        "add": lambda: town.dataset("lab/cap"),
        "rename": lambda: repos.move(town.hub, town.actor(), data, "lab", "other"),
        "delete": lambda: repos.delete(town.hub, town.actor(), data),
        "update": lambda: repos.configure(town.hub, town.actor(), data, private=True),
    }

    def act() -> None:
        children.die_at(indexing, "sync_repo", after=False)
        actions[name]()

    assert callable(getattr(registry, name))
    assert children.wait(children.start(act)) == -signal.SIGKILL
    town = _restart(town)
    assert len(repos.every(town.hub)) == (1 if name == "delete" else 2)
    town.assert_equal_to_rebuilt()
    town.hub.close()


@pytest.mark.parametrize("after", [False, True])
def test_a_rebuild_that_dies_leaves_the_index_as_it_was(town: Town, after: bool):
    data = town.dataset("lab/cap", eval_yaml("europe"))
    town.model("ada/m", result("lab/cap", "europe", 0.1))
    with town.hub.index.write() as db:
        db.execute("UPDATE results SET value = 0.7")
    _killed(lambda: indexing.reindex(town.hub), comparison, "take_over", after=after)
    assert [row.result.value for row in town.board(data, "europe")] == [0.7]
    assert indexing.reindex(town.hub) == 2
    assert [row.result.value for row in town.board(data, "europe")] == [0.1]
    town.assert_equal_to_rebuilt()


def test_a_process_that_dies_while_making_the_index_leaves_it_to_the_next(town: Town):
    path = town.hub.settings.data / "fresh.sqlite"
    _killed(lambda: Index(path), Database, "executescript", after=False)
    index = Index(path)
    assert index.read().execute("SELECT count(*) FROM results").fetchone() == (0,)
    index.close()
