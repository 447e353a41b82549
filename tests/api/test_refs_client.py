"""Branches, tags and squashed histories, by the stock client."""

from __future__ import annotations

import pytest
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from tests.api.lab import Lab, adds, status
from tests.push.gitclient import clone

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("type", ["model", "dataset"])
def test_branches_come_and_go(lab: Lab, type: str):
    api, repo = lab.api("writer"), lab.repo(a="1", type=type)
    first = api.list_repo_commits(repo, repo_type=type)[-1].commit_id
    api.create_branch(repo, branch="dev/new", repo_type=type)
    api.create_branch(repo, branch="from-sha", revision=first, repo_type=type)
    api.create_branch(repo, branch="from-short", revision=first[:7], repo_type=type)
    api.create_branch(repo, branch="from-branch", revision="dev/new", repo_type=type)
    refs = {ref.name: (ref.ref, ref.target_commit) for ref in api.list_repo_refs(repo, repo_type=type).branches}
    head = api.repo_info(repo, repo_type=type).sha
    assert refs == {
        "main": ("refs/heads/main", head),
        "dev/new": ("refs/heads/dev/new", head),
        "from-sha": ("refs/heads/from-sha", first),
        "from-short": ("refs/heads/from-short", first),
        "from-branch": ("refs/heads/from-branch", head),
    }
    assert api.list_repo_files(repo, revision="dev/new", repo_type=type) == [".gitattributes", "a"]
    api.create_commit(repo, adds(b="2"), commit_message="There", revision="dev/new", repo_type=type)
    assert api.repo_info(repo, repo_type=type).sha == head
    api.delete_branch(repo, branch="dev/new", repo_type=type)
    assert not api.revision_exists(repo, "dev/new", repo_type=type)


def test_a_branch_that_cannot_be_made(lab: Lab):
    api, repo = lab.api("writer"), lab.repo(a="1")
    pull = api.create_pull_request(repo, title="One", token=lab.people["author"].token)
    api.create_branch(repo, branch="taken")
    with pytest.raises(HfHubHTTPError, match="Reference refs/heads/taken already exists") as raised:
        api.create_branch(repo, branch="taken")
    assert status(raised.value) == (409, "Conflict")
    api.create_branch(repo, branch="taken", exist_ok=True)
    lab.api("reader").create_branch(repo, branch="taken", exist_ok=True)  # 403, but there it is
    for name in (pull.git_reference, "refs/foo/bar", "HEAD", "two words", "a..b", "taken/below", "f" * 40):
        with pytest.raises(BadRequestError, match=r"Invalid reference for a branch|cannot be a folder"):
            api.create_branch(repo, branch=name)
    for start in ("nowhere", "0" * 40, "abcdef0", "refs/hub/events"):
        with pytest.raises(RevisionNotFoundError):
            api.create_branch(repo, branch="never", revision=start)
    api.create_branch(repo, branch="of-the-pull", revision=pull.git_reference)
    for who, code in (("anonymous", 401), ("stranger", 403), ("author", 403), ("reader", 403)):
        for make in (
            lambda who: lab.api(who).create_branch(repo, branch="mine"),
            lambda who: lab.api(who).create_tag(repo, tag="mine"),
            lambda who: lab.api(who).delete_branch(repo, branch="taken"),
        ):
            with pytest.raises(HfHubHTTPError) as raised:
                make(who)
            assert status(raised.value)[0] == code
    with pytest.raises(RepositoryNotFoundError):
        lab.api("stranger").create_branch(lab.repo(private=True), branch="mine")


def test_what_cannot_be_deleted(lab: Lab):
    api, repo = lab.api("writer"), lab.repo(a="1")
    with pytest.raises(HfHubHTTPError, match="main is protected") as raised:
        api.delete_branch(repo, branch="main")
    assert status(raised.value) == (403, "Forbidden")
    for name in ("never", "a..b"):
        with pytest.raises(RevisionNotFoundError):
            api.delete_branch(repo, branch=name)
        with pytest.raises(RevisionNotFoundError):
            api.delete_tag(repo, tag=name)


def test_tags_come_and_go(lab: Lab, tmp_path):
    api, repo = lab.api("writer"), lab.repo(a="1")
    head = api.repo_info(repo).sha
    api.create_commit(repo, adds(b="2"), commit_message="More")
    api.create_branch(repo, branch="same")
    api.create_tag(repo, tag="same", revision=head[:7])  # a branch may have the same name
    api.create_tag(repo, tag="v/1", tag_message="The first\n\nthat is one.", revision=head)
    api.create_tag(repo, tag="now")
    tags = {ref.name: (ref.ref, ref.target_commit) for ref in api.list_repo_refs(repo).tags}
    now = api.repo_info(repo).sha
    assert tags == {
        "same": ("refs/tags/same", head),
        "v/1": ("refs/tags/v/1", head),
        "now": ("refs/tags/now", now),
    }
    assert api.list_repo_files(repo, revision="v/1") == [".gitattributes", "a"]
    with pytest.raises(HfHubHTTPError, match="Reference refs/tags/now already exists") as raised:
        api.create_tag(repo, tag="now", revision=head)
    assert status(raised.value)[0] == 409
    api.create_tag(repo, tag="now", revision=head, exist_ok=True)
    assert api.repo_info(repo, revision="now").sha == now
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(repo, tag="v2", revision="nowhere")
    with pytest.raises(HfHubHTTPError) as raised:
        api.create_tag(repo, tag="v 2")
    assert status(raised.value)[0] == 400
    tree = clone(lab.live.git_url(repo), tmp_path / "tree")
    shown = tree.git("tag", "-l", "--format=%(objecttype) %(taggername) %(contents)", "v/1").out.strip()
    assert shown == f"tag {lab.name('writer')} The first\n\nthat is one."
    api.delete_tag(repo, tag="same")
    assert [ref.name for ref in api.list_repo_refs(repo).branches] == ["main", "same"]
    api.delete_tag(repo, tag="v/1")
    assert not api.revision_exists(repo, "v/1")


def test_pull_requests_are_listed_when_asked_for(lab: Lab):
    api, repo = lab.api("author"), lab.repo(a="1")
    made = [api.create_commit(repo, adds(b=str(n)), commit_message="B", create_pr=True) for n in range(2)]
    refs = api.list_repo_refs(repo, include_pull_requests=True)
    assert [(ref.ref, ref.target_commit) for ref in refs.pull_requests] == [
        (f"refs/pr/{n}", commit.oid) for n, commit in enumerate(made, 1)
    ]
    assert api.list_repo_refs(repo).pull_requests is None


def test_no_name_stands_for_a_commit(lab: Lab, tmp_path):
    repo = lab.repo(a="1")
    tree = clone(lab.live.git_url(repo, lab.people["writer"]), tmp_path / "tree")
    head = tree.head()
    tree.commit("Another", a="2")
    done = tree.git("push", "origin", f"HEAD:refs/heads/{head}", check=False)
    assert "40 hex digits" in done.err
    assert lab.api("reader").repo_info(repo, revision=head).sha == head


def test_histories_are_squashed(lab: Lab, tmp_path):
    api, repo = lab.api("writer"), lab.repo(a="1")
    for n in range(3):
        api.create_commit(repo, adds(b=str(n)), commit_message=f"B {n}")
    api.create_branch(repo, branch="before")
    former = [commit.commit_id for commit in api.list_repo_commits(repo)]
    api.super_squash_history(repo)
    [commit] = api.list_repo_commits(repo)
    assert commit.title == "Super-squash branch 'main' using huggingface_hub"
    assert [c.commit_id for c in api.list_repo_commits(repo, revision="before")] == former
    assert api.list_repo_files(repo) == [".gitattributes", "a", "b"]
    api.delete_branch(repo, branch="before")
    assert api.repo_info(repo, revision=former[1]).sha == former[1]  # who noted a commit still gets it
    tree = clone(lab.live.git_url(repo), tmp_path / "tree")
    assert tree.git("rev-list", "--all", "--count").out == "1\n"
    assert "refs/hub" not in tree.git("ls-remote", "origin").out
    tree.git("fetch", "-q", "origin", f"refs/hub/squashed/{commit.commit_id}:former")
    assert tree.git("rev-parse", "former").out.strip() == former[0]
    page = lab.http("anonymous").get(f"/{repo}/evaluations/history").text
    assert f"<strong>{lab.name('writer')}</strong> squashed the commits of main" in page
    api.create_commit(repo, adds(c="1"), commit_message="Go on", parent_commit=commit.commit_id)
    assert len(api.list_repo_commits(repo)) == 2


def test_a_pull_request_is_squashed_by_its_author(lab: Lab):
    api, repo = lab.api("author"), lab.repo(a="1")
    pull = api.create_pull_request(repo, title="One")
    for n in range(2):
        api.create_commit(repo, adds(b=str(n)), commit_message=f"B {n}", revision=pull.git_reference)
    api.super_squash_history(repo, branch=pull.git_reference, commit_message="B")
    assert [c.title for c in api.list_repo_commits(repo, revision=pull.git_reference)] == ["B"]
    lab.api("writer").merge_pull_request(repo, pull.num)
    assert lab.api("reader").list_repo_files(repo) == [".gitattributes", "a", "b"]


def test_what_cannot_be_squashed(lab: Lab):
    api, repo = lab.api("writer"), lab.repo(a="1")
    api.create_tag(repo, tag="v1")
    with pytest.raises(BadRequestError, match="Invalid reference for a branch"):
        api.super_squash_history(repo, branch="v1")
    for name in ("never", "refs/pr/7"):
        with pytest.raises(RevisionNotFoundError):
            api.super_squash_history(repo, branch=name)
    for who in ("reader", "author"):
        with pytest.raises(HfHubHTTPError) as raised:
            lab.api(who).super_squash_history(repo)
        assert status(raised.value) == (403, "Forbidden")
