"""Many at once, in threads and processes, with a rebuild among them: the index ends as a rebuilt one."""

from __future__ import annotations

import threading

import pytest

from glasshub import indexing, receive
from glasshub.git import read
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefUpdate
from glasshub.identity import Repo
from tests.index import children
from tests.index.town import MAIN, Town, eval_yaml, result

pytestmark = pytest.mark.slow
ROUNDS = 6


def _push(town: Town, repo: Repo, files: dict[str, str]) -> bool:
    """Push, unless somebody else was quicker."""
    with read.open_repo(town.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
        old = read.list_refs(git)[MAIN]
        new = town.build(incoming, old, files)
        return receive.apply_ref_updates(town.hub, repo, [RefUpdate(old, new, MAIN)], town.actor(), incoming=incoming)[
            0
        ].ok


def _report(town: Town, repo: Repo, file: str) -> None:
    for number in range(ROUNDS):
        _push(town, repo, {f".eval_results/{file}.yaml": result("lab/cap", "europe", number)})


def _measure(town: Town, repo: Repo) -> None:
    for number in range(ROUNDS):
        tasks = ("europe", "asia")[: 1 + number % 2]
        _push(town, repo, {"eval.yaml": eval_yaml(*tasks, metrics=f"europe: {{range: [0, {number}]}}")})


@pytest.fixture
def crowd(town: Town) -> tuple[Town, list]:
    data = town.dataset("lab/cap", eval_yaml("europe"))
    models = [town.model(f"ada/m{number}", result("lab/cap", "europe", 1)) for number in range(2)]
    work = [
        lambda: _measure(town, data),
        lambda: _report(town, models[0], "own"),
        lambda: _report(town, models[0], "other"),
        lambda: _report(town, models[1], "own"),
    ]
    return town, work


def test_threads_that_push_at_once(crowd: tuple[Town, list]):
    town, work = crowd
    threads = [threading.Thread(target=action) for action in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert indexing.heal(town.hub) == 0
    town.assert_equal_to_rebuilt()


def test_processes_that_push_at_once_while_another_rebuilds(crowd: tuple[Town, list]):
    town, work = crowd
    rebuild = children.start(lambda: [indexing.reindex(town.hub) for _ in range(3)])
    pushers = [children.start(action) for action in work]
    assert [children.wait(pid) for pid in (*pushers, rebuild)] == [0] * 5
    assert indexing.heal(town.hub) == 0
    town.assert_equal_to_rebuilt()


def test_comparing_while_others_push_finds_no_difference(crowd: tuple[Town, list]):
    town, work = crowd
    pushers = [children.start(action) for action in work[:2]]
    found = [indexing.compare(town.hub) for _ in range(3)]
    assert [children.wait(pid) for pid in pushers] == [0, 0]
    assert found == [[], [], []]


def test_two_syncs_of_one_repo_end_with_the_newest_refs(town: Town):
    data = town.dataset("lab/cap", eval_yaml("europe"))
    model = town.model("ada/m", result("lab/cap", "europe", 1))

    def sync_often() -> None:
        for _ in range(20):
            indexing.sync_repo(town.hub, model.key, force=True)

    pids = [children.start(sync_often) for _ in range(2)]
    for number in range(ROUNDS):
        town.push(model, {".eval_results/own.yaml": result("lab/cap", "europe", number)})
        assert town.standing(data, "europe") == [(1, "ada/m", number)]
    assert [children.wait(pid) for pid in pids] == [0, 0]
    assert town.standing(data, "europe") == [(1, "ada/m", ROUNDS - 1)]
    town.assert_equal_to_rebuilt()
