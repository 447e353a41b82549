"""Likes: by the API, by the button, and where they are seen."""

from __future__ import annotations

import threading

import pytest
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from glasshub import repos
from tests.api.lab import status

pytestmark = pytest.mark.slow


def test_likes_are_counted_listed_and_taken_back_by_the_stock_client(lab):
    repo, data = lab.repo(), lab.repo(type="dataset")
    for who in ("stranger", "reader", "stranger"):  # again changes nothing
        assert lab.http(who).post(f"/api/models/{repo}/like").status_code == 200
    assert lab.http("stranger").post(f"/api/datasets/{data}/like").status_code == 200
    api = lab.api("anonymous")
    assert api.model_info(repo).likes == 2
    assert api.dataset_info(data, expand=["likes"]).likes == 1
    assert [user.username for user in api.list_repo_likers(repo)] == [lab.name("reader"), lab.name("stranger")]
    liked = api.list_liked_repos(lab.name("stranger"))
    assert (liked.total, liked.models, liked.datasets) == (2, [repo], [data])
    assert lab.api("stranger").list_liked_repos().total == 2
    lab.api("stranger").unlike(repo)
    lab.api("stranger").unlike(repo)
    assert api.model_info(repo).likes == 1
    assert api.list_liked_repos(lab.name("stranger")).models == []
    page = lab.http("anonymous").get(f"/api/models/{repo}/likers", params={"limit": 1})
    assert "Link" not in page.headers
    lab.http("author").post(f"/api/models/{repo}/like")
    lab.api("admin").move_repo(repo, f"{repo}-moved")
    assert api.model_info(f"{repo}-moved").likes == 2  # they go with it
    first = lab.http("anonymous").get(f"/api/models/{repo}-moved/likers", params={"limit": 1})
    second = lab.http("anonymous").get(first.links["next"]["url"])
    assert [first.json()[0]["user"], second.json()[0]["user"]] == [lab.name("author"), lab.name("reader")]
    assert "next" not in second.links


def test_who_may_like_what(lab):
    public, private = lab.repo(), lab.repo(private=True)
    assert lab.http("anonymous").post(f"/api/models/{public}/like").status_code == 401
    assert lab.http("stranger").post(f"/api/models/{private}/like").status_code == 404
    assert lab.http("reader").post(f"/api/models/{private}/like").status_code == 200
    with pytest.raises(RepositoryNotFoundError):
        list(lab.api("stranger").list_repo_likers(private))
    with pytest.raises(RepositoryNotFoundError):
        lab.api("stranger").unlike(private)
    assert lab.api("anonymous").list_liked_repos(lab.name("reader")).models == [
        name for name in lab.api("anonymous").list_liked_repos(lab.name("reader")).models if name != private
    ]
    assert private in lab.api("reader").list_liked_repos().models
    assert private in lab.api("writer").list_liked_repos(lab.name("reader")).models
    with pytest.raises(HfHubHTTPError) as nobody:
        lab.api("anonymous").list_liked_repos("nobody-here")
    assert status(nobody.value)[0] == 404


def test_the_button_likes_and_takes_back_without_scripts(lab, visit):
    repo = lab.repo()
    browser, stranger = visit(lab.people["stranger"]), visit()
    assert f'href="/login?next=/{repo}"' in stranger.get(f"/{repo}").text
    assert browser.submit(f"/{repo}", f"/{repo}/like").headers["Location"] == f"/{repo}"
    assert "Liked" in browser.get(f"/{repo}").text
    assert "1 like" in stranger.get(f"/models?author={lab.org}&sort=likes").text
    assert browser.submit(f"/{repo}", f"/{repo}/like").status_code == 303
    assert lab.api("anonymous").model_info(repo).likes == 0
    data = lab.repo(type="dataset")
    assert browser.submit(f"/datasets/{data}", f"/datasets/{data}/like").status_code == 303
    assert lab.api("anonymous").dataset_info(data).likes == 1


def test_many_likes_at_once_are_all_counted(lab):
    repo = lab.repo()
    urls = [f"/api/models/{repo}/like"]
    clients = [lab.http(who) for who in ("stranger", "author", "reader", "writer", "admin")]
    threads = [threading.Thread(target=client.post, args=urls) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lab.api("anonymous").model_info(repo).likes == 5


def test_a_deleted_repo_takes_its_likes_along(lab):
    repo = lab.repo()
    lab.http("stranger").post(f"/api/models/{repo}/like")
    lab.api("admin").delete_repo(repo)
    assert repo not in lab.api("stranger").list_liked_repos().models
    again = lab.api("admin").create_repo(repo).repo_id
    assert lab.api("anonymous").model_info(again).likes == 0
    assert repos.find(lab.live.hub, "model", *repo.split("/")).repo_id == repo
