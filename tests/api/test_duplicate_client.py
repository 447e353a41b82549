"""Repos duplicated by the stock client."""

from __future__ import annotations

import io

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from glasshub import accounts, indexing, large_files, repos
from glasshub.blobs.pointer import Pointer
from tests.api.lab import Lab, adds, status
from tests.push.gitclient import clone
from tests.xet.test_client import _digest, _python, _reading, _weights

pytestmark = pytest.mark.slow
RESULT = "- dataset: {id: lab/quiz, task_id: easy}\n  value: 0.5\n"


def test_branches_and_tags_come_along_and_the_record_does_not(lab: Lab, tmp_path):
    api, repo = lab.api("writer"), lab.repo(a="1")
    api.create_commit(repo, adds(**{".eval_results__own.yaml": RESULT}), commit_message="Score")
    api.create_branch(repo, branch="dev/a", revision=api.list_repo_commits(repo)[1].commit_id)
    api.create_tag(repo, tag="v1", tag_message="One")
    lab.api("author").create_commit(repo, adds(p="proposed"), commit_message="Mine", create_pr=True)
    url = lab.api("stranger").duplicate_repo(repo, "copy")
    copy = f"{lab.name('stranger')}/copy"
    assert (url, url.repo_id, url.files_copy_pending) == (f"{lab.live.url}/{copy}", copy, False)
    mine = lab.api("stranger")
    was, now = (client.list_repo_refs(id, include_pull_requests=True) for client, id in ((api, repo), (mine, copy)))
    assert (now.branches, now.tags, now.pull_requests) == (was.branches, was.tags, [])
    assert not list(mine.get_repo_discussions(copy))
    pull = was.pull_requests[0].target_commit
    assert not mine.revision_exists(copy, pull)  # not even by its id
    assert [r.value for r in mine.model_info(copy, expand="evalResults").eval_results] == [0.5]
    [result] = lab.http("anonymous").get(f"/api/models/{copy}/eval-results").json()
    assert (result["origin"], result["submitter"]) == ("author", lab.name("stranger"))  # who answers for it here
    tree = clone(lab.live.git_url(copy, lab.people["stranger"]), tmp_path / "tree")
    assert tree.git("cat-file", "-t", "v1").out == "tag\n"
    tree.commit("Go on", b="2")
    tree.git("push", "-q", "origin", "main")
    assert indexing.compare(lab.live.hub) == []


def test_large_files_come_along_and_stay_when_the_original_goes(lab: Lab, tmp_path):
    data = _weights(tmp_path / "model.bin")
    repo, person = lab.repo(private=True, type="model"), lab.people["reader"]
    _python(lab.live, lab.people["writer"], f"api.upload_file(path_or_fileobj={str(tmp_path / 'model.bin')!r}, "
            f"path_in_repo='model.bin', repo_id={repo!r})", tmp_path)  # fmt: skip
    plain = b"plain file by LFS" * 1000
    pointer = Pointer(_digest(plain), len(plain))
    source = repos.find(lab.live.hub, "model", *repo.split("/"))
    large_files.receive(lab.live.hub, source, lab.name("writer"), pointer, io.BytesIO(plain))
    lab.api("writer").create_commit(
        repo, [CommitOperationAdd("plain.bin", pointer.text())], commit_message="A pointer, as git-lfs pushes it"
    )
    with pytest.raises(RepositoryNotFoundError):
        lab.api("stranger").duplicate_repo(repo, "stolen")
    copy = lab.api("reader").duplicate_repo(repo, f"{person.name}/kept").repo_id
    assert lab.api("reader").model_info(copy).private
    assert not lab.api("writer").repo_exists(copy)
    lab.api("admin").delete_repo(repo)
    assert _python(lab.live, person, _reading(copy), tmp_path / "xet") == _digest(data)
    by_http = lab.http("reader").get(f"/{copy}/resolve/main/plain.bin")
    assert by_http.content == plain
    by_http = lab.http("reader").get(f"/{copy}/resolve/main/model.bin", headers={"Range": "bytes=5000000-5000099"})
    assert by_http.content == data[5_000_000:5_000_100]


def test_what_is_there_is_told_with_its_address(lab: Lab):
    repo, taken = lab.repo(type="dataset", a="1"), lab.repo(type="dataset")
    api = lab.api("writer")
    with pytest.raises(HfHubHTTPError, match="already exists") as raised:
        api.duplicate_repo(repo, taken, repo_type="dataset")
    assert status(raised.value)[0] == 409
    assert api.duplicate_repo(repo, taken, repo_type="dataset", exist_ok=True).repo_id == taken
    assert lab.api("writer").list_repo_files(taken, repo_type="dataset") == [".gitattributes"]  # it is left alone
    copy = api.duplicate_repo(repo, f"{lab.name('writer')}/ds", repo_type="dataset", private=True).repo_id
    assert not lab.api("stranger").repo_exists(copy, repo_type="dataset")
    assert api.list_repo_files(copy, repo_type="dataset") == [".gitattributes", "a"]


@pytest.mark.parametrize(("who", "code"), [("anonymous", 401), ("stranger", 403), ("reader", 403)])
def test_who_may_not(lab: Lab, who: str, code: int):
    repo = lab.repo(a="1")
    body = {"repository": f"{lab.org}/taken-{who}"}
    answer = lab.http(who).post(f"/api/models/{repo}/duplicate", json=body)
    assert answer.status_code == code, answer.text
    assert not lab.api("admin").repo_exists(body["repository"])


def test_bad_names(lab: Lab):
    repo = lab.repo(a="1")
    for body in ({}, {"repository": "a/b/c"}, {"repository": f"{lab.name('author')}/..?"}):
        assert lab.http("author").post(f"/api/models/{repo}/duplicate", json=body).status_code in (400, 404)


def test_an_empty_repo_is_copied_as_such(lab: Lab):
    name = lab.name("author")
    repo = repos.create(lab.live.hub, accounts.actor_for(lab.live.hub, name), "model", name, "bare")
    copy = lab.api("author").duplicate_repo(repo.repo_id, f"{name}/bare-too").repo_id
    assert lab.api("author").list_repo_refs(copy).branches == []


def test_a_gated_repo_is_copied_by_those_who_were_let_in_and_stays_gated(lab: Lab):
    repo, name = lab.repo(a="1"), lab.name("stranger")
    lab.api("admin").update_repo_settings(repo, gated="manual")
    with pytest.raises(GatedRepoError):
        lab.api("stranger").duplicate_repo(repo, f"{name}/let-in")
    lab.api("admin").grant_access(repo, name)
    copy = lab.api("stranger").duplicate_repo(repo, f"{name}/let-in").repo_id
    assert lab.api("stranger").model_info(copy).gated == "manual"
    with pytest.raises(GatedRepoError):
        lab.api("author").auth_check(copy)


def test_what_was_deleted_for_good_is_not_missed(lab: Lab):
    data = b"to be deleted" * 100
    pointer, repo = Pointer(_digest(data), len(data)), lab.repo()
    source = repos.find(lab.live.hub, "model", *repo.split("/"))
    large_files.receive(lab.live.hub, source, lab.name("writer"), pointer, io.BytesIO(data))
    add = CommitOperationAdd("gone.bin", pointer.text())
    lab.api("writer").create_commit(repo, [add], commit_message="A pointer")
    lab.api("admin").permanently_delete_lfs_files(repo, lab.api("admin").list_lfs_files(repo), rewrite_history=False)
    copy = lab.api("writer").duplicate_repo(repo, f"{lab.name('writer')}/without").repo_id
    assert lab.http("writer").get(f"/{copy}/resolve/main/gone.bin").status_code == 404
