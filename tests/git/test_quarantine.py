"""New objects wait aside, come in whole, and leave nothing when refused or when their process dies."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from dulwich.repo import Repo as GitRepo

from glasshub.errors import Invalid
from glasshub.git.fsck import check_new_objects, verify_repository
from glasshub.git.lock import repo_lock
from glasshub.git.object_check import references
from glasshub.git.quarantine import LOOSE_AT_MOST, Quarantine
from glasshub.git.recovery import QUARANTINE, UNBORN, recover
from glasshub.git.refs import ZERO, RefUpdate, apply_updates
from glasshub.git.stored import StoredKinds
from tests.git import packs
from tests.git.crash import every_death
from tests.git.packs import BLOB, COMMIT, TREE, oid, pack_of, push_body, tree
from tests.git.receive_server import LIMITS, Receiver
from tests.push.gitclient import git


@pytest.fixture
def repo(tmp_path: Path):
    (tmp_path / "r.git").mkdir()
    with GitRepo.init_bare(str(tmp_path / "r.git")) as opened:
        yield opened


def many(count: int = 2 * LOOSE_AT_MOST) -> tuple[bytes, list[tuple[int, bytes]]]:
    """A commit with so many files that it stays a pack."""
    blobs = [(BLOB, b"file %d\n" % n) for n in range(count)]
    top = (TREE, tree(*((b"100644", b"%05d" % n, oid(*blob)) for n, blob in enumerate(blobs))))
    commit = (COMMIT, packs.commit(oid(*top)))
    return oid(*commit), [*blobs, top, commit]


def stored(repo: GitRepo) -> set[Path]:
    folder = Path(repo.path, "objects")
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("made", [packs.sound_commit, many])
@pytest.mark.parametrize("received", [True, False])
def test_objects_are_seen_inside_only_until_they_migrate(repo: GitRepo, made, received: bool):
    tip, objects = made()
    name = tip.hex().encode()
    with Quarantine(repo) as waiting:
        if received:
            assert waiting.receive(io.BytesIO(pack_of(*objects)), LIMITS) == len(objects)
        else:
            for obj in packs.as_objects(objects):
                waiting.add(obj)
        check_new_objects(waiting)
        assert waiting.store[name].id == name
        assert name not in repo.object_store
        assert stored(repo) == set()
        waiting.migrate()
        assert name in repo.object_store
        assert waiting.store[name].id == name
        waiting.migrate()
    assert not Path(repo.path, QUARANTINE).exists()
    apply_updates(repo, [RefUpdate(ZERO, tip.hex(), "refs/heads/main")], atomic=False)
    assert verify_repository(repo) == []
    git("fsck", "--strict", cwd=Path(repo.path))
    assert any(path.suffix == ".pack" for path in stored(repo)) == (len(objects) > LOOSE_AT_MOST)
    assert all((Path(repo.path, "objects") / path).stat().st_mode & 0o777 == 0o444 for path in stored(repo))


@pytest.mark.parametrize("made", [packs.sound_commit, many])
def test_leaving_without_migrating_removes_everything(repo: GitRepo, made):
    _, objects = made()
    with Quarantine(repo) as waiting:
        waiting.receive(io.BytesIO(pack_of(*objects)), LIMITS)
        waiting.add(packs.as_objects([(BLOB, b"more")])[0])
    assert stored(repo) == set()
    assert not Path(repo.path, QUARANTINE).exists()
    assert list(waiting.store) == list(repo.object_store)


def test_objects_made_on_top_of_a_received_pack_come_along(repo: GitRepo):
    tip, objects = many()
    on_top, [_, top, commit] = packs.sound_commit(b"file 1\n", tip)
    with Quarantine(repo) as waiting:
        waiting.receive(io.BytesIO(pack_of(*objects)), LIMITS)
        for obj in packs.as_objects([top, commit]):
            waiting.add(obj)
        check_new_objects(waiting)
        waiting.migrate()
    apply_updates(repo, [RefUpdate(ZERO, on_top.hex(), "refs/heads/main")], atomic=False)
    assert verify_repository(repo) == []


def test_objects_made_by_the_hub_are_checked_too(repo: GitRepo):
    bad = packs.as_objects([(TREE, tree((b"100644", b".git", b"\1" * 20)))])[0]
    with Quarantine(repo) as waiting, pytest.raises(Invalid, match=r"\.git"):
        waiting.add(bad)


def test_the_same_pack_twice_is_harmless(repo: GitRepo):
    tip, objects = many()
    for _ in range(2):
        with Quarantine(repo) as waiting:
            waiting.receive(io.BytesIO(pack_of(*objects)), LIMITS)
            waiting.migrate()
    assert len(stored(repo)) == 2
    assert repo.object_store[tip.hex().encode()].id == tip.hex().encode()


def test_kinds_are_known_without_unfolding(repo: GitRepo):
    _, objects = many()
    _, few = packs.sound_commit()
    for group in (objects, few):
        with Quarantine(repo) as waiting:
            waiting.receive(io.BytesIO(pack_of(*group)), LIMITS)
            waiting.migrate()
    tips = [RefUpdate(ZERO, oid(*group[-1]).hex(), f"refs/heads/{len(group)}") for group in (objects, few)]
    apply_updates(repo, tips, atomic=False)
    git("repack", "-adq", cwd=Path(repo.path))
    with StoredKinds(repo.object_store) as kinds:
        for kind, data in [*objects, *few]:
            assert kinds.get(oid(kind, data)) == kind
        assert kinds.get(b"\1" * 20) is None
        with Quarantine(repo) as waiting:  # comes while the look-up is open
            late = (BLOB, b"late")
            waiting.receive(io.BytesIO(pack_of(late)), LIMITS)
            waiting.migrate()
        assert kinds.get(oid(*late)) == BLOB


def test_kinds_follow_chains_of_deltas(repo: GitRepo, tmp_path: Path):
    git("init", "-q", str(tmp_path / "w"), cwd=tmp_path)
    for n in range(15):
        (tmp_path / "w" / "a.txt").write_text("line\n" * 200 + f"{n}\n")
        for name in range(30):
            (tmp_path / "w" / f"f{name}").write_text(f"{name} {n if name == 3 else ''}")
        git("add", "-A", cwd=tmp_path / "w")
        git("commit", "-qm", f"{n}", cwd=tmp_path / "w")
    git("repack", "-adq", cwd=tmp_path / "w")
    listed = git("cat-file", "--batch-all-objects", "--batch-check", cwd=tmp_path / "w").out.split("\n")[:-1]
    with GitRepo(str(tmp_path / "w")) as work, StoredKinds(work.object_store) as kinds:
        names = {1: "commit", 2: "tree", 3: "blob"}
        for name, kind, _ in (line.split() for line in listed):
            assert names[kinds.get(bytes.fromhex(name)) or 0] == kind


def test_recovery_spares_the_living_and_removes_the_dead(repo: GitRepo):
    top = Path(repo.path, QUARANTINE)
    ready, ready_write = os.pipe()
    child = os.fork()
    if child == 0:
        dying = Quarantine(repo)
        dying.receive(io.BytesIO(pack_of(*many()[1])), LIMITS)
        os.write(ready_write, b"x")
        threading.Event().wait(30)
    os.read(ready, 1)
    with Quarantine(repo) as mine:
        mine.receive(io.BytesIO(pack_of(*many()[1])), LIMITS)
        recover(Path(repo.path))
        assert len(list(top.iterdir())) == 2
        os.kill(child, 9)
        os.waitpid(child, 0)
        recover(Path(repo.path))
        assert len(list(top.iterdir())) == 1
        mine.migrate()
    recover(Path(repo.path))
    assert not top.exists()
    os.close(ready)
    os.close(ready_write)


@pytest.mark.slow
@pytest.mark.parametrize("made", [packs.sound_commit, many])
def test_a_push_killed_anywhere_leaves_all_or_nothing(tmp_path: Path, made):
    tip, objects = made()
    body = push_body([(ZERO, tip.hex(), "refs/heads/main")], pack_of(*objects), "report-status")
    number = iter(range(1000))
    receiver = Receiver(tmp_path)

    def prepare() -> None:
        receiver.git_dir = tmp_path / f"{next(number)}.git"
        receiver.git_dir.mkdir()
        GitRepo.init_bare(str(receiver.git_dir)).close()

    deaths = moved = 0
    for _ in every_death(lambda: list(receiver.receive(io.BytesIO(body))), prepare, most=300):
        deaths += 1
        with GitRepo(str(receiver.git_dir)) as repo:
            # What a reader sees meanwhile is sound: the ref is there only if its objects are.
            assert verify_repository(repo) == []
            for obj in list(repo.object_store):
                with StoredKinds(repo.object_store) as kinds:
                    _closed(repo, obj, kinds)
        with repo_lock(receiver.git_dir, timeout=1):
            recover(receiver.git_dir)
        moved += bool(receiver.refs())
        assert b"ok refs/heads/main" in b"".join(receiver.receive(io.BytesIO(body))) or receiver.refs()
        assert receiver.refs() == {"refs/heads/main": tip.hex()}
        with GitRepo(str(receiver.git_dir)) as repo:
            assert verify_repository(repo) == []
        _age_unborn(receiver.git_dir)
        recover(receiver.git_dir)
        assert list(receiver.git_dir.glob(f"{QUARANTINE}/*")) == []
    assert deaths > 15
    assert moved


def _age_unborn(git_dir: Path) -> None:
    for folder in git_dir.glob(f"{QUARANTINE}/{UNBORN}*"):
        assert list(folder.iterdir()) == []
        os.utime(folder, (1, 1))


def _closed(repo: GitRepo, name: bytes, kinds: StoredKinds) -> None:
    kind, data = repo.object_store.get_raw(name)
    for wanted, named in references(kind, data):
        assert kinds.get(named) == wanted


def test_quarantines_that_come_and_go_at_once_do_not_take_each_others_folder_away(repo: GitRepo):
    failures: list[Exception] = []

    def come_and_go() -> None:
        try:
            for _ in range(150):
                with Quarantine(repo) as one:
                    one.receive(io.BytesIO(pack_of()), LIMITS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must know
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not Path(repo.path, QUARANTINE).exists()
