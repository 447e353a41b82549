"""The whole life of pull requests and discussions with the stock client."""

from __future__ import annotations

import secrets
import warnings
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from tests.api.lab import Lab, adds, status
from tests.push.gitclient import clone

pytestmark = pytest.mark.slow


def kinds(details) -> list[str]:
    return [event.type for event in details.events]


@pytest.mark.parametrize("type", ["model", "dataset"])
def test_from_proposal_to_merge(lab: Lab, tmp_path: Path, type: str):
    author, writer = lab.api("author"), lab.api("writer")
    repo = lab.repo(type=type, d__text="old\n", gone="x")
    opened = author.create_pull_request(repo, title="  Better words ", description="Since *old*.", repo_type=type)
    assert (opened.num, opened.title, opened.status, opened.author) == (1, "Better words", "open", lab.name("author"))
    assert (opened.git_reference, opened.target_branch, opened.conflicting_files) == (
        "refs/pr/1",
        "refs/heads/main",
        [],
    )
    assert opened.merge_commit_oid is None
    assert kinds(opened) == ["comment"]
    assert opened.events[0].content == "Since *old*."
    assert opened.events[0].rendered == "<p>Since <em>old</em>.</p>\n"
    assert author.get_discussion_details(repo, 1, repo_type=type) == opened
    assert (
        author.repo_info(repo, revision="refs/pr/1", repo_type=type).sha == author.repo_info(repo, repo_type=type).sha
    )

    made = author.create_commit(
        repo, adds(d__text="new\n"), commit_message="Say it better", revision="refs/pr/1", repo_type=type
    )
    assert made.commit_url.endswith(f"{repo}/commit/{made.oid}")
    info = author.repo_info(repo, revision="refs/pr/1", repo_type=type)
    assert info.sha == made.oid
    commits = author.list_repo_commits(repo, revision="refs/pr/1", repo_type=type)
    assert commits[0].title == "Say it better"
    got = hf_hub_download(
        repo, "d/text", revision="refs/pr/1", repo_type=type, endpoint=lab.live.url, cache_dir=tmp_path, token=False
    )
    assert Path(got).read_text() == "new\n"

    # Opened already, so making it ready changes nothing, as clients do it before they merge.
    assert author.change_discussion_status(repo, 1, "open", repo_type=type).new_status == "open"
    writer.comment_discussion(repo, 1, "Fine.", repo_type=type)
    writer.merge_pull_request(repo, 1, comment="Thanks!", repo_type=type)
    merged = author.get_discussion_details(repo, 1, repo_type=type)
    assert merged.status == "merged"
    assert kinds(merged) == ["comment", "commit", "comment", "comment", "status-change"]
    assert (merged.events[1].summary, merged.events[1].oid) == ("Say it better", made.oid)
    assert (merged.events[4].new_status, merged.events[4].author) == ("merged", lab.name("writer"))
    assert merged.merge_commit_oid == author.repo_info(repo, repo_type=type).sha
    assert "-old\n+new\n" in merged.diff
    assert merged.conflicting_files == []
    assert author.get_discussion_details(repo, 1, repo_type=type) == merged
    with pytest.raises(HfHubHTTPError) as raised:
        writer.merge_pull_request(repo, 1, repo_type=type)
    assert status(raised.value) == (409, "Conflict")


def test_commit_upload_file_and_upload_folder_open_pull_requests(lab: Lab, tmp_path: Path):
    author, repo = lab.api("author"), lab.repo()
    made = author.create_commit(
        repo, adds(a="1\n"), commit_message="Add a\nwith love", commit_description="Why not.", create_pr=True
    )
    assert (made.pr_num, made.pr_revision) == (1, "refs/pr/1")
    assert made.pr_url == f"{lab.live.url}/{repo}/discussions/1"
    details = author.get_discussion_details(repo, 1)
    assert (details.title, details.events[0].content) == ("Add a", "with love\n\nWhy not.")
    assert kinds(details) == ["comment", "commit"]
    assert author.upload_file(path_or_fileobj=b"2", path_in_repo="d/b", repo_id=repo, create_pr=True).pr_num == 2

    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    for n in range(30):
        (folder / "sub" / f"{n}.txt").write_text(f"{n}\n")
    weights = secrets.token_bytes(2_048_000)  # new to the hub, and to what clients remember
    (folder / "weights.bin").write_bytes(weights)
    uploaded = author.upload_folder(repo_id=repo, folder_path=folder, create_pr=True, commit_message="All of it")
    assert uploaded.pr_num == 3
    assert author.get_discussion_details(repo, 3).title == "All of it"
    got = snapshot_download(
        repo,
        revision="refs/pr/3",
        endpoint=lab.live.url,
        cache_dir=tmp_path / "cache",
        token=lab.people["reader"].token,
    )
    assert (Path(got) / "weights.bin").read_bytes() == weights
    assert (Path(got) / "sub/29.txt").read_text() == "29\n"
    # A run that was cut short goes on in the same pull request; what is there already is not sent again.
    before = author.model_info(repo, revision="refs/pr/3").sha
    again = author.upload_folder(repo_id=repo, folder_path=folder, revision="refs/pr/3")
    assert again.oid == before == author.model_info(repo, revision="refs/pr/3").sha
    assert len(author.list_repo_commits(repo)) == 1  # main is as it was


def test_refs_list_pull_requests_by_number(lab: Lab):
    author, repo = lab.api("author"), lab.repo()
    for n in range(11):
        author.create_commit(repo, adds(a=str(n)), commit_message="Try", create_pr=True)
    refs = lab.api("anonymous").list_repo_refs(repo, include_pull_requests=True)
    assert [ref.name for ref in refs.pull_requests] == [f"refs/pr/{n}" for n in range(1, 12)]
    assert [branch.name for branch in refs.branches] == ["main"]
    assert refs.pull_requests[0].target_commit == author.model_info(repo, revision="refs/pr/1").sha
    assert lab.api("anonymous").list_repo_refs(repo).pull_requests is None


def test_discussions_from_question_to_answer(lab: Lab):
    author, reader, writer = lab.api("author"), lab.api("reader"), lab.api("writer")
    repo = lab.repo()
    opened = author.create_discussion(repo, title="Which prompt?", description="Tell us.")
    assert (opened.is_pull_request, opened.git_reference, opened.diff) == (False, None, None)
    assert kinds(opened) == ["comment"]
    said = reader.comment_discussion(repo, 1, "The **usual** one.")
    assert (said.content, said.edited, said.hidden) == ("The **usual** one.", False, False)
    edited = reader.edit_discussion_comment(repo, 1, said.id.upper(), "The long one.")
    assert (edited.id, edited.content, edited.edited, edited.number_of_edits) == (said.id, "The long one.", True, 1)
    assert (edited.edit_history[0]["raw"], edited.last_edited_by) == ("The **usual** one.", lab.name("reader"))
    assert edited.last_edited_at > said.created_at
    renamed = author.rename_discussion(repo, 1, "Which prompt was it?")
    assert (renamed.old_title, renamed.new_title) == ("Which prompt?", "Which prompt was it?")
    closed = author.change_discussion_status(repo, 1, "closed", comment="Thanks.")
    assert closed.new_status == "closed"
    reopened = author.change_discussion_status(repo, 1, "open")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hidden = writer.hide_discussion_comment(repo, 1, said.id)
    assert hidden.hidden
    seen = lab.api("anonymous").get_discussion_details(repo, 1)
    assert kinds(seen) == ["comment", "comment", "title-change", "comment", "status-change", "status-change"]
    assert (seen.title, seen.status) == ("Which prompt was it?", "open")
    assert (seen.events[1].hidden, seen.events[1].content, seen.events[1].edit_history[0]["raw"]) == (True, "", "")
    assert seen.events[5] == reopened
    for who in (reader, writer):  # its author and those who moderate still read it
        assert who.get_discussion_details(repo, 1).events[1].content == "The long one."


def test_lists_by_kind_status_author_and_page(lab: Lab):
    author, writer, repo = lab.api("author"), lab.api("writer"), lab.repo()
    for n in range(60):
        (author if n % 2 else writer).create_discussion(repo, title=f"Talk {n + 1}", description="x")
    author.create_pull_request(repo, title="A draft")
    http = lab.http("author")
    answer = http.post(f"/api/models/{repo}/discussions/61/status", json={"status": "draft"})
    assert answer.status_code == 200
    author.create_commit(repo, adds(a="1"), commit_message="Done", create_pr=True)
    writer.merge_pull_request(repo, 62)
    writer.change_discussion_status(repo, 3, "closed")

    everything = list(lab.api("anonymous").get_repo_discussions(repo))
    assert [item.num for item in everything] == list(range(62, 0, -1))
    assert [item.status for item in everything[:2]] == ["merged", "draft"]

    def numbers(**filters) -> list[int]:
        return [item.num for item in author.get_repo_discussions(repo, **filters)]

    assert numbers(discussion_type="pull_request") == [62, 61]
    assert len(numbers(discussion_type="discussion")) == 60
    assert numbers(discussion_status="closed") == [62, 3]
    assert numbers(discussion_status="open", discussion_type="pull_request") == [61]
    assert numbers(author=lab.name("author"), discussion_status="closed") == [62]
    assert len(numbers(author=lab.name("writer").upper())) == 30
    assert numbers(author="nobody-at-all") == []


def test_conflicts_are_listed_and_refuse_the_merge(lab: Lab):
    author, writer, repo = lab.api("author"), lab.api("writer"), lab.repo(both="one\n")
    made = author.create_commit(repo, adds(both="two\n", own="x"), commit_message="Mine", create_pr=True)
    writer.create_commit(repo, adds(both="three\n"), commit_message="Ours")
    assert author.get_discussion_details(repo, made.pr_num).conflicting_files == ["both"]
    with pytest.raises(HfHubHTTPError, match="both") as raised:
        writer.merge_pull_request(repo, made.pr_num)
    assert status(raised.value) == (409, "Conflict")
    assert author.get_discussion_details(repo, made.pr_num).status == "open"


def test_the_diff_can_be_applied(lab: Lab, tmp_path: Path):
    author = lab.api("author")
    repo = lab.repo(keep="".join(f"{n}\n" for n in range(50)), gone="bye\n", no_end="a")
    operations = adds(keep="".join(f"{n if n != 25 else 'x'}\n" for n in range(50)), no_end="b", new__file="ü\n")
    made = author.create_commit(repo, operations, commit_message="Change", create_pr=True)
    author.delete_file("gone", repo, revision=made.pr_revision)
    tree = clone(lab.live.git_url(repo), tmp_path / "tree")
    (tmp_path / "patch").write_text(author.get_discussion_details(repo, made.pr_num).diff)
    tree.git("apply", "--index", str(tmp_path / "patch"))
    tree.git("fetch", "-q", "origin", "refs/pr/1")
    assert tree.git("write-tree").out == tree.git("rev-parse", "FETCH_HEAD^{tree}").out


def test_a_pull_request_behind_main_tells_only_what_it_changes(lab: Lab):
    author, writer, repo = lab.api("author"), lab.api("writer"), lab.repo(a="1\n")
    made = author.create_commit(repo, adds(mine="1\n"), commit_message="Mine", create_pr=True)
    writer.create_commit(repo, adds(a="2\n"), commit_message="Ours")
    diff = author.get_discussion_details(repo, made.pr_num).diff
    assert "mine" in diff
    assert "diff --git a/a " not in diff


def test_what_is_wrong_is_told_in_the_clients_own_errors(lab: Lab):
    author, repo = lab.api("author"), lab.repo(a="1")
    with pytest.raises(RepositoryNotFoundError):
        author.create_discussion(f"{lab.org}/none", title="Hello")
    with pytest.raises(RepositoryNotFoundError):
        author.create_commit(f"{lab.org}/none", adds(a="1"), commit_message="x", create_pr=True)
    for options in ({"revision": "none", "create_pr": True}, {"revision": "refs/pr/77"}):
        with pytest.raises(RevisionNotFoundError):
            author.create_commit(repo, adds(a="2"), commit_message="x", **options)
    sha = author.model_info(repo).sha
    with pytest.raises(RevisionNotFoundError):
        author.create_commit(repo, adds(a="2"), commit_message="x", revision=sha, create_pr=True)
    for call in (
        lambda: author.get_discussion_details(repo, 99),
        lambda: author.comment_discussion(repo, 99, "x"),
        lambda: author.merge_pull_request(repo, 99),
    ):
        with pytest.raises(HfHubHTTPError) as raised:
            call()
        assert raised.value.response.status_code in (403, 404)
        assert raised.value.response.headers["X-Error-Code"] != "RepoNotFound"
    author.create_discussion(repo, title="x", description="y")
    with pytest.raises(HfHubHTTPError) as raised:
        author.comment_discussion(repo, 1, " ")
    assert status(raised.value) == (400, "Invalid")
    with pytest.raises(HfHubHTTPError) as raised:
        lab.api("writer").merge_pull_request(repo, 1)
    assert status(raised.value) == (404, "NotFound")


def test_pull_requests_can_be_switched_off(lab: Lab):
    repo, author = lab.repo(), lab.api("author")
    http = lab.http("admin")
    done = http.put(f"/api/models/{repo}/settings", json={"pullRequests": False})
    assert done.json()["pullRequests"] is False
    for propose in (
        lambda: author.create_pull_request(repo, title="No"),
        lambda: author.create_commit(repo, adds(a="1"), commit_message="No", create_pr=True),
    ):
        with pytest.raises(HfHubHTTPError, match="switched off") as raised:
            propose()
        assert status(raised.value) == (403, "Forbidden")
    assert author.create_discussion(repo, title="Why?").num == 1


def test_old_names_lead_to_the_moved_repo(lab: Lab):
    repo, author = lab.repo(), lab.api("author")
    lab.api("admin").move_repo(repo, f"{repo}-moved")
    assert author.create_pull_request(repo, title="To the old name").num == 1
    assert author.create_commit(repo, adds(a="1"), commit_message="x", revision="refs/pr/1").oid
    assert author.get_discussion_details(repo, 1).repo_id == f"{repo}-moved"


def test_unknown_clients_see_only_json(lab: Lab):
    answer = httpx2.get(f"{lab.live.url}/api/models/{lab.repo()}/discussions?p=x")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (400, "application/json")
