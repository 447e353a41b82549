"""The large files of a repo, as its writers list them and its admins delete them for good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationCopy
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from glasshub import check, repos
from glasshub.identity import Repo
from tests.api.lab import Lab, adds, status
from tests.lfs import wire

pytestmark = pytest.mark.slow
ONE, TWO, OLD = os.urandom(40_000), os.urandom(50_000), os.urandom(60_000)


@pytest.fixture
def repo(lab: Lab) -> str:
    """A repo with two large files on main, one that only a former commit has, and a branch."""
    made = lab.repo()
    for path, data in (("old.bin", OLD), ("a/one.bin", ONE), ("two.bin", TWO)):
        lab.api("writer").create_commit(made, adds(**{path: data}), commit_message="Add")
    lab.api("writer").create_branch(made, branch="side")
    lab.api("writer").delete_file("old.bin", made)
    return made


def stored(lab: Lab, repo_id: str) -> Repo:
    return next(repo for repo in repos.every(lab.live.hub) if repo.repo_id == repo_id)


def content(lab: Lab, repo: str, path: str, revision: str = "main") -> tuple[int, bytes]:
    answer = lab.http("anonymous").get(f"/{repo}/resolve/{revision}/{path}")
    return answer.status_code, answer.content


def test_writers_list_them_with_a_name_for_each(lab: Lab, repo: str):
    found = {item.file_oid: item for item in lab.api("writer").list_lfs_files(repo)}
    assert {oid: (item.filename, item.ref, item.size) for oid, item in found.items()} == {
        wire.sha256(ONE): ("a/one.bin", "refs/heads/main", len(ONE)),
        wire.sha256(TWO): ("two.bin", "refs/heads/main", len(TWO)),
        wire.sha256(OLD): ("old.bin", "refs/heads/side", len(OLD)),
    }
    lab.api("writer").delete_branch(repo, branch="side")
    former = next(item for item in lab.api("writer").list_lfs_files(repo) if item.file_oid == wire.sha256(OLD))
    assert (former.filename, former.ref) == ("old.bin", None)
    pages, address = [], f"/api/models/{repo}/lfs-files?limit=2"
    while address:
        answer = lab.http("writer").get(address)
        pages.append([item["oid"] for item in answer.json()])
        address = answer.links.get("next", {}).get("url", "")
    assert [len(page) for page in pages] == [2, 1]
    assert {oid for page in pages for oid in page} == set(found)
    assert lab.http("writer").get(f"/api/models/{repo}/lfs-files?cursor=x").status_code == 400


def test_who_may(lab: Lab, repo: str):
    private = lab.repo(private=True)
    for who, lists, deletes in (
        ("reader", 403, 403),
        ("stranger", 403, 403),
        ("writer", 200, 403),
        ("anonymous", 401, 401),
    ):
        assert lab.http(who).get(f"/api/models/{repo}/lfs-files").status_code == lists, who
        asked = {"deletions": {"sha": [wire.sha256(ONE)], "rewriteHistory": True}}
        assert lab.http(who).post(f"/api/models/{repo}/lfs-files/batch", json=asked).status_code == deletes, who
    with pytest.raises(RepositoryNotFoundError):
        list(lab.api("stranger").list_lfs_files(private))
    with pytest.raises(HfHubHTTPError) as refused:
        lab.api("writer").permanently_delete_lfs_files(repo, lab.api("writer").list_lfs_files(repo))
    assert status(refused.value)[0] == 403
    assert content(lab, repo, "a/one.bin") == (200, ONE)


def test_deleting_takes_files_from_this_repo_and_no_other(lab: Lab, repo: str):
    other = lab.repo()
    lab.api("writer").create_commit(other, adds(**{"one.bin": ONE}), commit_message="The same")
    pull = lab.api("author").create_commit(repo, adds(**{"b.txt": "b"}), commit_message="Propose", create_pr=True)
    admin, before = lab.api("admin"), lab.api("admin").list_repo_commits(repo)
    chosen = [item for item in admin.list_lfs_files(repo) if item.size == len(ONE)]
    for _ in range(2):  # the second time since the answer was lost
        admin.permanently_delete_lfs_files(repo, chosen)
    for revision in ("main", "side", pull.pr_revision):
        assert "a/one.bin" not in admin.list_repo_files(repo, revision=revision)
        assert "two.bin" in admin.list_repo_files(repo, revision=revision)
    assert wire.sha256(ONE) not in {item.file_oid for item in admin.list_lfs_files(repo)}
    assert content(lab, other, "one.bin") == (200, ONE)
    code, said = content(lab, repo, "a/one.bin", before[0].commit_id)
    assert code == 404
    assert b"was deleted from" in said
    commits = [item.title for item in admin.list_repo_commits(repo)]
    assert commits == ["Remove large files that were deleted for good", *(item.title for item in before)]
    events = admin.get_discussion_details(repo, 1).events
    assert [event.type for event in events][-1] == "commit"


def test_what_commits_still_name_is_told_as_deleted_and_can_be_brought_again(lab: Lab, repo: str):
    admin = lab.api("admin")
    admin.permanently_delete_lfs_files(repo, admin.list_lfs_files(repo), rewrite_history=False)
    assert list(admin.list_lfs_files(repo)) == []
    assert content(lab, repo, "two.bin")[0] == 404
    assert list(check._large_files(lab.live.hub, stored(lab, repo))) == []
    wire.bring(lab, "writer", repo, TWO)
    assert content(lab, repo, "two.bin") == (200, TWO)


@pytest.mark.parametrize("asked", [None, {"sha": "x"}, {"sha": ["x"]}, {"sha": [1]}, {"sha": ["0" * 64] * 1001}, {}])
def test_what_makes_no_sense_is_refused(lab: Lab, asked: object):
    repo = lab.repo()
    body = {"deletions": asked}
    assert lab.http("admin").post(f"/api/models/{repo}/lfs-files/batch", json=body).status_code == 400


@pytest.fixture
def xet_repo(lab: Lab, tmp_path: Path) -> str:
    """A repo with a large file that came by Xet: the stock client copies no others."""
    made = lab.repo()
    (tmp_path / "two.bin").write_bytes(TWO)
    lab.api("writer").upload_file(path_or_fileobj=tmp_path / "two.bin", path_in_repo="two.bin", repo_id=made)
    return made


def copied(lab: Lab, who: str, source: str, target: str, **options):
    operation = CommitOperationCopy("two.bin", "copy.bin", src_repo_id=source, src_repo_type="model")
    return lab.api(who).create_commit(target, [operation], commit_message="Copy", **options)


def test_a_large_file_is_copied_to_another_repo(lab: Lab, xet_repo: str):
    target = lab.repo()
    copied(lab, "writer", xet_repo, target)
    assert content(lab, target, "copy.bin") == (200, TWO)
    other = lab.repo()
    pull = copied(lab, "stranger", xet_repo, other, create_pr=True).pr_num
    assert content(lab, other, "copy.bin", f"refs%2Fpr%2F{pull}") == (200, TWO)


def test_who_may_not_read_a_file_copies_nothing(lab: Lab, repo: str):
    private, target = lab.repo(private=True), lab.repo()
    secret = os.urandom(30_000)
    lab.api("writer").create_commit(private, adds(**{"s.bin": secret}), commit_message="Add")
    body = {
        "target": {"type": "model", "name": target},
        "files": [{"sha256": wire.sha256(secret), "filename": "s.bin"}],
    }
    path = "/api/models/{}/lfs-files/duplicate"
    assert lab.http("stranger").post(path.format(private), json=body).status_code == 404
    answer = lab.http("stranger").post(path.format(repo), json=body)
    assert [item["sha256"] for item in answer.json()["failed"]] == [wire.sha256(secret)]
    assert lab.http("anonymous").post(path.format(repo), json=body).status_code == 401
    body["target"]["name"] = private
    assert lab.http("stranger").post(path.format(repo), json=body).status_code == 404
    for wrong in ({}, {"target": {}, "files": [7]}, {"target": "x", "files": []}):
        assert lab.http("writer").post(path.format(repo), json=wrong).status_code == 400
