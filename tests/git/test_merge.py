"""Merging and merge bases against stock git as the judge, on random histories."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from dulwich.repo import Repo as GitRepo

from glasshub.git.ancestry import commits_only_in, merge_base
from glasshub.git.merge import merge_lines, merge_trees
from glasshub.git.quarantine import Quarantine
from tests.push.gitclient import WorkTree, init

pytestmark = pytest.mark.slow
LINES = [f"line {number}\n" for number in range(12)]


def _commit(tree: WorkTree, chance: random.Random, names: list[str]) -> None:
    for name in chance.sample(names, chance.randint(1, 2)):
        path = tree.path / name
        if path.exists() and chance.random() < 0.15:
            path.unlink()
            continue
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else list(LINES)
        for _ in range(chance.randint(1, 2)):
            at = chance.randrange(len(lines) + 1)
            lines[at : at + chance.randint(0, 1)] = [f"{chance.randint(0, 3)} new\n"] * chance.randint(0, 2)
        tree.write(name, "".join(lines))
    tree.commit(f"Change {chance.random()}")


def _merge_by_git(tree: WorkTree) -> tuple[bool, str]:
    done = tree.git("merge", "-q", "--no-ff", "-s", "resolve", "-m", "Merge", "side", check=False)
    merged = tree.git("rev-parse", "HEAD^{tree}").out.strip() if done.ok else ""
    tree.git("merge", "--abort", check=False)
    return done.ok, merged


@pytest.mark.parametrize("seed", range(25))
def test_merges_are_those_of_git(tmp_path: Path, seed: int):
    chance = random.Random(seed)
    names = ["a.txt", "b/c.txt", "b/d.txt"]
    tree = init(tmp_path / "work")
    for name in names:
        tree.write(name, "".join(LINES))
    tree.commit("Begin")
    tree.git("branch", "side")
    for branch in ("main", "side"):
        tree.git("checkout", "-q", branch)
        for _ in range(chance.randint(1, 2)):
            _commit(tree, chance, names)
    tree.git("checkout", "-q", "main")
    ours, theirs = (tree.git("rev-parse", name).out.strip() for name in ("main", "side"))
    clean, merged = _merge_by_git(tree)
    with GitRepo(str(tree.path)) as repo, Quarantine(repo) as incoming:
        made = merge_trees(incoming, ours, theirs)
        # Where git finds a way, the trees are the same; where we do, git does too (it may be bolder with neighbours).
        assert bool(made.conflicts) or clean
        if not made.conflicts:
            assert made.tree == merged


@pytest.mark.parametrize("seed", range(6))
def test_merge_bases_are_those_of_git(tmp_path: Path, seed: int):
    chance = random.Random(seed)
    tree = init(tmp_path / "work")
    empty = tree.git("write-tree").out.strip()
    ids: list[str] = []
    for number in range(40):
        parents = chance.sample(ids[-8:], min(len(ids), chance.choice([1, 1, 1, 2]))) if ids else []
        when = {"GIT_COMMITTER_DATE": f"{1_700_000_000 + number * 60} +0000"}
        arguments = [word for parent in parents for word in ("-p", parent)]
        ids.append(tree.git("commit-tree", empty, *arguments, "-m", str(number), env=when).out.strip())
    with GitRepo(str(tree.path)) as repo:
        for _ in range(25):
            one, other = chance.sample(ids, 2)
            best = tree.git("merge-base", "--all", one, other, check=False).out.split()
            found = merge_base(repo.object_store, one, other)
            assert (found in best) if best else found is None
            own = tree.git("rev-list", one, f"^{other}").out.split()
            assert sorted(commits_only_in(repo.object_store, one, other, limit=100)) == sorted(own)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC\n", b"A\nb\nC\n"),
        (b"a\nb\nc\n", b"A\nb\nc\n", b"B\nb\nc\n", None),
        (b"a\n", b"a\nx\n", b"a\nx\n", b"a\nx\n"),
        (b"a\n\0", b"a\nx\0", b"b\n\0", None),
        (b"a\nb\n", b"a\n", b"a\nb\nc\n", None),
        (
            b"<<<<<<< ours\na\nb\nc\n",
            b"<<<<<<< ours\nA\nb\nc\n",
            b"<<<<<<< ours\na\nb\nC\n",
            b"<<<<<<< ours\nA\nb\nC\n",
        ),
    ],
)
def test_lines(base: bytes, ours: bytes, theirs: bytes, merged: bytes | None):
    assert merge_lines(base, ours, theirs) == merged


def test_lines_that_both_sides_added_are_united_where_asked():
    base, ours, theirs = b"a\n", b"a\nx\ny\n", b"a\ny\nz"
    assert merge_lines(base, ours, theirs) is None
    assert merge_lines(base, ours, theirs, union=True) == b"a\nx\ny\nz\n"
    assert merge_lines(base, b"b\n", b"c\n", union=True) is None  # they contradict


def test_texts_of_one_repeated_line_do_not_take_for_ever():
    many = b"same\n" * 19_000
    assert merge_lines(many, b"x\n" + many, many + b"y\n") is None
