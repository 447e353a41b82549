"""Bodies larger than a form may be: pushes have limits of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.push.gitclient import clone, init

pytestmark = pytest.mark.slow


def test_a_push_may_be_larger_than_a_form_regression(live, tmp_path: Path):
    ada = live.person("ada")
    url = live.git_url(f"{ada.name}/weights", ada)
    tree = init(tmp_path / "tree", url)
    tree.write("model.bin", os.urandom(20 * 1024**2))
    tree.commit("Add weights")
    tree.git("push", "-q", "origin", "main")
    tree.git("-c", "http.postBuffer=100000000", "push", "-q", "origin", "HEAD:refs/heads/whole")
    tree.write("model.bin", os.urandom(20 * 1024**2))
    tree.commit("Train on")
    tree.git("-c", "http.postBuffer=100000000", "push", "-q", "origin", "main")
    got = clone(url, tmp_path / "clone")
    assert (got.path / "model.bin").read_bytes() == (tree.path / "model.bin").read_bytes()
