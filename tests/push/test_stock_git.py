"""What people do with stock git, against the hub as it is served: every address, every way to clone and fetch."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from glasshub import accounts
from tests.git.random_history import START
from tests.push.gitclient import WorkTree, clone, git, init

pytestmark = pytest.mark.slow

ADDRESSES = ("{0}", "{0}.git", "{0}/", "datasets/{0}", "datasets/{0}.git")
VERSIONS = ("0", "1", "2")


@pytest.fixture
def net(live, tmp_path: Path):
    """Ada's model with six commits, a file of its own each, and her work tree."""
    ada = live.person("ada")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/net", ada))
    for n in range(6):
        tree.commit(f"Commit {n}", **{f"data/{n}.txt": f"{n}\n" * 100, "README.md": f"# {n}\n"})
    tree.git("push", "-q", "origin", "main")
    return ada, tree


def _sound(tree: WorkTree) -> None:
    tree.git("fsck", "--strict", "--full")


def _count(tree: WorkTree, revision: str = "HEAD") -> int:
    return int(tree.git("rev-list", "--count", revision).out)


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_address_takes_every_command(live, tmp_path: Path, address: str):
    ada = live.person("ada")
    url = live.git_url(address.format(f"{ada.name}/net"), ada)
    tree = init(tmp_path / "tree", url)
    tree.commit("One", **{"README.md": "one\n"})
    tree.git("push", "-q", "-u", "origin", "main")
    assert tree.git("ls-remote", "origin").out.split() == [tree.head(), "HEAD", tree.head(), "refs/heads/main"]
    copy = clone(url, tmp_path / "copy")
    two = copy.commit("Two", **{"README.md": "two\n"})
    copy.git("push", "-q")
    tree.git("pull", "-q", "--ff-only")
    assert tree.head() == two
    # The other spelling of the same repo leads to it too, without an account as well.
    other = address.removesuffix("/").removesuffix(".git") if address.endswith((".git", "/")) else f"{address}.git"
    assert clone(live.git_url(other.format(f"{ada.name}/net")), tmp_path / "other").head() == two


@pytest.mark.parametrize("version", VERSIONS)
def test_clone_fetch_and_list_in_every_version_of_the_protocol(net, tmp_path: Path, live, version: str):
    ada, tree = net
    use = ("-c", f"protocol.version={version}")
    git(*use, "clone", "-q", f"{live.url}/{ada.name}/net", str(tmp_path / "copy"), cwd=tmp_path)
    copy = WorkTree(tmp_path / "copy")
    assert copy.head() == tree.head()
    tree.commit("More", **{"more.txt": "more\n"})
    tree.git("tag", "-a", "v1", "-m", "First")
    tree.git("tag", "light")
    tree.git("push", "-q", "--tags", "origin", "main")
    assert tree.head() in copy.git(*use, "ls-remote", "origin", "refs/heads/main").out
    copy.git(*use, "pull", "-q")
    assert copy.head() == tree.head()
    assert copy.git("tag").out.split() == ["light", "v1"]
    assert copy.git("cat-file", "-t", "v1").out.strip() == "tag"
    assert copy.git("cat-file", "-t", "light").out.strip() == "commit"
    copy.git(*use, "clone", "-q", "--branch", "v1", "--single-branch", f"{live.url}/{ada.name}/net", "../at-v1")
    _sound(copy)


@pytest.mark.parametrize("version", VERSIONS)
def test_shallow_clones_follow_deepen_and_become_whole(net, tmp_path: Path, live, version: str):
    ada, tree = net
    url, use = f"{live.url}/{ada.name}/net", ("-c", f"protocol.version={version}")
    git(*use, "clone", "-q", "--depth", "1", url, str(tmp_path / "copy"), cwd=tmp_path)
    copy = WorkTree(tmp_path / "copy")
    assert _count(copy) == 1
    tree.commit("More", **{"more.txt": "more\n"})
    tree.git("push", "-q", "origin", "main")
    copy.git(*use, "pull", "-q")
    assert _count(copy) == 2
    copy.git(*use, "fetch", "-q", "--deepen", "2")
    assert _count(copy) == 4
    copy.git(*use, "fetch", "-q", "--depth", "1")
    assert _count(copy) == 1
    copy.git(*use, "fetch", "-q", "--unshallow")
    assert _count(copy) == 7
    assert not (copy.path / ".git" / "shallow").exists()
    _sound(copy)


def test_clones_from_a_date_and_without_an_older_tag(live, tmp_path: Path):
    ada = live.person("ada")
    url = live.git_url(f"{ada.name}/dated", ada)
    tree = init(tmp_path / "tree", url)
    for n in range(4):
        when = f"{START + n * 86_400} +0000"
        tree.git("commit", "-q", "--allow-empty", "-m", str(n), env={"GIT_COMMITTER_DATE": when})
        tree.git("tag", "-a", f"v{n}", "-m", str(n))
    tree.git("push", "-q", "--follow-tags", "origin", "main")
    since = clone(url, tmp_path / "since", f"--shallow-since={START + 2 * 86_400 - 1}")
    without = clone(url, tmp_path / "without", "--shallow-exclude=v0")
    assert [_count(since), _count(without)] == [2, 3]


@pytest.mark.parametrize("kind", ["blob:none", "blob:limit=1k", "tree:0"])
def test_partial_clones_fetch_what_they_lack_when_they_need_it(net, tmp_path: Path, live, kind: str):
    ada, tree = net
    tree.write("big.bin", b"\0\1\2\3" * 5000)
    tree.commit("Big")
    tree.git("push", "-q", "origin", "main")
    copy = clone(live.git_url(f"{ada.name}/net", ada), tmp_path / "copy", f"--filter={kind}", "--no-checkout")
    missing = copy.git("rev-list", "--objects", "--all", "--missing=print").out.count("\n?")
    assert missing == {"blob:none": 13, "blob:limit=1k": 1}.get(kind, missing)
    assert missing
    copy.git("checkout", "-q", "main")
    assert (copy.path / "big.bin").read_bytes() == (tree.path / "big.bin").read_bytes()
    assert copy.git("show", "HEAD~4:README.md").out == "# 2\n"
    tree.commit("More", **{"more.txt": "more\n"})
    tree.git("push", "-q", "origin", "main")
    copy.git("pull", "-q")
    assert (copy.path / "more.txt").read_text() == "more\n"
    copy.commit("From a partial clone", **{"data/0.txt": "changed\n"})
    copy.git("push", "-q")
    tree.git("pull", "-q", "--ff-only", "origin", "main")
    _sound(tree)


def test_tags_of_both_kinds_come_move_and_go(net, live, tmp_path: Path):
    ada, tree = net
    tree.git("tag", "-a", "v1", "-m", "First", "HEAD~1")
    tree.git("tag", "light", "HEAD~2")
    tree.git("push", "-q", "origin", "--tags")
    listed = dict(line.split("\t")[::-1] for line in tree.git("ls-remote", "--tags", "origin").out.splitlines())
    commits = {name: tree.git("rev-parse", f"{name}^{{commit}}").out.strip() for name in ("v1", "light")}
    assert listed["refs/tags/v1"] == tree.git("rev-parse", "v1").out.strip() != listed["refs/tags/v1^{}"]
    assert (listed["refs/tags/v1^{}"], listed["refs/tags/light"]) == (commits["v1"], commits["light"])
    tree.git("tag", "-f", "light", "HEAD")
    assert not tree.git("push", "origin", "light", check=False).ok  # git itself asks for force
    tree.git("push", "-q", "--force", "origin", "light")
    tree.git("push", "-q", "origin", "--delete", "v1")
    assert tree.git("ls-remote", "--tags", "origin").out.split() == [tree.head(), "refs/tags/light"]
    assert clone(live.git_url(f"{ada.name}/net"), tmp_path / "copy").git("tag").out.split() == ["light"]


def test_branches_are_rewritten_leased_and_deleted(net, tmp_path: Path):
    _, tree = net
    tree.git("push", "-q", "origin", "HEAD:refs/heads/dev/a", "HEAD~1:refs/heads/dev/b")
    tree.git("push", "-q", "--force", "origin", "HEAD~2:refs/heads/dev/a")
    assert (
        tree.git("ls-remote", "origin", "refs/heads/dev/a").out.split()[0] == tree.git("rev-parse", "HEAD~2").out[:-1]
    )
    stale = f"--force-with-lease=dev/a:{tree.head()}"
    refused = tree.git("push", stale, "origin", "HEAD~3:refs/heads/dev/a", check=False)
    assert not refused.ok
    assert "stale info" in refused.err
    tree.git("push", "-q", "--prune", "origin", "refs/heads/*")  # there are no dev/* here, so they go there too
    assert tree.git("ls-remote", "--heads", "origin").out.split() == [tree.head(), "refs/heads/main"]


def test_an_atomic_push_moves_all_refs(net):
    _, tree = net
    tree.commit("More", **{"more.txt": "more\n"})
    tree.git("tag", "v1")
    tree.git("push", "-q", "--atomic", "origin", "main", "v1", "HEAD~1:refs/heads/side")
    listed = tree.git("ls-remote", "origin").out.split()
    assert listed.count(tree.head()) == 3  # HEAD, main and the tag
    assert "refs/heads/side" in listed


def test_a_mirror_of_a_repo_is_pushed_and_cloned(net, live, tmp_path: Path):
    ada, tree = net
    tree.git("tag", "-a", "v1", "-m", "First")
    tree.git("push", "-q", "origin", "v1", "HEAD~1:refs/heads/dev/a")
    mirror = clone(live.git_url(f"{ada.name}/net", ada), tmp_path / "mirror.git", "--mirror")
    mirror.git("push", "-q", "--mirror", live.git_url(f"{ada.name}/twin", ada))
    there = [git("ls-remote", live.git_url(f"{ada.name}/{name}"), cwd=tmp_path).out for name in ("net", "twin")]
    assert there[0] == there[1]


def test_a_thousand_commits_and_a_long_talk_about_what_is_had(live, tmp_path: Path):
    """A client that has hundreds of commits of its own sends a long (gzipped) list of them, in several rounds."""
    ada = live.person("ada")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/long", ada))
    _import(tree, [f"M 100644 inline d{n % 7}/f{n}.txt\ndata 5\n{n:05}\n" for n in range(1000)])
    tree.git("push", "-q", "origin", "main")
    copy = clone(f"{live.url}/{ada.name}/long", tmp_path / "copy")
    assert (_count(copy), copy.head()) == (1000, tree.head())
    _sound(copy)
    _import(copy, [""] * 300, onto="main^0")
    tree.git("reset", "-q", "--hard")
    tree.commit("More", **{"more.txt": "more\n"})
    tree.git("push", "-q", "origin", "main")
    for version in VERSIONS:
        copy.git("update-ref", "refs/remotes/origin/main", "main~300")
        copy.git("-c", f"protocol.version={version}", "fetch", "-q", "origin")
        assert copy.git("rev-parse", "origin/main").out.strip() == tree.head()
    _sound(copy)


def _import(tree: WorkTree, changes: list[str], onto: str = "") -> None:
    """Commits on main, one for each of these changes, through fast-import."""
    stream = tree.path / ".git" / "stream"
    commits = [f"commit refs/heads/main\ncommitter A <a@b> {START + n} +0000\ndata 2\nc\n" for n in range(len(changes))]
    commits[0] += f"from refs/heads/{onto}\n" if onto else ""
    stream.write_text("".join(f"{commit}{change}\n" for commit, change in zip(commits, changes, strict=True)))
    tree.git("fast-import", "--quiet", stdin=stream)


def test_token_and_password_open_the_door_and_nothing_else_does(net, live, tmp_path: Path):
    ada, tree = net
    tree.commit("More", **{"more.txt": "more\n"})
    read_only, _ = accounts.create_token(live.hub, ada.name, scope="read")
    for secret, reason in (
        ("hf_wrong", "Authentication failed"),
        ("", "Authentication failed"),
        (read_only, "403"),
    ):
        url = live.url.replace("://", f"://{ada.name}:{secret}@") + f"/{ada.name}/net"
        refused = tree.git("push", url, "main", check=False)
        assert not refused.ok
        assert reason in refused.err
        assert secret not in refused.err or not secret
    by_password = live.url.replace("://", f"://{ada.name}:{ada.password}@") + f"/{ada.name}/net"
    tree.git("push", "-q", by_password, "HEAD~1:refs/heads/by-password")
    any_name = live.url.replace("://", f"://whoever:{ada.token}@") + f"/{ada.name}/net"
    tree.git("push", "-q", any_name, "main")


def test_the_old_protocol_of_plain_files_is_refused_with_advice(net, live):
    ada, _ = net
    for path in ("info/refs", "info/refs?service=git-nonsense", "HEAD", "objects/info/packs"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{live.url}/{ada.name}/net/{path}", timeout=10)
        with caught.value as answer:
            assert answer.code in (403, 404)
