"""Refs of the hub: in no advertisement, on request for readers, closed to every push."""

from __future__ import annotations

import base64
import urllib.request
from pathlib import Path

import pytest

from tests.push.gitclient import clone, git, init

pytestmark = pytest.mark.slow


@pytest.fixture
def net(live, tmp_path: Path):
    """A model with an open pull request, and so with a record."""
    ada = live.person("ada")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/net", ada))
    tree.commit("One", **{"README.md": "one\n"})
    tree.git("push", "-q", "origin", "main")
    tree.git("checkout", "-q", "-b", "proposal")
    tree.commit("Two", **{"README.md": "two\n"})
    tree.git("push", "-q", "origin", "HEAD:refs/for/main")
    tree.git("checkout", "-q", "main")
    return ada, tree


def _advertised(url: str, service: str, login: str, version: int) -> str:
    request = urllib.request.Request(f"{url}/info/refs?service={service}")
    request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    request.add_header("Git-Protocol", f"version={version}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


@pytest.mark.parametrize("version", [0, 1, 2])
def test_no_advertisement_names_them(live, net, version: int, tmp_path: Path):
    ada, tree = net
    url, login = f"{live.url}/{ada.name}/net", f"{ada.name}:{ada.token}"
    fetched = _advertised(url, "git-upload-pack", login, version)
    pushed = _advertised(url, "git-receive-pack", login, version)
    assert "refs/hub/" not in fetched + pushed
    assert "refs/pr/" not in fetched
    assert "refs/pr/1" in pushed  # who may push to a pull request has to see where it stands
    listed = tree.git("-c", f"protocol.version={version}", "ls-remote", "origin").out
    assert [line.split("\t")[1] for line in listed.splitlines()] == ["HEAD", "refs/heads/main"]
    git("-c", f"protocol.version={version}", "clone", "-q", "--mirror", url, "mirror.git", cwd=tmp_path)
    assert "refs/pr" not in git("--git-dir", "mirror.git", "show-ref", cwd=tmp_path).out


def test_readers_have_them_for_the_asking(live, net, tmp_path: Path):
    ada, tree = net
    copy = clone(f"{live.url}/{ada.name}/net", tmp_path / "copy")
    copy.git("fetch", "-q", "origin", "refs/pr/1:refs/remotes/origin/pr/1", "refs/hub/events:refs/hub/events")
    assert copy.git("rev-parse", "origin/pr/1").out == tree.git("rev-parse", "proposal").out
    copy.git("fsck", "--strict")
    assert copy.git("cat-file", "-t", "refs/hub/events").out.strip() == "commit"


def test_their_owner_cannot_push_move_or_delete_them(net):
    _, tree = net
    spec = ("refs/pr/1:refs/kept/pr", "refs/hub/events:refs/kept/events")
    tree.git("fetch", "-q", "origin", *spec)
    before = tree.git("for-each-ref", "refs/kept").out
    assert before.count("\n") == 2
    for pushed in ("main:refs/hub/events", ":refs/hub/events", "main:refs/hub/other", "+main:refs/hub/events"):
        refused = tree.git("push", "origin", pushed, check=False)
        assert not refused.ok
    tree.git("fetch", "-q", "origin", *spec)
    assert tree.git("for-each-ref", "refs/kept").out == before
