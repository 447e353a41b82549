"""Stock git pushes: what goes through, what is refused, and what its author is told."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshub.git.recovery import QUARANTINE
from tests.git.receive_server import Receiver, objects, serve
from tests.push.gitclient import WorkTree, init

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Receiver]:
    with serve(tmp_path / "hub.git") as receiver:
        yield receiver


@pytest.fixture
def tree(tmp_path: Path, hub: Receiver) -> WorkTree:
    made = init(tmp_path / "tree", hub.url)
    made.commit("One", **{"README.md": "one\n"})
    return made


def test_push_move_tag_and_delete(hub: Receiver, tree: WorkTree):
    first = tree.head()
    tree.git("push", "-q", "origin", "main")
    assert hub.refs() == {"refs/heads/main": first}
    tree.commit("Two", **{"README.md": "two\n", "data/a.txt": "a\n"})
    tree.git("tag", "-a", "v1", "-m", "First")
    tree.git("push", "-q", "origin", "main", "v1", "HEAD~1:refs/heads/dev/old")
    assert hub.refs()["refs/heads/main"] == tree.head()
    assert hub.refs()["refs/heads/dev/old"] == first
    tree.git("push", "-q", "origin", ":v1", ":dev/old")
    assert hub.refs() == {"refs/heads/main": tree.head()}
    hub.fsck()
    assert not (hub.git_dir / QUARANTINE).exists()


def test_what_the_hub_says_reaches_the_terminal(hub: Receiver, tree: WorkTree):
    hub.said = ("3 results on leaderboards:", "größer × besser", "")
    answer = tree.git("push", "-o", "ci.skip", "origin", "main")
    assert "remote: 3 results on leaderboards:" in answer.err
    assert "remote: größer × besser" in answer.err
    assert hub.options == ["ci.skip"]


def test_two_refs_of_which_one_is_stale(hub: Receiver, tree: WorkTree):
    tree.git("push", "-q", "origin", "main")
    before = tree.head()
    tree.commit("Two", **{"README.md": "two\n"})
    hub.advertised = f"{'1' * 40} refs/heads/main\n"
    refused = tree.git("push", "--atomic", "--force", "origin", "main", "HEAD:refs/heads/side", check=False)
    assert not refused.ok
    assert "stale info: the ref moved; fetch and push again" in refused.err
    assert "another ref was refused" in refused.err
    assert hub.refs() == {"refs/heads/main": before}
    refused = tree.git("push", "--force", "origin", "main", "HEAD:refs/heads/side", check=False)
    assert not refused.ok
    assert "stale info" in refused.err
    assert hub.refs() == {"refs/heads/main": before, "refs/heads/side": tree.head()}


def test_refs_of_the_hub_and_odd_names_are_refused(hub: Receiver, tree: WorkTree):
    for name in ("refs/hub/events", "refs/x"):
        refused = tree.git("push", "origin", f"HEAD:{name}", check=False)
        assert not refused.ok
    assert hub.refs() == {}
    assert tree.git("push", "origin", "HEAD:refs/hub/events", "main", check=False).ok is False
    assert hub.refs() == {"refs/heads/main": tree.head()}


def test_of_two_pushes_at_once_one_wins_and_the_other_is_told(hub: Receiver, tree: WorkTree, tmp_path: Path):
    tree.git("push", "-q", "origin", "main")
    both_here = threading.Barrier(2, timeout=20)
    hub.before_apply = both_here.wait  # both have sent their pack before either moves the ref
    trees = [WorkTree(tmp_path / name) for name in ("a", "b")]
    for copy in trees:
        tree.git("clone", "-q", str(tree.path), str(copy.path))
        copy.git("remote", "set-url", "origin", hub.url)
        copy.commit("Mine", **{f"{copy.path.name}.txt": "mine\n"})
    answers = {}

    def push(copy: WorkTree) -> None:
        answers[copy.head()] = copy.git("push", "origin", "main", check=False)

    threads = [threading.Thread(target=push, args=(copy,)) for copy in trees]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [loser] = [answer for answer in answers.values() if not answer.ok]
    assert "stale info: the ref moved; fetch and push again" in loser.err
    assert answers[hub.refs()["refs/heads/main"]].ok
    hub.fsck()


def test_a_chunked_push_above_a_megabyte_and_thin_deltas(hub: Receiver, tree: WorkTree):
    noise = random.Random(1).randbytes(3_000_000)
    tree.write("weights.bin", noise)
    tree.commit("Weights")
    tree.git("push", "-q", "origin", "main")
    tree.write("weights.bin", noise[:1_000_000] + b"changed" + noise[1_000_000:])
    tree.commit("Other weights")
    tree.git("push", "-q", "origin", "main")
    assert hub.refs()["refs/heads/main"] == tree.head()
    assert objects(hub.git_dir) == objects(tree.path / ".git")
    size = sum(path.stat().st_size for path in hub.git_dir.rglob("*") if path.is_file())
    assert size < 10_000_000
    hub.fsck()


def test_a_thin_pack_is_completed(hub: Receiver, tree: WorkTree):
    for n in range(100):
        tree.write(f"d/{n}.txt", f"{n}\n" * 500)
    tree.commit("Many")
    tree.git("push", "-q", "origin", "main")
    for n in range(100):
        tree.write(f"d/{n}.txt", f"{n}\n" * 500 + "more\n")
    tree.commit("More")
    tree.git("push", "-q", "origin", "main")
    assert objects(hub.git_dir) == objects(tree.path / ".git")
    assert len(list(hub.git_dir.glob("objects/pack/*.idx"))) == 2
    hub.fsck()


def test_limits_are_named_and_leave_nothing(hub: Receiver, tree: WorkTree):
    tree.write("big.bin", random.Random(2).randbytes(2_000_000))
    tree.commit("Big")
    for change, setting in [
        ({"wire": 100_000}, "max_push_bytes"),
        ({"inflated": 1_000_000}, "max_inflated_bytes"),
        ({"object": 1_000_000}, "max_object_bytes"),
        ({"objects": 3}, "max_push_objects"),
    ]:
        values = {"wire": 1 << 30, "inflated": 1 << 30, "object": 1 << 30, "objects": 1000} | change
        hub.limits = type(hub.limits)(**values)
        refused = tree.git("push", "origin", "main", check=False)
        assert not refused.ok
        assert setting in refused.err, refused.err
    assert hub.refs() == {}
    assert objects(hub.git_dir) == set()
    assert not (hub.git_dir / QUARANTINE).exists()


def test_a_push_from_a_shallow_clone(hub: Receiver, tree: WorkTree, tmp_path: Path):
    for n in range(3):
        tree.commit(f"Change {n}", **{"README.md": f"{n}\n"})
    shallow = WorkTree(tmp_path / "shallow")
    tree.git("clone", "-q", "--depth", "1", f"file://{tree.path}", str(shallow.path))
    shallow.git("remote", "set-url", "origin", hub.url)
    shallow.commit("On top", **{"top.txt": "t\n"})
    refused = shallow.git("push", "origin", "main", check=False)
    assert not refused.ok
    assert "--unshallow" in refused.err
    assert hub.refs() == {}
    tree.git("push", "-q", "origin", "main")
    shallow.git("push", "-q", "origin", "main")
    assert hub.refs() == {"refs/heads/main": shallow.head()}
    hub.fsck()
