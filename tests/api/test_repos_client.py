"""Repos made, changed, moved and deleted by the stock client."""

from __future__ import annotations

import pytest
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from tests.api.lab import Lab, adds, status
from tests.push.gitclient import clone

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("type", [None, "model", "dataset"])
def test_a_repo_begins_with_one_commit(lab: Lab, tmp_path, type: str | None):
    api, name = lab.api("stranger"), f"mine-{type}"
    url = api.create_repo(name, repo_type=type)  # without a namespace: one's own
    repo = f"{lab.name('stranger')}/{name}"
    prefix = "datasets/" if type == "dataset" else ""
    assert (url, url.repo_id) == (f"{lab.live.url}/{prefix}{repo}", repo)
    [commit] = api.list_repo_commits(repo, repo_type=type)
    assert (commit.title, commit.authors) == ("initial commit", [lab.name("stranger")])
    assert api.list_repo_files(repo, repo_type=type) == [".gitattributes"]
    tree = clone(lab.live.git_url(f"{prefix}{repo}", lab.people["stranger"]), tmp_path / "tree")
    tree.commit("By git", **{"README.md": "# Mine\n"})
    tree.git("push", "-q", "origin", "main")


def test_a_repo_that_is_there_is_told_with_its_address(lab: Lab):
    api, repo = lab.api("writer"), lab.repo()
    with pytest.raises(HfHubHTTPError, match="already exists") as raised:
        lab.api("admin").create_repo(repo)
    assert status(raised.value) == (409, "Conflict")
    assert lab.api("admin").create_repo(repo.upper(), exist_ok=True).repo_id == repo
    assert api.create_repo(repo, exist_ok=True).repo_id == repo
    # So it is to those who may not make repos there, if they may read it.
    assert lab.api("stranger").create_repo(repo, exist_ok=True).repo_id == repo
    hidden = lab.repo(private=True)
    org, name = hidden.split("/")
    answer = lab.http("stranger").post("/api/repos/create", json={"organization": org, "name": name})
    assert (answer.status_code, answer.json().keys()) == (403, {"error"})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 400),
        ({"name": 5}, 400),
        ({"name": ".."}, 400),
        ({"name": "a/b"}, 400),
        ({"name": "x", "type": "space"}, 400),
        ({"name": "x", "visibility": "protected"}, 400),
        ({"name": "x", "organization": "no-such-org"}, 404),
        ({"name": "x", "private": "yes"}, 400),
    ],
)
def test_bad_repos_are_not_made(lab: Lab, body: dict, code: int):
    answer = lab.http("stranger").post("/api/repos/create", json=body)
    assert answer.status_code == code, answer.text
    assert answer.json()["error"]


def test_nobody_makes_repos_without_signing_in(lab: Lab):
    for body in ({"name": "x"}, {"name": "x", "organization": lab.org}):
        answer = lab.http("anonymous").post("/api/repos/create", json=body)
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (401, "Unauthenticated")
    assert lab.http("reader").post("/api/repos/create", json={"name": "x", "organization": lab.org}).status_code == 403


def test_private_by_either_word(lab: Lab):
    api = lab.api("admin")
    for options in ({"private": True}, {"visibility": "private"}):
        repo = f"{lab.org}/p{len(options)}{next(iter(options))}"
        api.create_repo(repo, **options)
        assert not lab.api("stranger").repo_exists(repo)
        api.update_repo_settings(repo, private=False)
        assert lab.api("stranger").repo_exists(repo)
        api.update_repo_settings(repo, visibility="private", gated=False)
        assert not lab.api("stranger").repo_exists(repo)
    answer = lab.http("admin").put(f"/api/models/{repo}/settings", json={"gated": True})
    assert (answer.status_code, answer.json()["error"]) == (400, "gated is auto, manual or false.")


def test_a_misspelt_setting_is_refused_by_name(lab: Lab):
    repo, http = lab.repo(), lab.http("admin")
    for body in ({"pull_requests": False}, {"private": True, "pullrequests": False}):
        answer = http.put(f"/api/models/{repo}/settings", json=body)
        (wrong,) = body.keys() - {"private"}
        assert answer.status_code == 400
        assert answer.json()["error"] == (
            f"There is no field '{wrong}' here. The fields are: visibility, private, gated, pullRequests, "
            "allowForcePush, xetEnabled."
        )
    assert lab.api("stranger").repo_exists(repo)  # nothing of it was done
    # All that update_repo_settings and update_repo_visibility of huggingface_hub 0.36 and later may send.
    for sent in ({"private": False}, {"gated": False, "private": False, "xetEnabled": True}, {"visibility": "public"}):
        assert http.put(f"/api/models/{repo}/settings", json=sent).status_code == 200


def test_a_moved_repo_answers_to_both_names_but_is_deleted_by_its_own(lab: Lab):
    api, repo = lab.api("admin"), lab.repo(a="1")
    taken = lab.repo()
    with pytest.raises(HfHubHTTPError, match=r"A model repository called .* already exists"):
        api.move_repo(repo, taken)
    with pytest.raises(HfHubHTTPError):
        api.move_repo(repo, f"{lab.name('stranger')}/stolen")
    api.move_repo(repo, f"{repo}-new")
    assert api.model_info(repo).id == f"{repo}-new"
    api.create_commit(repo, adds(b="2"), commit_message="To the old name")
    with pytest.raises(HfHubHTTPError, match="is now called") as raised:
        api.delete_repo(repo)
    assert status(raised.value) == (409, "Conflict")
    api.move_repo(f"{repo}-new", repo)
    api.delete_repo(repo)
    assert not api.repo_exists(repo)


def test_deleting_what_is_not_there(lab: Lab):
    api = lab.api("admin")
    with pytest.raises(
        RepositoryNotFoundError, match=r"404 Client Error[\s\S]*Request ID: [\s\S]*Repository Not Found"
    ):
        api.delete_repo(f"{lab.org}/never")
    api.delete_repo(f"{lab.org}/never", missing_ok=True)
    hidden = lab.repo(private=True)
    with pytest.raises(RepositoryNotFoundError):
        lab.api("stranger").delete_repo(hidden)
    assert api.repo_exists(hidden)
