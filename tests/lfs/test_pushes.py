"""Pushes of pointers by stock git: nothing comes in whose content the repo was not brought."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.api.lab import Lab
from tests.lfs import wire
from tests.push import gitclient
from tests.push.gitclient import WorkTree

pytestmark = pytest.mark.slow


@pytest.fixture
def tree(lab: Lab, tmp_path: Path) -> WorkTree:
    """A clone of a new repo by a writer, with git alone."""
    made = lab.repo(a="1")
    return gitclient.clone(lab.live.git_url(made, lab.people["writer"]), tmp_path / "tree")


def _repo(tree: WorkTree) -> str:
    return "/".join(tree.git("remote", "get-url", "origin").out.strip().split("/")[-2:])


def test_a_push_names_the_files_whose_content_is_missing(lab: Lab, tree: WorkTree):
    one, two = os.urandom(300), os.urandom(300)
    tree.commit("Pointers", **{"deep/one.bin": wire.pointer(one), "two.bin": wire.pointer(two), "b": "2"})
    pushed = tree.git("push", "origin", "main", check=False)
    assert not pushed.ok
    assert "deep/one.bin, two.bin" in pushed.err
    assert "git lfs push --all" in pushed.err
    wire.bring(lab, "writer", _repo(tree), one)
    pushed = tree.git("push", "origin", "main", check=False)
    assert "missing: two.bin;" in pushed.err
    wire.bring(lab, "writer", _repo(tree), two)
    tree.git("push", "-q", "origin", "main")
    assert lab.http("anonymous").get(f"/{_repo(tree)}/resolve/main/two.bin").content == two


def test_a_size_that_is_not_that_of_the_content_is_refused(lab: Lab, tree: WorkTree):
    data = os.urandom(300)
    wire.bring(lab, "writer", _repo(tree), data)
    tree.commit("Lie", **{"m.bin": wire.pointer(data).replace("size 300", "size 301")})
    assert "missing: m.bin" in tree.git("push", "origin", "main", check=False).err


@pytest.mark.parametrize("where", ["main", "branch", "tag", "annotated tag", "pull request"])
def test_pointers_of_former_commits_and_of_tags_count_too(tree: WorkTree, where: str):
    lost = os.urandom(300)
    tree.commit("Add", **{"m.bin": wire.pointer(lost)})
    tree.git("rm", "-q", "m.bin")
    tree.git("commit", "-q", "-m", "Remove")
    if where.endswith("tag"):
        tree.git("tag", *(["-a", "-m", "x"] if where.startswith("annotated") else []), "v1")
    target = {"main": "main", "branch": "HEAD:refs/heads/b", "pull request": "HEAD:refs/for/main"}.get(where, "v1")
    pushed = tree.git("push", "origin", target, check=False)
    assert not pushed.ok
    assert wire.sha256(lost) in pushed.err
    assert "git lfs push --all" in pushed.err


def test_what_only_looks_like_a_pointer_is_an_ordinary_file(tree: WorkTree, lab: Lab):
    text = wire.pointer(b"x").replace("size 1", "size one")
    tree.commit("Text", **{"m.bin": text})
    tree.git("push", "-q", "origin", "main")
    assert lab.http("anonymous").get(f"/{_repo(tree)}/resolve/main/m.bin").text == text


def test_many_missing_files_are_told_in_one_line(tree: WorkTree):
    tree.commit("Many", **{f"f{n:02}.bin": wire.pointer(os.urandom(9)) for n in range(25)})
    pushed = tree.git("push", "origin", "main", check=False)
    assert "f09.bin and 15 more" in pushed.err
