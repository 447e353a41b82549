"""Large files with stock git and git-lfs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Live, Person
from tests.push import gitclient
from tests.push.gitclient import WorkTree
from tests.require import require

pytestmark = pytest.mark.slow
WEIGHTS = os.urandom(3_000_000)


@pytest.fixture(autouse=True)
def git_lfs() -> str:
    return require("git-lfs")


@pytest.fixture
def ada(live: Live) -> Person:
    return live.person("ada")


def _tracked(tree: WorkTree) -> WorkTree:
    tree.git("lfs", "install", "--local", "--skip-repo")
    tree.git("lfs", "install", "--local")
    tree.git("lfs", "track", "*.bin")
    return tree


@pytest.fixture
def own(live: Live, ada: Person, tmp_path: Path) -> WorkTree:
    """A model with one large file, pushed."""
    tree = _tracked(gitclient.init(tmp_path / "own", live.git_url(f"{ada.name}/m", ada)))
    tree.write("model.bin", WEIGHTS)
    tree.commit("Add weights")
    tree.git("push", "-q", "origin", "main")
    return tree


def test_a_large_file_is_pushed_and_cloned(live: Live, ada: Person, own: WorkTree, tmp_path: Path):
    assert own.git("show", "HEAD:model.bin").out.startswith("version https://git-lfs.github.com/spec/v1")
    again = gitclient.clone(live.git_url(f"{ada.name}/m"), tmp_path / "again")
    again.git("lfs", "install", "--local")
    again.git("lfs", "pull")
    assert (again.path / "model.bin").read_bytes() == WEIGHTS
