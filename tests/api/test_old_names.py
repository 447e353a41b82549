"""What was moved keeps answering to its old name, to every stock client, until somebody takes that name."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import pytest
from huggingface_hub import HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from tests.api.lab import Lab, adds
from tests.push.gitclient import WorkTree, clone, git
from tests.require import require
from tests.xet.test_client import _python, _weights

pytestmark = pytest.mark.slow
BIG = secrets.token_bytes(768_000)


@pytest.fixture(scope="module", params=["model", "dataset"])
def moved(request, lab: Lab) -> tuple[str, str, str]:
    """(type, old name, new name) of a private repo; it was moved twice."""
    type = request.param
    old = lab.repo(private=True, type=type, **{"sub__a.txt": "1", "b.txt": "2"})
    api = lab.api("admin")
    api.create_commit(
        old, adds(**{"big.bin": BIG, ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"}),
        commit_message="Big", repo_type=type,
    )  # fmt: skip
    api.move_repo(old, f"{old}-between", repo_type=type)
    api.move_repo(f"{old}-between", f"{old}-new", repo_type=type)
    return type, old, f"{old}-new"


def test_the_api_follows(lab: Lab, moved: tuple[str, str, str]):
    type, old, new = moved
    api = lab.api("writer")
    assert api.repo_info(old, repo_type=type).id == new
    assert api.repo_info(old.upper(), repo_type=type).id == new
    assert api.repo_exists(old, repo_type=type)
    assert api.file_exists(old, "sub/a.txt", repo_type=type)
    assert api.revision_exists(old, "main", repo_type=type)
    assert "sub/a.txt" in api.list_repo_files(old, repo_type=type)
    assert {entry.path for entry in api.list_repo_tree(old, "sub", repo_type=type)} == {"sub/a.txt"}
    assert [entry.path for entry in api.get_paths_info(old, ["b.txt"], repo_type=type)] == ["b.txt"]
    assert len(api.list_repo_commits(old, repo_type=type)) > 2
    api.create_branch(old, branch="side", repo_type=type)
    assert {ref.name for ref in api.list_repo_refs(old, repo_type=type).branches} == {"main", "side"}
    api.create_tag(old, tag="t", tag_message="m", revision="side", repo_type=type)
    api.delete_branch(old, branch="side", repo_type=type)
    api.delete_tag(old, tag="t", repo_type=type)
    api.upload_file(path_or_fileobj=b"3", path_in_repo="c.txt", repo_id=old, repo_type=type)
    number = api.create_discussion(old, "Hello", repo_type=type).num
    assert api.comment_discussion(old, number, comment="There", repo_type=type).content == "There"
    assert [found.num for found in api.get_repo_discussions(old, repo_type=type)] == [number]
    assert lab.api("admin").update_repo_settings(old, private=True, repo_type=type) is None
    api.auth_check(old, repo_type=type)


def test_files_are_found(lab: Lab, moved: tuple[str, str, str], tmp_path: Path):
    type, old, _ = moved
    options = {"repo_type": type, "endpoint": lab.live.url, "token": lab.people["reader"].token, "cache_dir": tmp_path}
    assert Path(hf_hub_download(old, "sub/a.txt", **options)).read_text() == "1"
    assert Path(hf_hub_download(old, "big.bin", **options)).read_bytes() == BIG
    folder = Path(snapshot_download(old, **options))
    assert (folder / "b.txt").read_text() == "2"
    prefix = "datasets/" if type == "dataset" else ""
    files = HfFileSystem(endpoint=lab.live.url, token=lab.people["reader"].token, skip_instance_cache=True)
    assert files.cat_file(f"hf://{prefix}{old}/sub/a.txt") == b"1"
    for verb in ("resolve", "raw"):
        answer = lab.http("reader").get(f"/{prefix}{old}/{verb}/main/sub/a.txt?download=true", follow_redirects=True)
        assert (answer.status_code, answer.text) == (200, "1")
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(old, "never.txt", **options)
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download(old, "b.txt", revision="never", **options)


def test_strangers_learn_nothing_of_the_new_name(lab: Lab, moved: tuple[str, str, str], tmp_path: Path):
    type, old, new = moved
    prefix = "datasets/" if type == "dataset" else ""
    with pytest.raises(RepositoryNotFoundError) as raised:
        lab.api("stranger").repo_info(old, repo_type=type)
    assert new not in str(raised.value)
    for who in ("stranger", "anonymous"):
        for path in (f"/{prefix}{old}/resolve/main/b.txt", f"/{prefix}{old}/info/refs?service=git-upload-pack",
                     f"/api/{type}s/{old}/refs", f"/{prefix}{old}"):  # fmt: skip
            answer = lab.http(who).get(path)
            assert answer.status_code in (401, 404)
            assert new not in answer.text + str(answer.headers)
    refused = git("clone", lab.live.git_url(f"{prefix}{old}", lab.people["stranger"]), "x", cwd=tmp_path, check=False)
    assert not refused.ok
    assert new not in refused.err


def test_git_clones_fetches_and_pushes(lab: Lab, moved: tuple[str, str, str], tmp_path: Path):
    type, old, new = moved
    prefix = "datasets/" if type == "dataset" else ""
    for place, name in enumerate((f"{prefix}{old}", f"{prefix}{old}.git")):
        tree = clone(lab.live.git_url(name, lab.people["writer"]), tmp_path / str(place))
        tree.commit("By the old name", **{"git.txt": name})
        tree.git("push", "-q", "origin", "main")
        tree.git("fetch", "-q", "origin")
        assert tree.git("rev-parse", "origin/main").out.strip() == tree.head()
        said = tree.git("push", "origin", "HEAD~1:refs/heads/side", "HEAD:refs/for/main", check=False)
        assert "side" in said.err
        tree.git("push", "-q", "origin", ":refs/heads/side")
    assert lab.api("reader").repo_info(new, repo_type=type).sha == tree.head()


def test_git_lfs_brings_and_reads(lab: Lab, moved: tuple[str, str, str], tmp_path: Path):
    require("git-lfs")
    type, old, new = moved
    prefix = "datasets/" if type == "dataset" else ""
    address = lab.live.git_url(f"{prefix}{old}", lab.people["writer"])
    tree = WorkTree(tmp_path / "tree")
    git("clone", "-q", address, "tree", cwd=tmp_path, env={"GIT_LFS_SKIP_SMUDGE": "1"})
    tree.git("lfs", "install", "--local")
    tree.git("lfs", "track", "*.dat")
    tree.write("new.dat", BIG[::-1])
    tree.commit("Large")
    tree.git("push", "-q", "origin", "main")
    other = clone(address, tmp_path / "other")
    other.git("lfs", "install", "--local")
    other.git("lfs", "pull")
    assert (other.path / "new.dat").read_bytes() == BIG[::-1]
    other.git("lfs", "lock", "new.dat")
    assert "new.dat" in other.git("lfs", "locks").out
    other.git("lfs", "unlock", "new.dat")
    [entry] = lab.api("reader").get_paths_info(new, ["new.dat"], repo_type=type)
    assert entry.lfs.sha256 == hashlib.sha256(BIG[::-1]).hexdigest()


def test_xet_brings_and_reads(lab: Lab, moved: tuple[str, str, str], tmp_path: Path):
    type, old, _ = moved
    data = _weights(tmp_path / "model.bin")
    _python(lab.live, lab.people["writer"], f"api.upload_file(path_or_fileobj={str(tmp_path / 'model.bin')!r}, "
            f"path_in_repo='model.bin', repo_id={old!r}, repo_type={type!r})", tmp_path)  # fmt: skip
    code = f"print(open(hf_hub_download({old!r}, 'model.bin', repo_type={type!r}), 'rb').read()[-9:].hex())"
    assert _python(lab.live, lab.people["reader"], code, tmp_path / "again") == data[-9:].hex()


def test_whoever_takes_the_old_name_has_it(lab: Lab):
    api, old = lab.api("admin"), lab.repo(a="1")
    api.move_repo(old, f"{old}-new")
    api.create_repo(old)
    api.create_commit(old, adds(mine="1"), commit_message="Another")
    assert api.list_repo_files(old) == [".gitattributes", "mine"]
    assert api.list_repo_files(f"{old}-new") == [".gitattributes", "a"]
    api.delete_repo(old)
    with pytest.raises(RepositoryNotFoundError):  # what took the name took it for good
        api.repo_info(old)
    api.create_repo(old, repo_type="model")
    assert api.list_repo_files(old) == [".gitattributes"]


def test_a_deleted_repo_takes_its_old_names_along(lab: Lab):
    api, old = lab.api("admin"), lab.repo(a="1")
    api.move_repo(old, f"{old}-new")
    api.delete_repo(f"{old}-new")
    for name in (old, f"{old}-new"):
        assert not api.repo_exists(name)
        api.create_repo(name)
        assert [commit.title for commit in api.list_repo_commits(name)] == ["initial commit"]


def test_back_and_forth(lab: Lab, tmp_path: Path):
    api, old = lab.api("admin"), lab.repo(private=True, a="1")
    api.move_repo(old, f"{old}-new")
    options = {"endpoint": lab.live.url, "token": lab.people["reader"].token, "cache_dir": tmp_path}
    assert Path(hf_hub_download(old, "a", **options)).read_text() == "1"
    api.move_repo(f"{old}-new", old)
    assert api.model_info(f"{old}-new").id == old
    api.move_repo(old, f"{lab.org}/X{old.split('/')[1]}")
    for name in (old, f"{old}-new"):
        assert api.model_info(name).id == f"{lab.org}/X{old.split('/')[1]}"
    with pytest.raises(HfHubHTTPError):
        lab.api("writer").move_repo(f"{lab.org}/X{old.split('/')[1]}", old)
