"""Locks of paths with stock git-lfs, and who may remove them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.lab import Lab
from tests.push import gitclient
from tests.require import require

pytestmark = pytest.mark.slow


def test_git_lfs_locks_lists_and_unlocks(lab: Lab, tmp_path: Path):
    require("git-lfs")
    repo = lab.repo(a="1")
    writer = gitclient.clone(lab.live.git_url(repo, lab.people["writer"]), tmp_path / "writer")
    admin = gitclient.clone(lab.live.git_url(repo, lab.people["admin"]), tmp_path / "admin")
    writer.git("lfs", "install", "--local")
    writer.git("lfs", "lock", "weights/model.bin")
    assert "weights/model.bin" in admin.git("lfs", "locks").out
    assert lab.name("writer") in admin.git("lfs", "locks").out
    again = admin.git("lfs", "lock", "weights/model.bin", check=False)
    assert not again.ok
    assert "has locked" in again.err + again.out
    refused = admin.git("lfs", "unlock", "weights/model.bin", check=False)
    assert not refused.ok
    admin.git("lfs", "unlock", "--force", "weights/model.bin")
    assert admin.git("lfs", "locks").out.strip() == ""
    writer.commit("More", b="2")
    writer.git("push", "-q", "origin", "main")  # git-lfs asks for locks before


def test_git_lfs_keeps_a_path_that_another_has_locked_from_being_pushed(lab: Lab, tmp_path: Path):
    require("git-lfs")
    repo = lab.repo(a="1")
    lab.http("admin").post(f"/{repo}.git/info/lfs/locks", json={"path": "m.bin"})
    tree = gitclient.clone(lab.live.git_url(repo, lab.people["writer"]), tmp_path / "writer")
    tree.git("lfs", "install", "--local")
    tree.git("lfs", "track", "*.bin", "--lockable")
    tree.commit("Weights", **{"m.bin": "x" * 2000})
    tree.git("config", "lfs.locksverify", "true")  # as git-lfs itself advises once it has seen that the hub knows locks
    pushed = tree.git("push", "origin", "main", check=False)
    assert not pushed.ok
    assert "m.bin" in pushed.out + pushed.err
    assert lab.name("admin") in pushed.out + pushed.err


def test_who_may_lock_and_unlock(lab: Lab):
    repo = lab.repo(a="1")
    locks = f"/{repo}.git/info/lfs/locks"
    for who, status in (("anonymous", 401), ("stranger", 403), ("reader", 403), ("writer", 201)):
        assert lab.http(who).post(locks, json={"path": "m.bin"}).status_code == status
    there = lab.http("admin").post(locks, json={"path": "m.bin"})
    assert (there.status_code, there.json()["lock"]["owner"]) == (409, {"name": lab.name("writer")})
    held = there.json()["lock"]["id"]
    mine = lab.http("writer").post(f"{locks}/verify", json={}).json()
    assert ([lock["id"] for lock in mine["ours"]], mine["theirs"]) == ([held], [])
    others = lab.http("stranger").post(f"{locks}/verify", json={}).json()
    assert (others["ours"], [lock["id"] for lock in others["theirs"]]) == ([], [held])
    for who, force, status in (
        ("stranger", True, 403),
        ("admin", False, 403),
        ("admin", True, 200),
        ("admin", True, 404),
    ):
        assert lab.http(who).post(f"{locks}/{held}/unlock", json={"force": force}).status_code == status


def test_locks_come_in_pages_and_of_private_repos_to_readers_only(lab: Lab):
    repo = lab.repo(private=True)
    locks = f"/{repo}.git/info/lfs/locks"
    for name in ("a", "b", "c"):
        assert lab.http("writer").post(locks, json={"path": f"{name}.bin"}).status_code == 201
    first = lab.http("reader").get(locks, params={"limit": 2}).json()
    rest = lab.http("reader").get(locks, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [lock["path"] for lock in first["locks"] + rest["locks"]] == ["a.bin", "b.bin", "c.bin"]
    assert "next_cursor" not in rest
    assert [lock["path"] for lock in lab.http("reader").get(locks, params={"path": "b.bin"}).json()["locks"]] == [
        "b.bin"
    ]
    assert lab.http("anonymous").get(locks).status_code == 401
    assert lab.http("stranger").get(locks).status_code == 404


@pytest.mark.parametrize("path", ["", "/etc/passwd", "a/../b", "a//b", "a\nb", "x" * 5000, 7, None])
def test_only_paths_are_locked(lab: Lab, path: object):
    answer = lab.http("writer").post(f"/{lab.repo()}.git/info/lfs/locks", json={"path": path})
    assert answer.status_code == 400
