"""Section by section, what other git servers let in: pushed to the served hub by stock git where it lets itself be
used for that, else as a crafted request. Nothing moves, nothing stays, and the answer says why."""

from __future__ import annotations

import base64
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from glasshub import repos
from glasshub.git.refs import ZERO
from tests.git import packs
from tests.git.packs import BLOB, COMMIT, TREE, oid, pack_of, push_body
from tests.git.receive_server import objects
from tests.push.gitclient import WorkTree, clone, init

pytestmark = pytest.mark.slow

MAIN = "refs/heads/main"
BLOB_ID = oid(BLOB, b"hello\n")


@dataclass
class Net:
    """Ada's model with one commit on main, her work tree, and the repository's folder on the server."""

    tree: WorkTree
    url: str
    login: str
    git_dir: Path
    tip: str

    def refs(self) -> str:
        return self.tree.git("ls-remote", "origin").out

    def post(self, *updates: tuple[str, str, str], sent: bytes = b"", capabilities: str = "report-status") -> list[str]:
        """The report on a hand-made push, as lines."""
        body = push_body(updates, sent, capabilities)
        request = urllib.request.Request(f"{self.url}/git-receive-pack", body)
        request.add_header("Content-Type", "application/x-git-receive-pack-request")
        request.add_header("Authorization", f"Basic {base64.b64encode(self.login.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return _lines(answer.read())


def _lines(answer: bytes) -> list[str]:
    found = []
    while answer:
        size = int(answer[:4], 16)
        found.append(answer[4:size].decode().rstrip("\n"))
        answer = answer[max(size, 4) :]
    return found


@pytest.fixture
def net(live, tmp_path: Path):
    """A repo, and afterwards the proof that nothing but its one commit is there."""
    ada = live.person("ada")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/net", ada))
    tip = tree.commit("One", **{"README.md": "one\n"})
    tree.git("push", "-q", "origin", "main")
    git_dir = live.hub.git_dir(repos.find(live.hub, "model", ada.name, "net"))
    before = objects(git_dir)
    made = Net(tree, f"{live.url}/{ada.name}/net", f"{ada.name}:{ada.token}", git_dir, tip)
    yield made
    assert objects(git_dir) == before
    assert made.refs().split() == [tip, "HEAD", tip, MAIN]
    assert not (git_dir / "quarantine").exists()
    assert clone(made.url, tmp_path / "after").head() == tip


@pytest.mark.parametrize(
    ("mode", "name", "reason"),
    [
        ("100644", b".git", "taken for, .git"),
        ("40000", b".GIT", "taken for, .git"),
        ("40000", b"git~1", "taken for, .git"),
        ("40000", b"..", "named '..'"),
        ("40000", b".", "named '.'"),
        ("100644", b"a/b", "slash"),
        ("120000", b".gitmodules", "symbolic link"),
        ("100600", b"odd", "unknown mode"),
    ],
)
def test_stock_git_cannot_push_trees_that_harm_a_clone(net: Net, mode: str, name: bytes, reason: str):
    tree = net.tree
    content = tree.path / ".git" / "content"
    content.write_bytes(b"hello\n")
    tree.git("hash-object", "-w", str(content))
    content.write_bytes(packs.tree((mode.encode(), name, BLOB_ID if mode != "40000" else oid(TREE, b""))))
    tree.git("hash-object", "-w", "-t", "tree", "/dev/null")
    bad = tree.git("hash-object", "-w", "-t", "tree", "--literally", str(content)).out.strip()
    top = (tree.path / ".git" / "top").resolve()
    top.write_text(f"40000 tree {bad}\tbelow\n")
    top_id = tree.git("mktree", stdin=top).out.strip()
    tip = tree.git("commit-tree", top_id, "-p", "HEAD", "-m", "Bad").out.strip()
    for refs in ([f"{tip}:refs/heads/bad"], [f"{tip}:refs/heads/main"], [f"{tip}:refs/tags/bad"]):
        refused = tree.git("push", "origin", *refs, check=False)
        assert not refused.ok
        assert reason in refused.err
        assert bad in refused.err


def test_tips_that_are_no_commits_are_refused(net: Net):
    tree = net.tree
    blob = tree.git("rev-parse", "HEAD:README.md").out.strip()
    top = tree.git("rev-parse", "HEAD^{tree}").out.strip()
    tree.git("tag", "-a", "of-blob", "-m", "T", blob)
    for what, ref in (
        (blob, "refs/heads/blob"),
        (top, "refs/heads/tree"),
        (blob, "refs/tags/blob"),
        (top, "refs/tags/t"),
    ):
        report = net.post((ZERO, what, ref), sent=pack_of())
        assert report[0] == "unpack ok"
        assert "is not a commit" in report[1], report
    for ref in ("of-blob:refs/tags/of-blob", "of-blob:refs/heads/of-blob"):
        refused = tree.git("push", "origin", ref, check=False)
        assert not refused.ok
        assert "commit" in refused.err


def test_a_tip_that_is_neither_sent_nor_there_is_refused(net: Net):
    report = net.post((ZERO, "12" * 20, "refs/heads/absent"), sent=pack_of())
    assert "was not sent and is not in the repo" in report[1]
    report = net.post((net.tip, "12" * 20, MAIN), sent=pack_of())
    assert "was not sent and is not in the repo" in report[1]


def test_a_missing_parent_tree_or_file_is_refused_and_named(net: Net):
    tip, [blob, top, commit] = packs.sound_commit(b"other\n", bytes.fromhex(net.tip))
    orphan, lost = packs.sound_commit(b"lost\n", b"\1" * 20)
    for new, sent, needs in (
        (orphan, lost, f"commit {'01' * 20}"),
        (tip, [top, commit], f"blob {oid(*blob).hex()}"),
        (tip, [blob, commit], f"tree {oid(*top).hex()}"),
    ):
        report = net.post((ZERO, new.hex(), "refs/heads/holes"), sent=pack_of(*sent))
        assert needs in report[0]
        assert "neither in the push nor in the repo" in report[0]
        assert report[1] == "ng refs/heads/holes unpacker error"


def test_a_push_from_a_shallow_clone_of_another_history_is_refused_with_advice(net: Net, tmp_path: Path):
    other = init(tmp_path / "other")
    for n in range(3):
        other.commit(f"Other {n}", **{"x.txt": f"{n}\n"})
    shallow = clone(f"file://{other.path}", tmp_path / "shallow", "--depth", "1")
    refused = shallow.git("push", net.tree.git("remote", "get-url", "origin").out.strip(), "HEAD:side", check=False)
    assert not refused.ok
    assert "--unshallow" in refused.err


def test_a_stale_old_value_is_refused_and_never_reported_as_done(net: Net):
    tip, sound = packs.sound_commit(b"new\n", bytes.fromhex(net.tip))
    report = net.post((ZERO, tip.hex(), MAIN), sent=pack_of(*sound))
    assert report == ["unpack ok", f"ng {MAIN} stale info: the ref moved; fetch and push again", ""]
    for old in (tip.hex(), "34" * 20):
        assert net.post((old, tip.hex(), MAIN), sent=pack_of(*sound))[1].startswith(f"ng {MAIN} ")
    below = net.post((ZERO, tip.hex(), f"{MAIN}/below"), sent=pack_of(*sound))
    assert "a ref cannot be a folder of refs too" in below[1]
    assert net.post(("34" * 20, ZERO, MAIN))[1].startswith(f"ng {MAIN} ")


def test_one_stale_ref_of_an_atomic_push_stops_the_other(net: Net):
    tip, sound = packs.sound_commit(b"new\n", bytes.fromhex(net.tip))
    updates = [(ZERO, tip.hex(), MAIN), (ZERO, tip.hex(), "refs/heads/side")]
    report = net.post(*updates, sent=pack_of(*sound), capabilities="report-status atomic")
    assert report[1].startswith(f"ng {MAIN} stale info")
    assert report[2] == "ng refs/heads/side atomic push: another ref was refused, so none was changed"


@pytest.mark.parametrize(
    "ref",
    ["refs/hub/events", "refs/hub/x", "refs/meta/config", "refs/x", "refs/pr/1", "HEAD", "refs/heads/a..b", "main"],
)
def test_no_other_ref_can_be_made(net: Net, ref: str):
    tip, sound = packs.sound_commit(b"new\n", bytes.fromhex(net.tip))
    report = net.post((ZERO, tip.hex(), ref), sent=pack_of(*sound))
    assert report[0] == "unpack ok"
    assert report[1].startswith(f"ng {ref} ")


def test_rewriting_main_is_refused_however_it_is_asked_for(net: Net):
    tip, sound = packs.sound_commit(b"other history\n")
    for updates in ([(net.tip, tip.hex(), MAIN)], [(net.tip, ZERO, MAIN)]):
        report = net.post(*updates, sent=pack_of(*sound) if updates[0][1] != ZERO else b"")
        assert "main is protected" in report[1]


def test_damaged_and_cut_packs_are_refused(net: Net):
    tip, sound = packs.sound_commit(b"new\n", bytes.fromhex(net.tip))
    good = pack_of(*sound)
    for sent in (b"", good[:40], good[:-1], good + b"x", good[:-20] + b"\0" * 20, b"PACK" + good[4:12] + b"\xff" * 99):
        report = net.post((ZERO, tip.hex(), "refs/heads/new"), sent=sent)
        assert "The pack is damaged" in report[0]
        assert report[1] == "ng refs/heads/new unpacker error"


def test_commits_and_tags_that_are_malformed_are_refused(net: Net):
    data = packs.commit(oid(TREE, b""), author=b"nobody")
    report = net.post((ZERO, oid(COMMIT, data).hex(), "refs/heads/new"), sent=pack_of((TREE, b""), (COMMIT, data)))
    assert "is malformed" in report[0]
