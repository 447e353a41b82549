"""Moving refs by compare-and-swap: names, staleness, all or none, and what a dead process leaves behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from dulwich.file import GitFile
from dulwich.objects import Blob, Commit, Tag, Tree
from dulwich.repo import Repo as GitRepo
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import Busy, RepoNotFound
from glasshub.git.lock import LOCK_FILE, repo_lock
from glasshub.git.recovery import JOURNAL, recover
from glasshub.git.refs import ATOMIC, STALE, TWICE, ZERO, RefUpdate, apply_updates, check_ref_name, read_ref
from tests.git.crash import every_death


def make_commit(repo: GitRepo, text: str) -> str:
    blob = Blob.from_string(text.encode())
    tree = Tree()
    tree.add(b"a.txt", 0o100644, blob.id)
    commit = Commit()
    commit.tree, commit.author, commit.committer = tree.id, b"Ada <a@example.org>", b"Ada <a@example.org>"
    commit.author_time = commit.commit_time = 1
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = text.encode()
    for obj in (blob, tree, commit):
        repo.object_store.add_object(obj)
    return commit.id.decode()


@pytest.fixture
def repo(tmp_path: Path):
    (tmp_path / "r.git").mkdir()
    with GitRepo.init_bare(str(tmp_path / "r.git")) as opened:
        yield opened


@pytest.fixture
def ids(repo: GitRepo) -> list[str]:
    return [make_commit(repo, f"commit {n}") for n in range(3)]


def refs_of(repo: GitRepo) -> dict[str, str]:
    with GitRepo(repo.path) as fresh:  # as another process sees them
        return {ref.decode(): oid.decode() for ref, oid in fresh.refs.as_dict().items() if ref != b"HEAD"}


def errors(results) -> list[str]:
    return [result.error for result in results]


@pytest.mark.parametrize(
    "name",
    ["refs/heads/main", "refs/tags/v1.0", "refs/pr/12", "refs/heads/a/b/c", "refs/heads/größe", "refs/hub/events"],
)
def test_git_names_are_legal(name: str):
    assert check_ref_name(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "HEAD",
        "main",
        "refs/heads",
        "refs/x",
        "refs//heads/x",
        "refs/heads/",
        "refs/heads//x",
        "refs/heads/../x",
        "refs/heads/.x",
        "refs/heads/x.lock",
        "refs/heads/x.lock/y",
        "refs/heads/a b",
        "refs/heads/a\n",
        "refs/heads/a~1",
        "refs/heads/a^",
        "refs/heads/a:b",
        "refs/heads/a?",
        "refs/heads/a[",
        "refs/heads/a\\b",
        "refs/heads/@{x}",
        "refs/heads/x.",
        "/refs/heads/x",
        "",
        "refs/heads/\udcff",
        "refs/heads/" + "x" * 250,
        "refs/heads/" + "/".join("x" * 200),
    ],
)
def test_other_names_are_refused(name: str):
    assert check_ref_name(name) or len(name) < 1024


def test_a_name_of_many_parts_is_too_long():
    assert "too long" in check_ref_name("refs/heads/" + "/".join("x" * 600))


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=40))
def test_no_legal_name_leaves_the_refs_folder(text: str):
    name = f"refs/{text}"
    if not check_ref_name(name):
        assert os.path.normpath(name) == name
        assert not name.endswith(".lock")


def test_creates_moves_and_deletes(repo: GitRepo, ids: list[str]):
    assert errors(apply_updates(repo, [RefUpdate(ZERO, ids[0], "refs/heads/main")], atomic=False)) == [""]
    assert refs_of(repo) == {"refs/heads/main": ids[0]}
    apply_updates(repo, [RefUpdate(ids[0], ids[1], "refs/heads/main")], atomic=False)
    assert refs_of(repo) == {"refs/heads/main": ids[1]}
    apply_updates(repo, [RefUpdate(ids[1], ZERO, "refs/heads/main")], atomic=False)
    assert refs_of(repo) == {}
    assert not Path(repo.path, JOURNAL).exists()


@pytest.mark.parametrize("old", [0, ZERO, 2])
def test_a_stale_update_is_refused_and_changes_nothing(repo: GitRepo, ids: list[str], old):
    apply_updates(repo, [RefUpdate(ZERO, ids[1], "refs/heads/main")], atomic=False)
    before = old if old == ZERO else ids[old]
    for new in (ids[2], ZERO):
        assert errors(apply_updates(repo, [RefUpdate(before, new, "refs/heads/main")], atomic=False)) == [STALE]
    assert refs_of(repo) == {"refs/heads/main": ids[1]}


def test_atomic_means_all_or_none(repo: GitRepo, ids: list[str]):
    apply_updates(repo, [RefUpdate(ZERO, ids[0], "refs/heads/main")], atomic=False)
    wanted = [RefUpdate(ZERO, ids[1], "refs/heads/side"), RefUpdate(ids[2], ids[1], "refs/heads/main")]
    assert errors(apply_updates(repo, wanted, atomic=True)) == [ATOMIC, STALE]
    assert refs_of(repo) == {"refs/heads/main": ids[0]}
    assert errors(apply_updates(repo, wanted, atomic=False)) == ["", STALE]
    assert refs_of(repo) == {"refs/heads/main": ids[0], "refs/heads/side": ids[1]}


def test_one_ref_named_twice_is_refused(repo: GitRepo, ids: list[str]):
    twice = [RefUpdate(ZERO, oid, "refs/heads/main") for oid in ids[:2]]
    other = RefUpdate(ZERO, ids[0], "refs/heads/other")
    assert errors(apply_updates(repo, [*twice, other], atomic=False)) == [TWICE, TWICE, ""]
    assert refs_of(repo) == {"refs/heads/other": ids[0]}


@pytest.mark.parametrize("packed", [False, True])
def test_a_ref_is_no_folder_of_refs(repo: GitRepo, ids: list[str], packed: bool):
    apply_updates(repo, [RefUpdate(ZERO, ids[0], "refs/heads/a/b")], atomic=False)
    if packed:
        repo.refs.pack_refs(all=True)
    for name in ("refs/heads/a", "refs/heads/a/b/c"):
        [error] = errors(apply_updates(repo, [RefUpdate(ZERO, ids[1], name)], atomic=False))
        assert "refs/heads/a/b exists" in error
    both = [RefUpdate(ZERO, ids[1], "refs/heads/x"), RefUpdate(ZERO, ids[1], "refs/heads/x/y")]
    assert all(errors(apply_updates(repo, both, atomic=False)))
    swap = [RefUpdate(ZERO, ids[1], "refs/heads/a"), RefUpdate(ids[0], ZERO, "refs/heads/a/b")]
    assert errors(apply_updates(repo, swap, atomic=True)) == ["", ""]
    assert refs_of(repo) == {"refs/heads/a": ids[1]}


def test_an_empty_folder_left_behind_is_no_obstacle(repo: GitRepo, ids: list[str]):
    Path(repo.path, "refs/heads/a/b").mkdir(parents=True)
    assert errors(apply_updates(repo, [RefUpdate(ZERO, ids[0], "refs/heads/a")], atomic=False)) == [""]


def test_deleting_a_packed_ref_removes_every_trace(repo: GitRepo, ids: list[str]):
    apply_updates(repo, [RefUpdate(ZERO, ids[0], f"refs/heads/{n}") for n in "ab"], atomic=False)
    repo.refs.pack_refs(all=True)
    apply_updates(repo, [RefUpdate(ids[0], ids[1], "refs/heads/a")], atomic=False)
    assert errors(apply_updates(repo, [RefUpdate(ids[1], ZERO, "refs/heads/a")], atomic=False)) == [""]
    assert errors(apply_updates(repo, [RefUpdate(ids[0], ZERO, "refs/heads/b")], atomic=False)) == [""]
    assert refs_of(repo) == {}


def test_many_refs_at_once_are_packed_and_tags_stay_peeled(repo: GitRepo, ids: list[str]):
    tag = Tag()
    tag.object, tag.name, tag.tagger = (Commit, ids[0].encode()), b"v", b"Ada <a@example.org>"
    tag.tag_time, tag.tag_timezone, tag.message = 1, 0, b"v"
    repo.object_store.add_object(tag)
    apply_updates(repo, [RefUpdate(ZERO, ids[0], "refs/heads/0")], atomic=False)
    updates = [RefUpdate(ids[0] if n == 0 else ZERO, ids[1], f"refs/heads/{n}") for n in range(200)]
    updates.append(RefUpdate(ZERO, tag.id.decode(), "refs/tags/v"))
    assert not any(errors(apply_updates(repo, updates, atomic=True)))
    assert refs_of(repo) == {update.ref: update.new for update in updates}
    assert not Path(repo.path, "refs/heads/0").exists()
    with GitRepo(repo.path) as fresh:
        assert fresh.refs.get_peeled(b"refs/tags/v") == ids[0].encode()
    gone = [RefUpdate(update.new, ZERO, update.ref) for update in updates]
    assert not any(errors(apply_updates(repo, gone, atomic=False)))
    assert refs_of(repo) == {}


def test_a_lock_of_another_program_is_waited_for(repo: GitRepo, ids: list[str]):
    held = GitFile(str(Path(repo.path, "refs/heads/main")), "wb")
    timer = threading.Timer(0.2, held.abort)
    timer.start()
    assert errors(apply_updates(repo, [RefUpdate(ZERO, ids[0], "refs/heads/main")], atomic=False)) == [""]
    timer.join()


@pytest.mark.slow
def test_a_lock_that_stays_refuses_the_ref_and_an_old_one_is_broken(repo: GitRepo, ids: list[str]):
    lock = Path(repo.path, "refs/heads/main.lock")
    lock.touch()
    wanted = [RefUpdate(ZERO, ids[0], "refs/heads/side"), RefUpdate(ZERO, ids[0], "refs/heads/main")]
    side, main = errors(apply_updates(repo, wanted, atomic=True))
    assert "locked by another program" in side
    assert side == main
    assert refs_of(repo) == {}
    os.utime(lock, (time.time() - 60,) * 2)
    assert errors(apply_updates(repo, wanted, atomic=True)) == ["", ""]


@pytest.mark.slow
def test_killed_anywhere_an_atomic_update_is_done_wholly_or_not_at_all(repo: GitRepo, ids: list[str]):
    before = {"refs/heads/main": ids[0], "refs/heads/old": ids[0], "refs/heads/d/f": ids[0]}
    updates = [
        RefUpdate(ids[0], ids[1], "refs/heads/main"),
        RefUpdate(ids[0], ZERO, "refs/heads/old"),
        RefUpdate(ids[0], ZERO, "refs/heads/d/f"),
        RefUpdate(ZERO, ids[2], "refs/heads/d"),
    ]
    after = {"refs/heads/main": ids[1], "refs/heads/d": ids[2]}

    def prepare() -> None:
        now = [RefUpdate(old, ZERO, ref) for ref, old in refs_of(repo).items()]
        apply_updates(repo, now, atomic=False)
        apply_updates(repo, [RefUpdate(ZERO, ids[2], ref) for ref in before], atomic=False)
        repo.refs.pack_refs(all=True)
        apply_updates(repo, [RefUpdate(ids[2], oid, ref) for ref, oid in before.items()], atomic=False)

    def push() -> None:
        with repo_lock(Path(repo.path)), GitRepo(repo.path) as fresh:
            apply_updates(fresh, updates, atomic=True)

    states = []
    for _ in every_death(push, prepare):
        assert not any(oid == ids[2] for ref, oid in refs_of(repo).items() if ref != "refs/heads/d"), "an old value"
        with repo_lock(Path(repo.path), timeout=1):
            recover(Path(repo.path))
        states.append(refs_of(repo))
        assert states[-1] in (before, after)
        assert not list(Path(repo.path).rglob("*.lock")) or [Path(repo.path, LOCK_FILE)] == list(
            Path(repo.path).rglob("*.lock")
        )
    assert before in states
    assert states[-1] == after
    assert len(states) > 6


def test_recovery_killed_anywhere_is_finished_by_the_next(repo: GitRepo, ids: list[str]):
    updates = [RefUpdate(ZERO, ids[n], f"refs/heads/{n}") for n in range(3)]

    def prepare() -> None:
        apply_updates(repo, [RefUpdate(oid, ZERO, ref) for ref, oid in refs_of(repo).items()], atomic=False)
        Path(repo.path, JOURNAL).write_text(f'{{"refs/heads/0": "{ids[0]}", "refs/heads/1": "{ids[1]}"}}')

    for _ in every_death(lambda: recover(Path(repo.path)), prepare):
        recover(Path(repo.path))
        assert refs_of(repo) == {update.ref: update.new for update in updates[:2]}
        assert not Path(repo.path, JOURNAL).exists()


def test_a_torn_journal_is_dropped(repo: GitRepo, ids: list[str]):
    Path(repo.path, JOURNAL).write_text('{"refs/heads/ma')
    recover(Path(repo.path))
    assert not Path(repo.path, JOURNAL).exists()
    assert read_ref(repo, "refs/heads/main") == ZERO


def test_the_lock_excludes_threads_and_is_given_up_in_time(repo: GitRepo):
    git_dir = Path(repo.path)
    entered = threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with repo_lock(git_dir):
            entered.set()
            leave.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(5)
    with pytest.raises(Busy, match="Try again"), repo_lock(git_dir, timeout=0.05):
        pytest.fail("two held the lock")
    leave.set()
    with repo_lock(git_dir, timeout=5):
        holder.join(5)


def test_the_lock_of_a_dead_process_is_free(repo: GitRepo):
    git_dir = Path(repo.path)
    ready, ready_write = os.pipe()
    child = os.fork()
    if child == 0:
        with repo_lock(git_dir):
            os.write(ready_write, b"x")
            time.sleep(30)
    os.read(ready, 1)
    with pytest.raises(Busy), repo_lock(git_dir, timeout=0.01):
        pytest.fail("two held the lock")
    os.kill(child, 9)
    os.waitpid(child, 0)
    with repo_lock(git_dir, timeout=1):
        pass
    os.close(ready)
    os.close(ready_write)


def test_a_deleted_repository_cannot_be_locked(tmp_path: Path):
    with pytest.raises(RepoNotFound), repo_lock(tmp_path / "gone.git"):
        pytest.fail("locked nothing")
