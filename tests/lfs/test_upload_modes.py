"""What goes inside a commit and what Git LFS keeps: .gitattributes decides, then the content."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd

from tests.api.lab import Lab, adds
from tests.api.test_commits_client import file, lines
from tests.lfs import wire
from tests.push.gitclient import WorkTree, clone, init
from tests.require import require

pytestmark = pytest.mark.slow
WEIGHTS = bytes(range(256)) * 8


def modes(lab: Lab, repo: str, *asked: tuple[str, int, bytes], kind: str = "models") -> list[str]:
    """How each file (path, size, first bytes) is to be sent."""
    said = [{"path": path, "size": size, "sample": base64.b64encode(data).decode()} for path, size, data in asked]
    answer = lab.http("writer").post(f"/api/{kind}/{repo}/preupload/main", json={"files": said})
    assert answer.status_code == 200, answer.text
    return [item["uploadMode"] for item in answer.json()["files"]]


def with_lfs(tree: WorkTree) -> WorkTree:
    """The same clone, once git-lfs has brought what its rules name."""
    require("git-lfs")
    tree.git("lfs", "install", "--local")
    tree.git("lfs", "pull")
    tree.git("checkout", "-q", "--", ".")
    return tree


def test_a_new_repo_gives_weights_and_data_to_git_lfs(lab: Lab):
    small = [(f"deep/small.{suffix}", 10, b"text") for suffix in ("safetensors", "bin", "parquet", "gguf", "h5", "npz")]
    assert set(modes(lab, lab.repo(), *small)) == {"lfs"}
    others = [("log.txt", 9 * 1024**2, b"text"), ("log.txt", 11 * 1024**2, b"text"), ("picture.png", 9, b"\0PNG"),
              ("empty.bin", 0, b""), ("README.md", 4, b"text"), ("photo.jpg", 9, b"text")]  # fmt: skip
    assert modes(lab, lab.repo(), *others) == ["regular", "lfs", "lfs", "regular", "regular", "regular"]
    assert modes(lab, lab.repo(type="dataset"), ("photo.jpg", 9, b"text"), kind="datasets") == ["lfs"]


def test_the_rules_of_the_repo_decide(lab: Lab):
    rules = {".gitattributes": "*.png filter=lfs diff=lfs merge=lfs -text\n", "raw/.gitattributes": "*.png -filter\n"}
    repo = lab.repo(**{path.replace("/", "__"): text for path, text in rules.items()})
    asked = [("a.png", 5, b"text"), ("raw/a.png", 5, b"text"), ("a.bin", 5, b"text")]
    assert modes(lab, repo, *asked) == ["lfs", "regular", "regular"]
    broken = lab.http("writer").post(
        f"/api/models/{repo}/preupload/main", json={"files": [{"path": "a", "sample": "a"}]}
    )
    assert broken.status_code == 400
    bad = lab.repo(**{".gitattributes": "*.a filter=lfs\n" * 1001})
    answer = lab.http("writer").post(f"/api/models/{bad}/preupload/main", json={"files": [{"path": "x", "size": 1}]})
    assert answer.status_code == 400
    assert "1,001 wildcards" in answer.json()["error"]


def test_content_sent_inside_becomes_what_git_would_commit(lab: Lab, tmp_path: Path):
    repo = lab.repo()
    body = lines(("header", {"summary": "Inline"}), file("a.bin", WEIGHTS), file("b.txt", b"text"), file("c.bin", b""))
    answer = lab.http("writer").post(f"/api/models/{repo}/commit/main", content=body)
    assert answer.status_code == 200, answer.text
    tree = {item["path"]: item for item in lab.http("anonymous").get(f"/api/models/{repo}/tree/main").json()}
    assert tree["a.bin"]["lfs"]["oid"] == wire.sha256(WEIGHTS)
    assert "lfs" not in tree["b.txt"]
    assert "lfs" not in tree["c.bin"]
    assert lab.http("anonymous").get(f"/{repo}/resolve/main/a.bin").content == WEIGHTS
    work = with_lfs(clone(lab.live.git_url(repo), tmp_path / "clone"))
    assert (work.path / "a.bin").read_bytes() == WEIGHTS
    assert work.git("status", "--porcelain").out == ""  # git finds nothing that should be a pointer


def test_a_large_file_that_no_rule_names_comes_with_a_rule(lab: Lab, tmp_path: Path):
    repo = lab.repo(**{".gitattributes": "*.md text"})
    for _ in range(2):
        operations = [CommitOperationAdd("data/some words.dat", WEIGHTS), CommitOperationAdd("copy.dat", WEIGHTS)]
        made = lab.api("writer").create_commit(repo, operations, commit_message="Binary")
    work = with_lfs(clone(lab.live.git_url(repo), tmp_path / "clone"))
    assert made.oid == work.head()  # nothing was left to commit
    assert (work.path / "data/some words.dat").read_bytes() == WEIGHTS
    assert (work.path / ".gitattributes").read_text() == (
        '*.md text\n"/data/some words.dat" filter=lfs diff=lfs merge=lfs -text\n'
        "/copy.dat filter=lfs diff=lfs merge=lfs -text\n"
    )


def test_two_pull_requests_that_add_rules_both_merge(lab: Lab, tmp_path: Path):
    admin = lab.people["admin"]
    repo = f"{admin.name}/plain"
    tree = init(tmp_path / "tree", lab.live.git_url(repo, admin))
    tree.commit("Begin", **{"a.txt": "a"})
    tree.git("push", "-q", "origin", "main")
    api = lab.api("admin")
    for name in ("one", "two"):
        api.create_commit(repo, adds(**{f"{name}.dat": WEIGHTS}), commit_message=f"Add {name}", create_pr=True)
    for number in (1, 2):
        api.merge_pull_request(repo, number)
    rules = lab.http("anonymous").get(f"/{repo}/resolve/main/.gitattributes").text
    assert sorted(line.split()[0] for line in rules.splitlines()) == ["/one.dat", "/two.dat"]
