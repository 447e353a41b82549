"""Clone and fetch with stock git, in every protocol version; git fsck judges what arrives."""

from __future__ import annotations

import io
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from glasshub.git.pktline import pkt
from glasshub.git.read import open_repo
from glasshub.git.upload_pack import serve_upload_pack
from tests.git.upload_server import serving
from tests.push.gitclient import WorkTree, clone, git, init

pytestmark = pytest.mark.slow
VERSIONS = ("0", "1", "2")


@pytest.fixture
def origin(tmp_path: Path) -> WorkTree:
    """A history with a merge, folders, tags, a pull request head and a hub ref, half of it packed."""
    tree = init(tmp_path / "origin")
    for n in range(12):
        tree.write(f"folder/deep/file{n % 4}.txt", f"{n}\n" * 50)
        tree.commit(f"Commit {n}", **{"README.md": f"# {n}\n"})
    tree.git("tag", "-a", "v1", "-m", "First")
    tree.git("checkout", "-q", "-b", "side", "HEAD~5")
    tree.commit("Side", **{"side.txt": "side\n"})
    tree.git("checkout", "-q", "main")
    tree.git("merge", "-q", "--no-ff", "side", "-m", "Merge side")
    tree.git("repack", "-adq")
    tree.commit("Loose", **{"loose.txt": "loose\n"})
    tree.git("update-ref", "refs/pr/1", tree.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "Pull").out.strip())
    tree.git("update-ref", "refs/hub/events", "HEAD~1")
    return tree


def _sound(tree: WorkTree) -> None:
    tree.git("fsck", "--strict", "--full")


@pytest.mark.parametrize("version", VERSIONS)
def test_clone_fetch_and_tags(origin: WorkTree, tmp_path: Path, version: str):
    use = ("-c", f"protocol.version={version}")
    with serving(origin.path / ".git") as url:
        git(*use, "clone", "-q", url, str(tmp_path / "copy"), cwd=tmp_path)
        copy = WorkTree(tmp_path / "copy")
        _sound(copy)
        assert copy.head() == origin.head()
        assert copy.git("tag").out.split() == ["v1"]
        assert "refs/pr" not in copy.git(*use, "ls-remote", "origin").out
        assert "refs/hub" not in copy.git(*use, "ls-remote", "origin").out

        origin.commit("More", **{"folder/deep/file1.txt": "more\n"})
        origin.git("tag", "-a", "v2", "-m", "Second")
        copy.commit("Mine", **{"mine.txt": "mine\n"})
        copy.git(*use, "fetch", "-q", "origin")
        _sound(copy)
        assert copy.git("rev-parse", "origin/main").out.strip() == origin.head()
        assert copy.git("tag").out.split() == ["v1", "v2"]
        copy.git(*use, "fetch", "-q", "origin")


@pytest.mark.parametrize("version", VERSIONS)
def test_shallow_clones_deepen_and_become_whole(origin: WorkTree, tmp_path: Path, version: str):
    use = ("-c", f"protocol.version={version}")
    with serving(origin.path / ".git") as url:
        git(*use, "clone", "-q", "--depth", "1", url, str(tmp_path / "copy"), cwd=tmp_path)
        copy = WorkTree(tmp_path / "copy")
        assert copy.git("rev-list", "--count", "HEAD").out.strip() == "1"
        origin.commit("More", **{"more.txt": "more\n"})
        copy.git(*use, "fetch", "-q", "origin")  # a plain fetch into a shallow clone
        assert copy.git("rev-list", "--count", "origin/main").out.strip() == "2"
        copy.git(*use, "fetch", "-q", "--deepen", "2", "origin")
        _sound(copy)
        copy.git(*use, "fetch", "-q", "--unshallow", "origin")
        _sound(copy)
        assert copy.git("rev-list", "--count", "origin/main").out == origin.git("rev-list", "--count", "HEAD").out


@pytest.mark.parametrize("version", ["0", "2"])
def test_shallow_since_and_exclude(origin: WorkTree, tmp_path: Path, version: str):
    use = ("-c", f"protocol.version={version}")
    old = {"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    dated = init(tmp_path / "dated")
    for n in range(4):
        dated.git("commit", "-q", "--allow-empty", "-m", f"Old {n}", env=old)
    dated.git("tag", "-a", "then", "-m", "Then")
    dated.commit("New", **{"new.txt": "new\n"})
    with serving(dated.path / ".git") as url:
        git(*use, "clone", "-q", "--shallow-since=2024-01-01", url, str(tmp_path / "since"), cwd=tmp_path)
        git(*use, "clone", "-q", "--shallow-exclude=then", url, str(tmp_path / "not"), cwd=tmp_path)
    for name in ("since", "not"):
        assert WorkTree(tmp_path / name).git("rev-list", "--count", "HEAD").out.strip() == "1"


@pytest.mark.parametrize("version", ["0", "2"])
def test_deepening_a_whole_clone_leaves_it_whole(origin: WorkTree, tmp_path: Path, version: str):
    with serving(origin.path / ".git") as url:
        copy = clone(url, tmp_path / "copy")
        origin.commit("More", **{"more.txt": "more\n"})
        copy.git("-c", f"protocol.version={version}", "fetch", "-q", "--deepen", "2", "origin")
    assert not (copy.path / ".git" / "shallow").exists()
    assert copy.git("rev-list", "--count", "origin/main").out == origin.git("rev-list", "--count", "HEAD").out
    _sound(copy)


def test_deepening_begins_at_each_branchs_own_boundary(tmp_path: Path):
    tree = init(tmp_path / "tree")
    for branch in ("long", "main"):
        tree.git("checkout", "-q", "--orphan", branch)
        for n in range(8):
            tree.commit(f"{branch} {n}")
    with serving(tree.path / ".git") as url:
        copy = clone(url, tmp_path / "copy", "--depth", "1", "--no-single-branch")
        copy.git("fetch", "-q", "--depth", "5", "origin", "long")
        copy.git("fetch", "-q", "--deepen", "1", "origin")
    assert [copy.git("rev-list", "--count", f"origin/{b}").out.strip() for b in ("long", "main")] == ["6", "2"]


@pytest.mark.parametrize("version", ["0", "2"])
def test_a_boundary_by_date_names_only_commits_that_are_sent(tmp_path: Path, version: str):
    """A merge of something old is cut off from all its parents, the new ones too."""
    use = ("-c", f"protocol.version={version}")
    tree = init(tmp_path / "tree")
    days = iter(f"2024-01-{day:02}T00:00:00Z" for day in range(1, 30))

    def commit(*command: str) -> None:
        day = next(days)
        tree.git(*command, env={"GIT_COMMITTER_DATE": day, "GIT_AUTHOR_DATE": day})

    commit("commit", "-q", "--allow-empty", "-m", "1")
    tree.git("branch", "old")
    commit("commit", "-q", "--allow-empty", "-m", "2")
    commit("commit", "-q", "--allow-empty", "-m", "3")
    tree.git("checkout", "-q", "old")
    commit("commit", "-q", "--allow-empty", "-m", "4")
    tree.git("checkout", "-q", "main")
    commit("commit", "-q", "--allow-empty", "-m", "5")
    commit("merge", "-q", "--no-ff", "old", "-m", "6")
    with serving(tree.path / ".git") as url:
        git(*use, "clone", "-q", "--shallow-since=2024-01-05", url, str(tmp_path / "copy"), cwd=tmp_path)
        copy = WorkTree(tmp_path / "copy")
        assert (copy.path / ".git" / "shallow").read_text().split() == [copy.head()]
        copy.git(*use, "fetch", "-q", "--deepen", "1", "origin")
        copy.git(*use, "fetch", "-q", "--unshallow", "origin")
        _sound(copy)
        assert copy.git("rev-list", "--count", "HEAD").out.strip() == "6"
        refused = git(
            *use, "clone", "--shallow-since=2030-01-01", url, str(tmp_path / "none"), cwd=tmp_path, check=False
        )
        assert "no commits so new" in refused.err


def _objects(tree: WorkTree) -> set[str]:
    return set(tree.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").out.split())


@pytest.mark.parametrize("version", ["0", "2"])
def test_a_fetch_of_several_commits_brings_only_what_changed(origin: WorkTree, tmp_path: Path, version: str):
    with serving(origin.path / ".git") as url:
        copy = clone(url, tmp_path / "copy")
        shallow = clone(url, tmp_path / "shallow", "--depth", "1")
        before = _objects(copy)
        for n in range(3):
            origin.commit(f"More {n}", **{"folder/deep/new.txt": f"{n}\n"})
        for tree in (copy, shallow):
            had = _objects(tree)
            tree.git("-c", f"protocol.version={version}", "-c", "fetch.unpackLimit=1", "fetch", "-q", "origin")
            assert len(_objects(tree) - had) == 3 * 5  # commit, three folders, file
            indexes = sorted(tree.path.glob(".git/objects/pack/*.idx"), key=lambda path: path.stat().st_mtime_ns)
            assert tree.git("verify-pack", "-v", str(indexes[-1])).out.count("\n") < 3 * 5 + 5
        had = _objects(shallow)
        shallow.git("fetch", "-q", "--deepen", "1", "origin")
        assert len(_objects(shallow) - had) < len(before) / 4


@pytest.mark.parametrize("version", ["0", "2"])
def test_what_a_client_has_may_be_gone_here_in_part(origin: WorkTree, tmp_path: Path, version: str):
    """A rewritten branch whose older commits were removed: the client still speaks of it."""
    line = [origin.head()]
    for n in range(3):  # newer than all others, so that they are looked at first
        date = {"GIT_COMMITTER_DATE": f"2040-01-0{n + 1}T00:00:00Z"}
        line.append(origin.git("commit-tree", "HEAD^{tree}", "-p", line[-1], "-m", "Line", env=date).out.strip())
    lost = line[2]
    origin.git("update-ref", "refs/heads/rewritten", line[3])
    use = ("-c", f"protocol.version={version}")
    with serving(origin.path / ".git") as url:
        git("clone", "-q", url, str(tmp_path / "copy"), cwd=tmp_path)
        git("clone", "-q", "--depth", "3", "--no-single-branch", url, str(tmp_path / "shallow"), cwd=tmp_path)
        origin.git("update-ref", "-d", "refs/heads/rewritten")
        (origin.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
        origin.commit("More", **{"more.txt": "more\n"})
        for name in ("copy", "shallow"):
            tree = WorkTree(tmp_path / name)
            tree.git("checkout", "-q", "-b", "mine", "origin/rewritten")
            tree.git(*use, "fetch", "-q", "origin")
            assert tree.git("rev-parse", "origin/main").out.strip() == origin.head()
            _sound(tree)
        WorkTree(tmp_path / "shallow").git(*use, "fetch", "-q", "--unshallow", "origin")


@pytest.mark.parametrize("version", ["0", "2"])
def test_a_damaged_repository_says_what_it_lacks(tmp_path: Path, version: str):
    tree = init(tmp_path / "tree")
    tree.commit("One", **{"d/a.txt": "a\n"})
    tree.commit("Two", **{"d/a.txt": "b\n"})
    use = ("-c", f"protocol.version={version}")
    for what in ("HEAD:d/a.txt", "HEAD:d", "HEAD~1"):
        lost = tree.git("rev-parse", what).out.strip()
        (tree.path / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
        with serving(tree.path / ".git") as url:
            failed = git(*use, "clone", url, str(tmp_path / f"copy-{lost}"), cwd=tmp_path, check=False)
        assert not failed.ok
        assert f"{lost}. Ask an admin to run glasshub check" in failed.err, failed.err


@pytest.mark.parametrize("kind", ["blob:none", "blob:limit=100", "tree:0"])
def test_partial_clones_fetch_what_they_lack_later(origin: WorkTree, tmp_path: Path, kind: str):
    with serving(origin.path / ".git") as url:
        copy = clone(url, tmp_path / "copy", f"--filter={kind}", "--no-checkout")
        missing = copy.git("rev-list", "--objects", "--all", "--missing=print").out
        assert "\n?" in missing
        copy.git("checkout", "-q", "main")
        assert (copy.path / "folder/deep/file0.txt").read_text() == (origin.path / "folder/deep/file0.txt").read_text()


def test_pull_request_heads_and_hub_refs_come_only_to_who_names_them(origin: WorkTree, tmp_path: Path):
    with serving(origin.path / ".git") as url:
        copy = clone(url, tmp_path / "copy")
        copy.git("fetch", "-q", "origin", "refs/pr/1:refs/remotes/origin/pr/1", "refs/hub/events:refs/hub/events")
        assert copy.git("rev-parse", "origin/pr/1").out == origin.git("rev-parse", "refs/pr/1").out


@pytest.mark.parametrize("version", ["0", "2"])
def test_a_commit_is_had_by_its_id_only_while_a_ref_leads_to_it(origin: WorkTree, tmp_path: Path, version: str):
    use = ("-c", f"protocol.version={version}")
    lost = origin.git("commit-tree", "HEAD^{tree}", "-m", "Rewritten away").out.strip()
    with serving(origin.path / ".git") as url:
        copy = init(tmp_path / "copy", url)
        copy.git(*use, "fetch", "-q", "origin", origin.git("rev-parse", "HEAD~3").out.strip())
        refused = copy.git(*use, "fetch", "origin", lost, check=False)
        assert not refused.ok
        assert "not our ref" in refused.err


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_repository_clones(tmp_path: Path, version: str):
    git("init", "-q", "--bare", "-b", "main", "empty.git", cwd=tmp_path)
    with serving(tmp_path / "empty.git") as url:
        git("-c", f"protocol.version={version}", "clone", "-q", url, "copy", cwd=tmp_path)
    assert (tmp_path / "copy" / ".git").exists()


def test_large_folders_in_a_long_history_take_little_memory(tmp_path: Path):
    origin = init(tmp_path / "origin")
    stream = ["blob\nmark :1\ndata 2\nx\n\n"]
    for n in range(2, 302):
        stream.append(f"commit refs/heads/main\nmark :{n}\ncommitter A <a@b> {1_700_000_000 + n} +0000\ndata 2\nc\n")
        new = range(3000) if n == 2 else [n % 3000]
        stream += [f"M 100644 :1 data/file-of-many-{i:06}-{'x' * n if n > 2 else ''}\n" for i in new]
        stream.append("\n")
    done = ["git", "fast-import", "--quiet"]
    subprocess.run(done, input="".join(stream).encode(), cwd=origin.path, check=True, timeout=60)
    want = pkt(f"want {origin.git('rev-parse', 'main').out.strip()}\n")
    body = pkt("command=fetch\n") + b"0001" + want + pkt("done\n") + b"0000"
    tracemalloc.start()
    with open_repo(origin.path / ".git") as repo:
        size = sum(map(len, serve_upload_pack(repo, io.BytesIO(body), version=2, hidden=lambda _: False)))
        most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 50_000
    assert most < 80_000_000  # taken apart, all folders together are 300 MB


def test_thousands_of_refs_and_objects(tmp_path: Path):
    origin = init(tmp_path / "origin")
    stream = ["blob\nmark :1\ndata 2\nx\n\n"]
    for n in range(2, 3002):
        stream.append(f"commit refs/heads/main\nmark :{n}\ncommitter A <a@b> {1_700_000_000 + n} +0000\ndata 2\nc\n")
        stream.append(f"M 100644 :1 dir{n % 50}/file{n}\n\n")
    stream += [f"reset refs/heads/b{n}\nfrom :{n}\n\n" for n in range(2, 2002)]
    (tmp_path / "stream").write_text("".join(stream))
    with (tmp_path / "stream").open() as file:
        subprocess.run(["git", "fast-import", "--quiet"], stdin=file, cwd=origin.path, check=True, timeout=60)
    origin.git("pack-refs", "--all")
    with serving(origin.path / ".git") as url:
        copy = clone(url, tmp_path / "copy")
        _sound(copy)
        assert len(copy.git("branch", "-r").out.split("\n")) > 2000


@pytest.mark.parametrize("version", [0, 2])
def test_a_request_without_end_is_cut_off(origin: WorkTree, version: int):
    """Gzipped, a few megabytes could unfold to many gigabytes."""
    begin = pkt("command=fetch\n") + b"0001" if version == 2 else pkt(f"want {origin.head()} multi_ack_detailed\n")
    endless = _Endless(begin, pkt(b"have " + b"1" * 40 + b" " * 60_000))
    with open_repo(origin.path / ".git") as repo:
        said = b"".join(serve_upload_pack(repo, endless, version=version, hidden=lambda _: False))
    assert b"more than 16,777,216 bytes" in said
    assert endless.given < 17_000_000


class _Endless(io.RawIOBase):
    def __init__(self, begin: bytes, again: bytes) -> None:
        self._data, self._again, self.given = begin, again, 0

    def read(self, count: int = -1) -> bytes:
        while len(self._data) < count:
            self._data += self._again
        data, self._data = self._data[:count], self._data[count:]
        self.given += len(data)
        return data


@pytest.mark.parametrize("body", [b"zzzz", b"0005", b"0014command=fetch\n", b"0011command=nope\n0000", b""])
def test_nonsense_is_answered_not_crashed_on(origin: WorkTree, body: bytes):
    for version in (0, 2):
        with open_repo(origin.path / ".git") as repo:
            said = b"".join(serve_upload_pack(repo, io.BytesIO(body), version=version, hidden=lambda _: False))
        assert said in (b"", b"0000") or said[4:8] == b"ERR "
