"""Every method of the stock client raises what its documentation says, for what is missing, hidden or forbidden."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationCopy, HfApi
from huggingface_hub.errors import (
    BucketNotFoundError,
    EntryNotFoundError,
    HfHubHTTPError,
    JobNotFoundError,
    LocalTokenNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.api.lab import Lab, adds, status

pytestmark = pytest.mark.slow
Call = Callable[[HfApi, str], object]
OF_A_REPO: dict[str, Call] = {
    "auth_check": lambda api, repo: api.auth_check(repo),
    "auth_check write": lambda api, repo: api.auth_check(repo, write=True),
    "change_discussion_status": lambda api, repo: api.change_discussion_status(repo, 1, new_status="closed"),
    "comment_discussion": lambda api, repo: api.comment_discussion(repo, 1, comment="x"),
    "create_branch": lambda api, repo: api.create_branch(repo, branch="x"),
    "create_commit": lambda api, repo: api.create_commit(repo, adds(x="1"), commit_message="x"),
    "create_commit as a PR": lambda api, repo: api.create_commit(repo, adds(x="1"), commit_message="x", create_pr=True),
    "create_discussion": lambda api, repo: api.create_discussion(repo, "x"),
    "create_pull_request": lambda api, repo: api.create_pull_request(repo, "x"),
    "create_tag": lambda api, repo: api.create_tag(repo, tag="x"),
    "delete_branch": lambda api, repo: api.delete_branch(repo, branch="x"),
    "delete_file": lambda api, repo: api.delete_file("a", repo),
    "delete_folder": lambda api, repo: api.delete_folder("a", repo),
    "delete_repo": lambda api, repo: api.delete_repo(repo),
    "delete_tag": lambda api, repo: api.delete_tag(repo, tag="x"),
    "duplicate_repo": lambda api, repo: api.duplicate_repo(repo, "copy"),
    "get_dataset_leaderboard": lambda api, repo: api.get_dataset_leaderboard(repo),
    "get_discussion_details": lambda api, repo: api.get_discussion_details(repo, 1),
    "get_paths_info": lambda api, repo: api.get_paths_info(repo, ["a"]),
    "get_repo_discussions": lambda api, repo: list(api.get_repo_discussions(repo)),
    "hf_hub_download": lambda api, repo: api.hf_hub_download(repo, "a"),
    "list_lfs_files": lambda api, repo: list(api.list_lfs_files(repo)),
    "list_pending_access_requests": lambda api, repo: list(api.list_pending_access_requests(repo)),
    "list_repo_commits": lambda api, repo: api.list_repo_commits(repo),
    "list_repo_files": lambda api, repo: api.list_repo_files(repo),
    "list_repo_likers": lambda api, repo: list(api.list_repo_likers(repo)),
    "list_repo_refs": lambda api, repo: api.list_repo_refs(repo),
    "list_repo_tree": lambda api, repo: list(api.list_repo_tree(repo)),
    "merge_pull_request": lambda api, repo: api.merge_pull_request(repo, 1),
    "model_info": lambda api, repo: api.model_info(repo),
    "dataset_info": lambda api, repo: api.dataset_info(repo),
    "rename_discussion": lambda api, repo: api.rename_discussion(repo, 1, new_title="xyz"),
    "space_info": lambda api, repo: api.space_info(repo),
    "kernel_info": lambda api, repo: api.kernel_info(repo),
    "snapshot_download": lambda api, repo: api.snapshot_download(repo),
    "super_squash_history": lambda api, repo: api.super_squash_history(repo),
    "unlike": lambda api, repo: api.unlike(repo),
    "update_repo_settings": lambda api, repo: api.update_repo_settings(repo, private=True),
    "upload_file": lambda api, repo: api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=repo),
    "branch of a space": lambda api, repo: api.create_branch(repo, branch="x", repo_type="space"),
}
AT_A_REVISION: dict[str, Call] = {
    "create_branch": lambda api, repo: api.create_branch(repo, branch="x", revision="never"),
    "create_commit": lambda api, repo: api.create_commit(repo, adds(x="1"), commit_message="x", revision="never"),
    "create_commit as a PR": lambda api, repo: api.create_commit(
        repo, adds(x="1"), commit_message="x", revision="never", create_pr=True
    ),
    "create_commit as a PR to a commit": lambda api, repo: api.create_commit(
        repo, adds(x="1"), commit_message="x", revision=api.model_info(repo).sha, create_pr=True
    ),
    "create_commit that copies": lambda api, repo: api.create_commit(
        repo, [CommitOperationCopy("a", "b", src_revision="never")], commit_message="x"
    ),
    "create_tag": lambda api, repo: api.create_tag(repo, tag="x", revision="never"),
    "delete_file": lambda api, repo: api.delete_file("a", repo, revision="never"),
    "get_paths_info": lambda api, repo: api.get_paths_info(repo, ["a"], revision="never"),
    "hf_hub_download": lambda api, repo: api.hf_hub_download(repo, "a", revision="never"),
    "list_repo_commits": lambda api, repo: api.list_repo_commits(repo, revision="never"),
    "list_repo_files": lambda api, repo: api.list_repo_files(repo, revision="never"),
    "list_repo_tree": lambda api, repo: list(api.list_repo_tree(repo, revision="never")),
    "model_info": lambda api, repo: api.model_info(repo, revision="never"),
    "resolve_revision": lambda api, repo: api.resolve_revision(repo, revision="never"),
    "snapshot_download": lambda api, repo: api.snapshot_download(repo, revision="never"),
    "super_squash_history": lambda api, repo: api.super_squash_history(repo, branch="never"),
    "upload_file": lambda api, repo: api.upload_file(
        path_or_fileobj=b"x", path_in_repo="x", repo_id=repo, revision="never"
    ),
}
AT_A_PATH: dict[str, Call] = {
    "create_commit that copies": lambda api, repo: api.create_commit(
        repo, [CommitOperationCopy("never", "b")], commit_message="x"
    ),
    "delete_file": lambda api, repo: api.delete_file("never", repo),
    "delete_folder": lambda api, repo: api.delete_folder("never", repo),
    "hf_hub_download": lambda api, repo: api.hf_hub_download(repo, "never"),
    "hf_hub_download of a folder": lambda api, repo: api.hf_hub_download(repo, "sub"),
    "list_repo_tree": lambda api, repo: list(api.list_repo_tree(repo, "never")),
}
FORBIDDEN: dict[str, Call] = {
    name: call
    for name, call in OF_A_REPO.items()
    if name
    in (
        "auth_check write", "create_branch", "create_commit", "create_tag", "delete_branch", "delete_file",
        "delete_folder", "delete_repo", "delete_tag", "list_lfs_files", "list_pending_access_requests",
        "super_squash_history", "update_repo_settings", "upload_file",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def repo(lab: Lab) -> str:
    return lab.repo(a="1", sub__b="2")


@pytest.fixture(scope="module")
def hidden(lab: Lab) -> str:
    return lab.repo(private=True, a="1")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


def _fails(call: Call, api: HfApi, repo: str, kind: type[Exception], text: str | None = None) -> None:
    with pytest.raises(kind, match=text):
        call(api, repo)


@pytest.mark.parametrize("call", OF_A_REPO.values(), ids=OF_A_REPO)
def test_what_is_missing_or_hidden_is_no_repo(lab: Lab, hidden: str, call: Call):
    for name in ("no-namespace", "nobody/nothing", f"{lab.org}/nothing", hidden):
        _fails(call, lab.api("stranger"), name, RepositoryNotFoundError, "Repository Not Found")


@pytest.mark.parametrize("call", AT_A_REVISION.values(), ids=AT_A_REVISION)
def test_a_missing_revision_is_no_revision(lab: Lab, repo: str, call: Call):
    _fails(call, lab.api("writer"), repo, RevisionNotFoundError)


@pytest.mark.parametrize("call", AT_A_PATH.values(), ids=AT_A_PATH)
def test_a_missing_path_is_no_entry(lab: Lab, repo: str, call: Call):
    _fails(call, lab.api("writer"), repo, EntryNotFoundError)


@pytest.mark.parametrize("call", FORBIDDEN.values(), ids=FORBIDDEN)
def test_who_may_not_is_told_so(lab: Lab, repo: str, call: Call):
    for who, code in (("stranger", 403), ("anonymous", 401)):
        with pytest.raises((HfHubHTTPError, LocalTokenNotFoundError)) as raised:
            call(lab.api(who), repo)
        assert status(raised.value)[0] == code, (who, raised.value)
        assert not isinstance(raised.value, RepositoryNotFoundError)


def test_words_that_programs_look_for(lab: Lab, repo: str):
    api = lab.api("writer")
    with pytest.raises(EntryNotFoundError, match=r"A file with this name doesn't exist[\s\S]*is_folder=True"):
        api.delete_file("never", repo)
    with pytest.raises(HfHubHTTPError, match=r"The branch was updated since you opened this page\. Please refresh"):
        api.create_commit(repo, adds(x="1"), commit_message="x", parent_commit="f" * 40)
    with pytest.raises(ValueError, match=r"Invalid metadata in README\.md"):
        api.upload_file(path_or_fileobj=b"---\na: [\n---\n", path_in_repo="README.md", repo_id=repo)
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(lab.live.url, token="hf_wrong").whoami()
    wrong = HfApi(lab.live.url, token="hf_wrong")
    for call in (wrong.model_info, wrong.repo_exists, wrong.list_repo_files):  # a wrong token is no missing repo
        with pytest.raises(HfHubHTTPError, match="Invalid credentials in Authorization header") as raised:
            call(repo)
        assert not isinstance(raised.value, RepositoryNotFoundError)
    with pytest.raises(HfHubHTTPError, match=r"expected one of \"author\"\|"):
        api.model_info(repo, expand=["never"])


def test_what_this_hub_has_none_of(lab: Lab):
    api = lab.api("writer")
    for found in (
        api.list_spaces(), api.search_spaces("x"), api.list_buckets(), api.list_papers(query="x"),
        api.list_daily_papers(),
    ):  # fmt: skip
        assert list(found) == []
    for type in ("space", "kernel"):
        assert not api.repo_exists(f"{lab.org}/x", repo_type=type)
        with pytest.raises(RepositoryNotFoundError, match=f"has no {type}s, only models and datasets"):
            api.repo_info(f"{lab.org}/x", repo_type=type)
    with pytest.raises(BucketNotFoundError, match="has no buckets"):
        api.create_bucket(f"{lab.org}/x")
    with pytest.raises(JobNotFoundError, match="has no jobs"):
        api.inspect_job(job_id="x")
    with pytest.raises(HfHubHTTPError, match="has no papers"):
        api.paper_info("2307.09288")
    told = lab.http("writer").head("/no/such/page")  # where clients have only the headers
    assert "nothing at this address" in told.headers["X-Error-Message"]


def test_every_answer_can_be_named(lab: Lab, repo: str):
    http = lab.http("anonymous")
    for path in ("/", "/static/logo.svg", f"/{repo}", f"/{repo}/resolve/main/a", "/api/never", "/no/such/page",
                 f"/{repo}.git/info/refs?service=git-upload-pack", "/api/models?sort=never"):  # fmt: skip
        assert len(http.get(path).headers["X-Request-Id"]) > 8, path
    etag = http.get(f"/{repo}/resolve/main/a").headers["ETag"]
    unchanged = http.get(f"/{repo}/resolve/main/a", headers={"If-None-Match": etag})
    assert (unchanged.status_code, len(unchanged.headers["X-Request-Id"]) > 8) == (304, True)


def test_an_unknown_address_of_a_repo_that_is_there_is_no_missing_repo(lab: Lab, repo: str, hidden: str):
    for name, code in ((repo, "NotFound"), (hidden, "RepoNotFound")):
        answer = lab.http("stranger").post(f"/api/models/{name}/never/ever", json={})
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (404, code)
