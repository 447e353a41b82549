"""``check`` finds what does not agree; ``reindex`` and ``heal`` put the index right."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from glasshub import check, indexing, repos
from glasshub.hub import open_hub
from glasshub.index import queries
from tests.index.town import Town, eval_yaml, result

pytestmark = pytest.mark.slow


def _busy_town(town: Town) -> None:
    data = town.dataset("lab/cap", eval_yaml("europe"))
    town.model("ada/m", result("lab/cap", "europe", 0.5), card="# Hello\n")
    repos.move(town.hub, town.actor(), data, "lab", "capitals")


def test_a_sound_hub_has_nothing_to_report(town: Town):
    _busy_town(town)
    assert check.run(town.hub) == []


def test_a_tampered_index_is_found_and_reindexing_mends_it(town: Town, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(indexing, "SETTLE_SECONDS", 0.1)  # nobody else is at work here
    _busy_town(town)
    with town.hub.index.write() as db:
        db.execute("UPDATE results SET value = 0.9")
        db.execute("UPDATE board_counts SET models = 7")
        db.execute("DELETE FROM names WHERE lower = 'lab/cap'")
        db.execute("UPDATE search SET body = 'other words'")
    found = "\n".join(check.run(town.hub))
    for table in ("results", "board_counts", "names", "search"):
        assert f"index: {table} row" in found
    assert indexing.reindex(town.hub) == 2
    assert check.run(town.hub) == []


def test_an_index_that_was_deleted_is_whole_after_the_next_start(town: Town):
    _busy_town(town)
    town.hub.index.close()
    for path in town.hub.settings.data.glob("index.sqlite*"):
        path.unlink()
    hub = open_hub(town.hub.settings)
    fresh = Town(hub)
    assert indexing.heal(fresh.hub) == 2
    fresh.assert_equal_to_rebuilt()
    hub.close()


def test_missing_and_unowned_folders_are_named(town: Town):
    model = town.model("ada/m", "- broken")
    stranger = town.hub.settings.repos_dir / "ab" / "abab.git"
    shutil.copytree(town.hub.git_dir(model), stranger)
    assert check.run(town.hub) == []  # it may be a creation under way
    os.utime(stranger, (0, 0))
    shutil.rmtree(town.hub.git_dir(model))
    indexing.heal(town.hub)
    found = check.run(town.hub)
    assert any("abab.git belongs to no repo" in line for line in found)
    assert any(line.startswith("model ada/m:") and "is not there" in line for line in found)
    assert len(found) == 2


def test_a_damaged_object_becomes_a_problem_of_the_repo_not_an_error(town: Town):
    model = town.model("ada/m", result("lab/cap", "europe", 0.5))
    for path in sorted((town.hub.git_dir(model) / "objects").rglob("*")):
        if path.is_file() and path.parent.name != "info":
            path.chmod(0o644)
            path.write_bytes(_garbled(path))
    indexing.sync_repo(town.hub, model.key, force=True)
    (problem,) = queries.problems(town.hub.index.read(), model.key)
    assert "glasshub check" in problem.message
    assert check.run(town.hub) != []
    town.assert_equal_to_rebuilt()


def _garbled(path: Path) -> bytes:
    data = path.read_bytes()
    return data if path.suffix in (".idx", ".rev") else data[:12] + b"\xff" * (len(data) - 12)


def test_rebuilding_cleans_up_after_one_that_was_killed(town: Town):
    _busy_town(town)
    left = town.hub.settings.data / ".rebuild-abc"
    left.mkdir()
    (left / "index.sqlite").write_bytes(b"x")
    indexing.reindex(town.hub)
    assert not list(town.hub.settings.data.glob(".rebuild-*"))
