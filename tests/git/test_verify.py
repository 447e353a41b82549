"""Checking whole repositories: a sound one has no faults, and each sort of damage is found and named."""

from __future__ import annotations

import io
import shutil
import zlib
from pathlib import Path

import pytest
from dulwich.repo import Repo as GitRepo

from glasshub.git.fsck import verify_repository
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefUpdate, apply_updates
from tests.git import packs
from tests.git.packs import BLOB, TAG, TREE, oid, pack_of
from tests.git.receive_server import LIMITS
from tests.git.test_quarantine import many
from tests.push.gitclient import git


@pytest.fixture
def git_dir(tmp_path: Path) -> Path:
    """A repository with a pack, loose objects, a branch on each, and an annotated tag."""
    folder = tmp_path / "r.git"
    folder.mkdir()
    with GitRepo.init_bare(str(folder)) as repo:
        tips = []
        for tip, objects in (many(), packs.sound_commit()):
            with Quarantine(repo) as waiting:
                waiting.receive(io.BytesIO(pack_of(*objects)), LIMITS)
                waiting.add(packs.as_objects([(TAG, packs.tag(b"commit", tip))])[0])
                waiting.migrate()
            tips.append(tip.hex())
        tag = oid(TAG, packs.tag(b"commit", bytes.fromhex(tips[0]))).hex()
        updates = [("refs/heads/main", tips[0]), ("refs/heads/loose", tips[1]), ("refs/tags/v", tag)]
        apply_updates(repo, [RefUpdate(ZERO, new, ref) for ref, new in updates], atomic=False)
    return folder


def faults(git_dir: Path) -> list[str]:
    with GitRepo(str(git_dir)) as repo:
        return verify_repository(repo)


def loose(git_dir: Path, kind: int, data: bytes) -> Path:
    name = oid(kind, data).hex()
    return git_dir / "objects" / name[:2] / name[2:]


def write_loose(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def test_a_sound_repository_has_no_faults(git_dir: Path):
    assert faults(git_dir) == []
    git("repack", "-adq", cwd=git_dir)
    git("pack-refs", "--all", cwd=git_dir)
    assert faults(git_dir) == []


def test_an_empty_repository_has_no_faults(tmp_path: Path):
    GitRepo.init_bare(str(tmp_path)).close()
    assert faults(tmp_path) == []


def test_a_missing_object_is_named_with_who_needs_it(git_dir: Path):
    _, [blob, top, _] = packs.sound_commit()
    loose(git_dir, *blob).unlink()
    assert faults(git_dir) == [f"tree {oid(*top).hex()} needs blob {oid(*blob).hex()}, which is missing"]


def test_what_nothing_leads_to_may_lack_something(git_dir: Path):
    _, [blob, _, _] = packs.sound_commit()
    with GitRepo(str(git_dir)) as repo:
        del repo.refs[b"refs/heads/loose"]
        repo.object_store.delete_loose_object(oid(TAG, packs.tag(b"commit", packs.sound_commit()[0])).hex().encode())
    loose(git_dir, *blob).unlink()
    assert faults(git_dir) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zlib.compress(b"blob 6\0HELLO\n"), "hashes to"),
        (zlib.compress(b"blob 7\0hello\n"), "header"),
        (zlib.compress(b"thing 6\0hello\n"), "header"),
        (zlib.compress(b"blob 6\0hello\n")[:-3], "cut off"),
        (zlib.compress(b"blob 6\0hello\n") + b"x", "follows"),
        (b"no zlib", "damaged"),
        (b"", "cut off"),
    ],
)
def test_damaged_loose_objects_are_found(git_dir: Path, content: bytes, reason: str):
    _, [blob, *_] = packs.sound_commit()
    write_loose(loose(git_dir, *blob), content)
    [fault] = faults(git_dir)
    assert fault.startswith(f"object {oid(*blob).hex()} is damaged")
    assert reason in fault


def test_damaged_packs_and_indexes_are_found(git_dir: Path, tmp_path: Path):
    [pack] = (git_dir / "objects" / "pack").glob("*.pack")
    for at in (5, 30, pack.stat().st_size // 2, pack.stat().st_size - 5):
        copy = tmp_path / f"at-{at}.git"
        shutil.copytree(git_dir, copy)
        broken = copy / "objects" / "pack" / pack.name
        data = bytearray(broken.read_bytes())
        data[at] ^= 0xFF
        broken.chmod(0o644)
        broken.write_bytes(bytes(data))
        assert any(pack.name in fault for fault in faults(copy)), at
    index = pack.with_suffix(".idx")
    data = bytearray(index.read_bytes())
    data[1100] ^= 0xFF
    index.chmod(0o644)
    index.write_bytes(bytes(data))
    assert any(pack.name in fault for fault in faults(git_dir))


def test_refs_that_lead_nowhere_are_found(git_dir: Path):
    _, [blob, top, _] = packs.sound_commit()
    (git_dir / "refs" / "heads" / "gone").write_text("1" * 40)
    (git_dir / "refs" / "heads" / "noise").write_text("hello")
    (git_dir / "refs" / "heads" / "blob").write_text(oid(*blob).hex())
    (git_dir / "refs" / "tags" / "tree").write_text(oid(*top).hex())
    assert faults(git_dir) == [
        f"refs/heads/blob points to a {'blob'}; it must point to a commit",
        f"refs/heads/gone points to {'1' * 40}, which is missing",
        "refs/heads/noise holds b'hello', which is no object id",
        "refs/tags/tree points to a tree; it must point to a commit",
    ]


def test_dangerous_objects_that_came_another_way_are_found(git_dir: Path):
    bad = packs.tree((b"100644", b".git", oid(BLOB, b"hello\n")))
    write_loose(loose(git_dir, TREE, bad), zlib.compress(b"tree %d\0" % len(bad) + bad))
    [fault] = faults(git_dir)
    assert ".git" in fault
