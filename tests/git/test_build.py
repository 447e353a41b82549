"""Commits made by the hub: the tree that comes out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from dulwich.repo import Repo as GitRepo
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.errors import EntryNotFound, GlasshubError, Invalid, RevisionNotFound
from glasshub.git.build import Delete, Put, Signature, build_commit
from glasshub.git.fsck import check_new_objects, verify_repository
from glasshub.git.quarantine import Quarantine
from tests.push.gitclient import git

ADA = Signature("Ada", "ada@users.noreply.hub", 1_700_000_000)


@pytest.fixture
def repo(tmp_path: Path):
    (tmp_path / "r.git").mkdir()
    with GitRepo.init_bare(str(tmp_path / "r.git")) as opened:
        yield opened


def make(repo: GitRepo, parent: str | None, *operations: Put | Delete, message: str = "Change") -> str:
    with Quarantine(repo) as quarantine:
        made = build_commit(quarantine, parent, operations, message=message, author=ADA)
        check_new_objects(quarantine)
        quarantine.migrate()
    return made


def files(repo: GitRepo, commit: str) -> dict[str, str]:
    out = git("-c", "core.quotePath=false", "ls-tree", "-r", commit, cwd=Path(repo.path)).out
    listed = (line.split(None, 3) for line in out.splitlines())
    return {name: git("cat-file", "blob", oid, cwd=Path(repo.path)).out for _, _, oid, name in listed}


def test_first_and_later_commits(repo: GitRepo):
    first = make(repo, None, Put("README.md", b"hi"), Put("data/x/a.csv", b"1"), Put("data/b.csv", b"2"))
    assert files(repo, first) == {"README.md": "hi", "data/x/a.csv": "1", "data/b.csv": "2"}
    second = make(repo, first, Put("data/b.csv", b"3"), Delete("data/x"), Put("run.sh", b"#!", executable=True))
    assert files(repo, second) == {"README.md": "hi", "data/b.csv": "3", "run.sh": "#!"}
    assert "100755 blob" in git("ls-tree", second, "run.sh", cwd=Path(repo.path)).out
    shown = git("log", "-1", "--format=%an|%ae|%cn|%ct|%P|%B", second, cwd=Path(repo.path)).out
    assert shown.startswith(f"Ada|ada@users.noreply.hub|Ada|1700000000|{first}|Change")
    repo.refs[b"refs/heads/main"] = second.encode()
    git("fsck", "--strict", cwd=Path(repo.path))
    assert verify_repository(repo) == []


def test_deleting_the_last_file_of_a_folder_removes_the_folder(repo: GitRepo):
    first = make(repo, None, Put("a/b/c.txt", b"1"), Put("keep", b"2"))
    second = make(repo, first, Delete("a/b/c.txt"))
    assert git("ls-tree", second, cwd=Path(repo.path)).out.split()[3:] == ["keep"]
    empty = make(repo, second, Delete("keep"))
    assert files(repo, empty) == {}
    assert files(repo, make(repo, empty, Put("new", b"3"))) == {"new": "3"}


def test_operations_are_done_in_order(repo: GitRepo):
    first = make(repo, None, Put("a", b"1"))
    second = make(repo, first, Delete("a"), Put("a/b", b"2"), Put("a/b", b"3"), Put("x/y", b"4"), Delete("x/"))
    assert files(repo, second) == {"a/b": "3"}
    third = make(repo, second, Delete("a"), Put("a", b"file again"))
    assert files(repo, third) == {"a": "file again"}


def test_a_commit_that_changes_nothing_keeps_the_tree(repo: GitRepo):
    first = make(repo, None, Put("d/a", b"1"))
    second = make(repo, first, Put("d/a", b"1"))
    trees = [git("rev-parse", f"{oid}^{{tree}}", cwd=Path(repo.path)).out for oid in (first, second)]
    assert trees[0] == trees[1]
    assert first != second


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        ".",
        "a/./b",
        "..",
        "a/../b",
        ".git",
        "a/.GIT/config",
        ".git ",
        ".git.",
        "git~1",
        ".git::$INDEX_ALLOCATION",
        ".g\u200cit/hooks/x",
        "a\\..\\b",
        "a\\.git\\b",
        "a\0b",
        "a\ud800",
        "x" * 256,
        "/".join("x" * 3000),
    ],
)
def test_unsafe_paths_are_refused(repo: GitRepo, path: str):
    with pytest.raises(Invalid):
        make(repo, None, Put(path, b"x"))


@pytest.mark.parametrize(
    "path", [".gitignore", ".github/x", "git", "...", "a..b", "ein Ordner/größe.txt", "-x", "a\\b"]
)
def test_other_paths_are_not(repo: GitRepo, path: str):
    assert len(git("ls-tree", "-r", make(repo, None, Put(path, b"x")), cwd=Path(repo.path)).out.splitlines()) == 1


def test_clashes_are_refused(repo: GitRepo):
    first = make(repo, None, Put("a", b"1"), Put("d/e", b"2"))
    with pytest.raises(Invalid, match="is a file"):
        make(repo, first, Put("a/b", b"x"))
    with pytest.raises(Invalid, match="is a folder"):
        make(repo, first, Put("d", b"x"))
    with pytest.raises(Invalid, match="is a folder"):
        make(repo, None, Put("n/m", b"x"), Put("n", b"x"))


@pytest.mark.parametrize("path", ["nope", "d/nope", "nope/nope", "a/b"])
def test_deleting_nothing_is_an_error(repo: GitRepo, path: str):
    first = make(repo, None, Put("a", b"1"), Put("d/e", b"2"))
    with pytest.raises(EntryNotFound, match="A file with this name doesn't exist"):
        make(repo, first, Delete(path))


def test_an_unknown_parent_is_an_error(repo: GitRepo):
    with pytest.raises(RevisionNotFound):
        make(repo, "1" * 40, Put("a", b"1"))


def test_names_and_messages_cannot_forge_headers(repo: GitRepo):
    with Quarantine(repo) as quarantine:
        eve = Signature("Eve <x>\nparent 1", "e>\n@x\0", 5)
        made = build_commit(quarantine, None, [Put("a", b"1")], message="a\0b\ud800", author=eve)
        quarantine.migrate()
    raw = git("cat-file", "commit", made, cwd=Path(repo.path)).out
    assert "author Eve xparent 1 <e@x> 5 +0000\n" in raw
    assert raw.endswith("\n\nab?")


def test_many_files_become_one_pack_and_few_stay_loose(repo: GitRepo):
    packs = Path(repo.path, "objects", "pack")
    first = make(repo, None, Put("a", b"1"))
    assert not list(packs.iterdir())
    make(repo, first, *(Put(f"d{n % 7}/{n}.txt", b"%d" % n) for n in range(300)))
    assert sorted(path.suffix for path in packs.iterdir()) == [".idx", ".pack"]
    git("fsck", "--strict", cwd=Path(repo.path))


_PATHS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join)
_OPERATIONS = st.lists(st.one_of(st.builds(Put, _PATHS, st.binary(max_size=2)), st.builds(Delete, _PATHS)), max_size=6)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(_OPERATIONS, max_size=3))
def test_random_operations_agree_with_a_dictionary(tmp_path_factory, rounds):
    folder = tmp_path_factory.mktemp("r")
    with GitRepo.init_bare(str(folder)) as repo:
        parent, expected = None, {}
        for operations in rounds:
            wanted = _model(expected, operations)
            if wanted is None:
                with pytest.raises(GlasshubError):
                    make(repo, parent, *operations)
                continue
            parent, expected = make(repo, parent, *operations), wanted
            assert _stored(repo, repo[repo[parent.encode()].tree]) == expected
        assert verify_repository(repo) == []


def _model(before: dict[str, bytes], operations: list[Put | Delete]) -> dict[str, bytes] | None:
    """What the files should be afterwards, ``None`` if an operation must fail."""
    now = dict(before)
    for operation in operations:
        below = [path for path in now if path.startswith(f"{operation.path}/")]
        if isinstance(operation, Put):
            if below or any(operation.path.startswith(f"{path}/") for path in now):
                return None
            now[operation.path] = operation.data
        else:
            gone = [*below, *([operation.path] if operation.path in now else [])]
            if not gone:
                return None
            for path in gone:
                del now[path]
    return now


def _stored(repo: GitRepo, tree, prefix: str = "") -> dict[str, bytes]:
    found = {}
    for entry in tree.items():
        obj, path = repo[entry.sha], f"{prefix}{entry.path.decode()}"
        found |= _stored(repo, obj, f"{path}/") if obj.type_name == b"tree" else {path: obj.data}
    return found
