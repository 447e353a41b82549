"""Pushes that must not go through, and what their author is told."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from glasshub import accounts, repos
from tests.push.gitclient import WorkTree, clone, init

pytestmark = pytest.mark.slow


@pytest.fixture
def pushed(live, tmp_path: Path):
    """Ada's model with two commits on the hub, and her work tree."""
    ada = live.person("ada")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/net", ada))
    tree.commit("One", **{"README.md": "one\n"})
    tree.commit("Two", **{"README.md": "two\n"})
    tree.git("push", "-q", "origin", "main")
    return ada, tree


def _remote(tree: WorkTree, ref: str) -> str:
    out = tree.git("ls-remote", "origin", ref).out.split()
    return out[0] if out else ""


def test_main_is_neither_rewritten_nor_deleted_until_an_admin_allows_it(live, pushed):
    ada, tree = pushed
    before = tree.head()
    tree.git("reset", "-q", "--hard", "HEAD~1")
    rewritten = tree.commit("Other two", **{"README.md": "other\n"})
    refused = tree.git("push", "--force", "origin", "main", check=False)
    assert not refused.ok
    assert "main is protected and only fast-forwards" in refused.err
    refused = tree.git("push", "origin", ":main", check=False)
    assert not refused.ok
    assert "main is protected" in refused.err
    assert _remote(tree, "refs/heads/main") == before

    actor = accounts.actor_for(live.hub, ada.name)
    repos.configure(live.hub, actor, repos.find(live.hub, "model", ada.name, "net"), allow_force_push=True)
    tree.git("push", "-q", "--force", "origin", "main")
    assert _remote(tree, "refs/heads/main") == rewritten
    tree.git("push", "-q", "origin", ":main")
    assert _remote(tree, "refs/heads/main") == ""


def test_a_stale_push_is_told_so_and_changes_nothing(live, pushed, tmp_path: Path):
    ada, tree = pushed
    other = clone(live.git_url(f"{ada.name}/net", ada), tmp_path / "other")
    theirs = other.commit("Three", **{"a.txt": "theirs\n"})
    other.git("push", "-q", "origin", "main")
    tree.commit("Mine", **{"b.txt": "mine\n"})
    refused = tree.git("push", "origin", "main", check=False)
    assert not refused.ok
    assert _remote(tree, "refs/heads/main") == theirs


def test_of_two_pushes_at_once_to_one_ref_one_wins_and_the_other_is_told(live, pushed, tmp_path: Path):
    ada, _ = pushed
    trees = [clone(live.git_url(f"{ada.name}/net", ada), tmp_path / f"w{n}") for n in range(4)]
    for n, tree in enumerate(trees):
        tree.commit(f"Mine {n}", **{f"{n}.txt": "mine\n"})
    answers = [None] * len(trees)

    def push(n: int) -> None:
        answers[n] = trees[n].git("push", "origin", "main", check=False)

    threads = [threading.Thread(target=push, args=(n,)) for n in range(len(trees))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [tree for tree, answer in zip(trees, answers, strict=True) if answer.ok]
    assert len(winners) == 1, [a.err for a in answers]
    assert _remote(trees[0], "refs/heads/main") == winners[0].head()
    assert all("rejected" in a.err or "stale" in a.err or "fetch first" in a.err for a in answers if not a.ok)


def test_an_atomic_push_with_one_bad_ref_changes_none(pushed):
    _, tree = pushed
    before = tree.head()
    tree.git("branch", "side")
    tree.git("reset", "-q", "--hard", "HEAD~1")
    tree.commit("Rewrite", **{"README.md": "rewritten\n"})
    refused = tree.git("push", "--atomic", "--force", "origin", "main", "side", check=False)
    assert not refused.ok
    assert _remote(tree, "refs/heads/side") == ""
    assert _remote(tree, "refs/heads/main") == before
    loose = tree.git("push", "--force", "origin", "main", "side", check=False)
    assert not loose.ok
    assert _remote(tree, "refs/heads/side") != ""


@pytest.mark.parametrize("ref", ["refs/pr/1", "refs/hub/events", "refs/notes/x", "refs/hub/../heads/main"])
def test_refs_of_the_hub_are_closed_to_pushes(pushed, ref: str):
    _, tree = pushed
    refused = tree.git("push", "origin", f"HEAD:{ref}", check=False)
    assert not refused.ok
    assert _remote(tree, ref) == ""


def test_a_refused_push_leaves_no_objects_behind(live, pushed):
    ada, tree = pushed
    tree.git("reset", "-q", "--hard", "HEAD~1")
    lost = tree.commit("Rewrite", **{"README.md": "rewritten\n"})
    assert not tree.git("push", "--force", "origin", "main", check=False).ok
    git_dir = live.hub.git_dir(repos.find(live.hub, "model", ada.name, "net"))
    known = subprocess.run(["git", "--git-dir", str(git_dir), "cat-file", "-e", lost], capture_output=True)
    assert known.returncode != 0
    assert not list((git_dir / "quarantine").glob("*")) if (git_dir / "quarantine").exists() else True


def test_branches_tags_and_deletions_work(pushed):
    _, tree = pushed
    tree.git("tag", "-a", "v1", "-m", "First")
    tree.git("tag", "light")
    tree.git("push", "-q", "origin", "v1", "light", "HEAD:refs/heads/dev/a")
    assert _remote(tree, "refs/tags/v1^{}") == tree.head()
    assert _remote(tree, "refs/heads/dev/a") == tree.head()
    tree.git("push", "-q", "--force", "origin", "HEAD~1:refs/heads/dev/a")
    tree.git("push", "-q", "origin", ":refs/heads/dev/a", ":refs/tags/light")
    assert _remote(tree, "refs/heads/dev/a") == ""
    clash = tree.git("push", "origin", "HEAD:refs/heads/main/below", check=False)
    assert not clash.ok


def test_a_chunked_push_above_a_megabyte_arrives_whole(live, pushed, tmp_path: Path):
    import random

    ada, tree = pushed
    tree.write("weights.bin", random.Random(1).randbytes(5_000_000))
    tree.commit("Weights")
    tree.git("push", "-q", "origin", "main")
    assert clone(f"{live.url}/{ada.name}/net", tmp_path / "again").head() == tree.head()


def test_shallow_clone_fetch_and_push_from_it(live, pushed, tmp_path: Path):
    ada, tree = pushed
    shallow = clone(live.git_url(f"{ada.name}/net", ada), tmp_path / "shallow", "--depth", "1")
    assert shallow.git("rev-list", "--count", "HEAD").out.strip() == "1"
    tree.commit("Three", **{"c.txt": "c\n"})
    tree.git("push", "-q", "origin", "main")
    shallow.git("fetch", "-q", "origin")
    shallow.git("reset", "-q", "--hard", "origin/main")
    pushed_head = shallow.commit("Four", **{"d.txt": "d\n"})
    shallow.git("push", "-q", "origin", "main")
    assert _remote(tree, "refs/heads/main") == pushed_head
    shallow.git("fetch", "-q", "--unshallow")
    assert shallow.git("rev-list", "--count", "HEAD").out.strip() == "4"
