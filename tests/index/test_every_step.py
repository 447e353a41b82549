"""Killed (-9) before any change to a file and before any statement to a database: nothing is half done."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from glasshub import indexing, repos
from glasshub.config import Settings
from glasshub.errors import RepoNotFound
from glasshub.git import read
from glasshub.git.fsck import verify_repository
from glasshub.git.recovery import QUARANTINE, UNBORN
from glasshub.hub import open_hub
from glasshub.identity import Repo
from tests.git import crash
from tests.index import children
from tests.index.town import MAIN, Town, eval_yaml, result

pytestmark = pytest.mark.slow


def _repo(town: Town, type: str) -> Repo:
    return next(repo for repo in repos.every(town.hub) if repo.type == type)


def _report(town: Town) -> None:
    files = {".eval_results/own.yaml": result("lab/cap", "europe", 0.2), "README.md": "---\nlicense: mit\n---\n# M\n"}
    town.push(_repo(town, "model"), files)


def _measure(town: Town) -> None:
    changed = eval_yaml("europe", "asia", metrics="europe: {higher_is_better: false}")
    town.push(_repo(town, "dataset"), {"eval.yaml": changed})


ACTIONS: dict[str, tuple[Callable[[Town], object], int]] = {
    "push results": (_report, 3),
    "push a benchmark": (_measure, 8),
    "rename": (lambda town: repos.move(town.hub, town.actor(), _repo(town, "dataset"), "lab", "capitals"), 8),
    "delete": (lambda town: repos.delete(town.hub, town.actor(), _repo(town, "dataset")), 8),
    "hide": (lambda town: repos.configure(town.hub, town.actor(), _repo(town, "dataset"), private=True), 8),
    "create": (lambda town: town.repo("dataset", "lab/more"), 8),
}


def _dies(data: Path, action: Callable[[Town], object], number: int) -> bool:
    """Do it in a process that dies before its step of that number; whether there was such a step."""

    def act() -> None:
        hub = open_hub(Settings(data=data))
        step = crash.die_at(number)
        hub.index.read().conn.set_trace_callback(lambda _statement: step())
        for moment in ("before_cursor_execute", "commit"):
            event.listen(Engine, moment, lambda *_arguments: step())
        crash.before_every_change(step)
        action(Town(hub, 1_800_000_000))

    code = children.wait(children.start(act))
    assert code in (0, -signal.SIGKILL)
    return code != 0


def _facts(town: Town) -> list[object]:
    """What everybody sees of the hub."""
    found: list[object] = []
    for repo in sorted(repos.every(town.hub), key=lambda repo: repo.key):
        with read.open_repo(town.hub.git_dir(repo)) as git:
            assert verify_repository(git) == []
            found.append((repo.repo_id, repo.private, read.list_refs(git).get(MAIN)))
        if repo.type == "model":
            found += town.states(repo)
        for task in ("europe", "asia"):
            try:
                found.append((task, town.standing(repo, task)))
            except RepoNotFound:
                continue
    return found


def _after_start(data: Path) -> list[object]:
    """What is to be seen after the next start, and that all is in order then."""
    hub = open_hub(Settings(data=data))
    try:
        repos.sweep(hub)
        indexing.heal(hub)
        assert indexing.heal(hub) == 0
        town = Town(hub)
        town.assert_equal_to_rebuilt()
        left = [path.name for path in hub.settings.repos_dir.glob(f"*/*/{QUARANTINE}/*")]
        assert [name for name in left if not name.startswith(UNBORN)] == []
        return _facts(town)
    finally:
        hub.close()


@pytest.mark.parametrize("name", ACTIONS)
def test_whatever_dies_has_happened_or_not(town: Town, tmp_path: Path, name: str):
    action, stride = ACTIONS[name]
    town.dataset("lab/cap", eval_yaml("europe"))
    town.model("ada/m", result("lab/cap", "europe", 0.1))
    before = _facts(town)
    town.hub.close()
    template = town.hub.settings.data
    seen: list[bool] = []
    for number in range(1, 1000, stride):
        data = tmp_path / str(number)
        shutil.copytree(template, data)
        died = _dies(data, action, number)
        after = _after_start(data)
        seen.append(after != before)
        if not died:
            break
        shutil.rmtree(data)
    assert not seen[0]
    assert seen[-1]
    assert seen == sorted(seen)  # from the step on at which it has happened, it stays so
    assert len(seen) * stride > 10
