"""Patches: git applies them and comes to the same tree, whatever the names and contents."""

from __future__ import annotations

from pathlib import Path

import pytest

from glasshub.git.diff import diff_commits
from glasshub.git.patch import patch_text, quoted
from glasshub.git.read import open_repo
from tests.push.gitclient import WorkTree, init


def patch(tree: WorkTree, old: str, new: str, **options: int) -> str:
    with open_repo(tree.path / ".git") as repo:
        return patch_text(diff_commits(repo, old, new), **options)


def assert_applies(tree: WorkTree, old: str, new: str) -> None:
    text = patch(tree, old, new)
    (tree.path.parent / "patch").write_bytes(text.encode("utf-8", "surrogateescape"))
    tree.git("checkout", "-q", "-f", old)
    tree.git("apply", "--index", str(tree.path.parent / "patch"))
    assert tree.git("write-tree").out == tree.git("rev-parse", f"{new}^{{tree}}").out
    tree.git("checkout", "-q", "-f", new)


NAMES = ["plain", "with space", 'quo"te', "back\\slash", "tab\there", "line\nfeed", "ü/ñ", "-dash", "a/b/c"]


@pytest.mark.parametrize("name", NAMES)
def test_git_applies_additions_changes_and_deletions(tmp_path: Path, name: str):
    tree = init(tmp_path / "tree")
    lines = "".join(f"{n}\n" for n in range(40))
    first = tree.commit("1", keep="x\n")
    second = tree.commit("2", **{name: lines})
    third = tree.commit("3", **{name: lines.replace("7\n", "seven\n") + "end without line feed"})
    tree.git("rm", "-q", "--", name)
    fourth = tree.commit("4")
    for old, new in ((first, second), (second, third), (third, fourth), (third, first)):
        assert_applies(tree, old, new)


def test_modes_renames_links_and_empty_files(tmp_path: Path):
    tree = init(tmp_path / "tree")
    old = tree.commit("1", run="#!/bin/sh\n", moved="".join(f"{n}\n" for n in range(99)), empty="", crlf="a\r\nb\r\n")
    (tree.path / "run").chmod(0o755)
    tree.git("mv", "moved", "away")
    tree.write("away", "".join(f"{n}\n" for n in range(1, 99)))
    (tree.path / "link").symlink_to("run")
    (tree.path / "empty").unlink()
    new = tree.commit("2", new_empty="", crlf="a\r\nc\r\n")
    assert "rename from moved" in patch(tree, old, new)
    assert_applies(tree, old, new)
    assert_applies(tree, new, old)


def test_binary_and_left_out_files_are_named(tmp_path: Path):
    tree = init(tmp_path / "tree")
    old = tree.commit("1", a="x\n")
    tree.write("b", b"\0\1\2")
    new = tree.commit("2", a="y\n" * 300, z="w\n")
    text = patch(tree, old, new)
    assert "Binary files /dev/null and b/b differ\n" in text
    short = patch(tree, old, new, most=700)
    assert "Files a/a and b/a differ (left out here)\n" in short
    assert "+y" not in short
    assert "+w" in short


def test_submodules_are_told_as_git_does(tmp_path: Path):
    tree = init(tmp_path / "tree")
    old = tree.commit("1", a="x\n")
    tree.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    tree.git("commit", "-q", "-m", "2")
    told = tree.git("diff", "--full-index", "--no-renames", old, tree.head()).out
    assert patch(tree, old, tree.head()) == told


def test_quoting():
    assert quoted("a/b c") == "a/b c"
    assert quoted('a"\\\n\t\r\x01\udcff') == '"a\\"\\\\\\n\\t\\r\\001\\377"'
