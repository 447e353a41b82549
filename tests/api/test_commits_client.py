"""Commits by the stock client: what is sent, ignored, skipped, refused; large ones, several at once, and again."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, hf_hub_download
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RevisionNotFoundError,
)

from glasshub import accounts, repos
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.api.lab import Lab, adds, status
from tests.push.gitclient import clone
from tests.require import require

pytestmark = pytest.mark.slow


def files(lab: Lab, repo: str, revision: str = "main") -> set[str]:
    return set(lab.api("anonymous").list_repo_files(repo, revision=revision)) - {".gitattributes"}


def lines(*items: tuple[str, dict]) -> bytes:
    return b"".join(json.dumps({"key": key, "value": value}).encode() + b"\n" for key, value in items)


def file(path: str, data: bytes = b"x") -> tuple[str, dict]:
    return "file", {"content": base64.b64encode(data).decode(), "path": path, "encoding": "base64"}


def test_adding_copying_and_deleting(lab: Lab, tmp_path: Path):
    writer, repo = lab.api("writer"), lab.repo(a="1", d__b="2", d__c="3", e__f__g="4")
    operations = [
        CommitOperationAdd("new ü/é b.txt", b"\0\xff" * 10),
        CommitOperationCopy("a", "copy"),
        CommitOperationDelete("d/b"),
        CommitOperationDelete("e/"),
    ]
    made = writer.create_commit(repo, operations, commit_message="Change", commit_description="All at once.")
    assert files(lab, repo) == {"a", "copy", "d/c", "new ü/é b.txt"}
    commit = writer.list_repo_commits(repo)[0]
    assert (commit.commit_id, commit.title, commit.message) == (made.oid, "Change", "All at once.")
    assert commit.authors == [lab.name("writer")]
    got = hf_hub_download(repo, "new ü/é b.txt", endpoint=lab.live.url, cache_dir=tmp_path, token=False)
    assert Path(got).read_bytes() == b"\0\xff" * 10
    writer.delete_folder("d", repo)  # a folder by its path, with or without a slash at the end
    writer.create_commit(repo, [CommitOperationDelete("new ü", is_folder=False)], commit_message="Away")
    assert files(lab, repo) == {"a", "copy"}
    with pytest.raises(RemoteEntryNotFoundError, match="A file with this name doesn't exist"):
        writer.delete_file("nope", repo)


def test_what_has_not_changed_is_not_sent(lab: Lab):
    writer, repo = lab.api("writer"), lab.repo(a="1", b="2")
    before = writer.model_info(repo).sha
    assert writer.create_commit(repo, adds(a="1", b="2"), commit_message="Same").oid == before
    made = writer.create_commit(repo, adds(a="1", b="3"), commit_message="One of two")
    assert made.oid == writer.model_info(repo).sha != before
    assert len(writer.list_repo_commits(repo)) == 3


def test_the_ignored_stays_out(lab: Lab, tmp_path: Path):
    writer = lab.api("writer")
    for sent_along in (False, True):
        repo = lab.repo()
        rules = "*.log\nbuild/\n"
        if not sent_along:
            writer.upload_file(path_or_fileobj=rules.encode(), path_in_repo=".gitignore", repo_id=repo)
        folder = tmp_path / str(sent_along)
        (folder / "build").mkdir(parents=True)
        for name in ("a.txt", "b.log", "build/c"):
            (folder / name).write_text("x")
        if sent_along:
            (folder / ".gitignore").write_text(rules)
        writer.upload_folder(repo_id=repo, folder_path=folder)
        assert files(lab, repo) == {"a.txt", ".gitignore"}
    writer.create_commit(repo, adds(**{"x.log": "1", "y.txt": "2"}), commit_message="Again")
    assert files(lab, repo) == {"a.txt", ".gitignore", "y.txt"}


def test_parents_are_compared(lab: Lab):
    writer, repo = lab.api("writer"), lab.repo(a="1")
    old = writer.model_info(repo).sha
    writer.create_commit(repo, adds(a="2"), commit_message="x", parent_commit=old[:7])
    with pytest.raises(HfHubHTTPError, match="The branch was updated since you opened this page") as raised:
        writer.create_commit(repo, adds(a="3"), commit_message="x", parent_commit=old)
    assert status(raised.value) == (412, "PreconditionFailed")
    made = lab.api("author").create_commit(
        repo, adds(b="1"), commit_message="From there", create_pr=True, parent_commit=old
    )
    assert [c.commit_id for c in writer.list_repo_commits(repo, revision=made.pr_revision)][1] == old


def test_a_retry_is_answered_like_the_first_try(lab: Lab):
    http, repo = lab.http("writer"), lab.repo(gone="1")
    body = lines(("header", {"summary": "Upload"}), file("new"), ("deletedFile", {"path": "gone"}))
    first, second = (http.post(f"/api/models/{repo}/commit/main", content=body).json() for _ in range(2))
    assert first == second
    assert len(lab.api("writer").list_repo_commits(repo)) == 3


def test_a_retry_opens_no_second_pull_request(lab: Lab):
    repo, address = lab.repo(old="1"), "/api/models/{}/commit/main?create_pr=1"
    body = lines(("header", {"summary": "Propose"}), file("new"))

    def propose(who: str) -> tuple[str, str]:
        said = lab.http(who).post(address.format(repo), content=body).json()
        return said["commitOid"], said["pullRequestUrl"].rsplit("/", 1)[-1]

    first = propose("author")
    lab.api("writer").create_commit(repo, adds(other="1"), commit_message="Go on")
    assert propose("author") == first
    assert first[1] == "1"
    assert propose("stranger")[1] == "2"  # what another person proposes is theirs
    lab.api("writer").change_discussion_status(repo, 1, new_status="closed")
    assert propose("author")[1] == "3"
    lab.api("author").create_commit(repo, adds(more="1"), commit_message="More", revision="refs/pr/3")
    assert propose("author")[1] == "4"


def test_commits_at_once_all_arrive(lab: Lab):
    repo = lab.repo()

    def commit(n: int) -> str:
        who = ("writer", "admin")[n % 2]
        return lab.api(who).create_commit(repo, adds(**{f"f{n}": str(n)}), commit_message=f"Add {n}").oid

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(commit, range(16)))
    assert len(made) == 16
    assert files(lab, repo) == {f"f{n}" for n in range(16)}


def test_a_repo_without_commits_gets_its_first(lab: Lab):
    made = repos.create(
        lab.live.hub, accounts.actor_for(lab.live.hub, lab.name("admin")), "model", lab.org, "bare-beginning"
    )
    assert lab.api("writer").upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=made.repo_id).oid
    with pytest.raises(RevisionNotFoundError):
        lab.api("writer").upload_file(path_or_fileobj=b"1", path_in_repo="a", repo_id=made.repo_id, revision="dev")


def test_large_files_and_a_large_commit(lab: Lab, tmp_path: Path):
    writer, repo = lab.api("writer"), lab.repo()
    big = os.urandom(24 * 1024**2)
    text = b"A line of a long text.\n" * 400_000  # 9 MB of text stays in the commit, as upstream
    writer.create_commit(
        repo, [CommitOperationAdd("model.safetensors", big), CommitOperationAdd("log.txt", text)], commit_message="Big"
    )
    for path, data in (("model.safetensors", big), ("log.txt", text)):
        got = hf_hub_download(repo, path, endpoint=lab.live.url, cache_dir=tmp_path, token=False)
        assert Path(got).read_bytes() == data
    assert list(lab.live.hub.settings.data.glob("tmp*")) == []


def test_limits_are_told_before_anything_is_sent(tmp_path: Path):
    hub = open_hub(Settings(data=tmp_path / "data", max_commit_bytes=40_000, max_file_bytes=60_000))
    accounts.add_user(hub, "ada")
    repos.create(hub, accounts.actor_for(hub, "ada"), "model", "ada", "m")
    client = create_app(hub).test_client()
    headers = {"Authorization": f"Bearer {accounts.create_token(hub, 'ada')[0]}"}
    asked = {"files": [{"path": "small", "size": 1}, {"path": "big", "size": 50_000}]}
    huge = {"files": [{"path": "huge", "size": 70_000}]}
    many = lines(("header", {"summary": "x"}), *[file(f"f{n}", b"x" * 3000) for n in range(100)])
    modes = client.post("/api/models/ada/m/preupload/main", json=asked, headers=headers).json["files"]
    assert [item["uploadMode"] for item in modes] == ["regular", "lfs"]
    for answer, setting in (
        (client.post("/api/models/ada/m/preupload/main", json=huge, headers=headers), "max_file_bytes"),
        (client.post("/api/models/ada/m/commit/main", data=many, headers=headers), "max_commit_bytes"),
    ):
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (413, "TooLarge")
        assert setting in answer.json["error"]
    assert client.get("/api/models/ada/m/refs").json["branches"] == []
    hub.close()


@pytest.mark.parametrize(
    ("items", "word"),
    [
        ([], "empty"),
        ([file("a")], "header"),
        ([("header", {})], "summary"),
        ([("header", {"summary": 1})], "summary"),
        ([("header", {"summary": " "}), file("a")], "message"),
        ([("header", {"summary": "x", "parentCommit": "main"}), file("a")], "parentCommit"),
        ([("header", {"summary": "x"}), ("file", {"path": "a"})], "content"),
        ([("header", {"summary": "x"}), ("file", {"content": "eA=="})], "path"),
        ([("header", {"summary": "x"}), file("../a")], "cannot be a path"),
        ([("header", {"summary": "x"}), file(".git/config")], "cannot be a path"),
        ([("header", {"summary": "x"}), file("a\0b")], "cannot be a path"),
        ([("header", {"summary": "x"}), file("a\ud800")], "Unicode"),
        ([("header", {"summary": "x"}), file("kept/below")], "is a file"),
        ([("header", {"summary": "x"}), ("lfsFile", {"path": "a", "oid": "0" * 64, "size": 1})], "content of large"),
        ([("header", {"summary": "x"}), ("lfsFile", {"path": "a", "oid": "0" * 64})], "does not have the content"),
        ([("header", {"summary": "x"}), ("lfsFile", {"path": "a", "oid": "../../x", "size": 1})], "SHA-256"),
        ([("header", {"summary": "x"}), ("lfsFile", {"path": "a", "oid": "0" * 64, "size": -1})], "size"),
        ([("header", {"summary": "x"}), ("renamed", {"path": "a"})], "Unknown operation"),
    ],
)
def test_bad_commits_are_refused_with_a_reason(lab: Lab, kept: str, items: list, word: str):
    answer = lab.http("writer").post(f"/api/models/{kept}/commit/main", content=lines(*items))
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (400, "Invalid")
    assert word in answer.json()["error"]
    assert lab.api("writer").list_repo_commits(kept)[0].title == "Fill"


@pytest.fixture(scope="module")
def kept(lab: Lab) -> str:
    return lab.repo(kept="1")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"files": {}},
        {"files": [1]},
        {"files": [{}]},
        {"files": [{"path": "a", "size": -1}]},
        {"files": [{"path": "", "size": 1}]},
        {"files": [], "gitIgnore": 5},
        {"files": [], "gitIgnore": "a\n" * 2000},
        {"files": [{"path": "a", "size": 1}] * 1001},
    ],
)
def test_bad_preuploads_are_refused(lab: Lab, kept: str, body: dict):
    answer = lab.http("writer").post(f"/api/models/{kept}/preupload/main", json=body)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (400, "Invalid")


def test_refused_large_bodies_do_not_break_the_connection(lab: Lab, kept: str):
    http = lab.http("author")
    body = lines(("header", {"summary": "x"}), file("a", b"x" * 6_000_000))
    for _ in range(3):
        answer = http.post(f"/api/models/{kept}/commit/main", content=body)
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (403, "Forbidden")
    answer = lab.http("writer").post(f"/api/models/{kept}/commit/main", content=b"nonsense\n" + body)
    assert answer.status_code == 400


def test_large_files_by_git_lfs_are_copied_and_committed_by_their_hash(lab: Lab, tmp_path: Path):
    require("git-lfs")
    writer, repo = lab.api("writer"), lab.repo()
    tree = clone(lab.live.git_url(repo, lab.people["writer"]), tmp_path / "tree")
    tree.git("lfs", "install", "--local")
    tree.git("lfs", "track", "*.large")
    tree.write("weights.large", b"w" * 5000)
    tree.commit("Add weights")
    tree.git("push", "-q", "origin", "main")
    writer.create_commit(repo, [CommitOperationCopy("weights.large", "copied")], commit_message="Copy")
    by_hash = {"path": "same.large", "algo": "sha256", "oid": hashlib.sha256(b"w" * 5000).hexdigest()}
    body = lines(("header", {"summary": "Again"}), ("lfsFile", by_hash))
    assert lab.http("writer").post(f"/api/models/{repo}/commit/main", content=body).status_code == 200
    for path in ("weights.large", "copied", "same.large"):
        got = hf_hub_download(repo, path, endpoint=lab.live.url, cache_dir=tmp_path / "cache", token=False)
        assert Path(got).read_bytes() == b"w" * 5000


def test_older_clients_ask_whether_a_repo_has_xet_before_large_uploads(lab: Lab, kept: str):
    answer = lab.http("writer").get(f"/api/models/{kept}?expand=xetEnabled")
    assert (answer.status_code, answer.json()["xetEnabled"]) == (200, True)


def test_a_broken_benchmark_does_not_reach_main(lab: Lab):
    repo = lab.repo(type="dataset")
    with pytest.raises(BadRequestError, match=r"eval\.yaml"):
        lab.api("writer").upload_file(
            path_or_fileobj=b"name: x\nevaluation_framework: custom\ntasks: [{id: 1, id: 2}]\n",
            path_in_repo="eval.yaml",
            repo_id=repo,
            repo_type="dataset",
        )
    assert len(lab.api("writer").list_repo_commits(repo, repo_type="dataset")) == 1
