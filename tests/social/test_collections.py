"""Collections by the stock client: their whole life, who may do what, and what is hidden from whom."""

from __future__ import annotations

import threading

import pytest
from huggingface_hub import Collection
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

from glasshub import accounts
from tests.api.lab import status

pytestmark = pytest.mark.slow


def refused(call, *args, **options) -> int:
    with pytest.raises(HfHubHTTPError) as error:
        call(*args, **options)
    return status(error.value)[0]


def names(collection: Collection) -> list[str]:
    return [item.item_id for item in collection.items]


def test_the_whole_life_of_a_collection(lab):
    api, me = lab.api("stranger"), lab.name("stranger")
    model, data = lab.repo(), lab.repo(type="dataset")
    made = api.create_collection("ICCV 2023: Größe!", description="Papers I showed")
    assert made.slug.startswith(f"{me}/iccv-2023-groe-")
    assert (made.title, made.private, made.upvotes, made.items) == ("ICCV 2023: Größe!", False, 0, [])
    assert made.owner["name"] == me
    assert api.create_collection("iccv 2023: größe!", exists_ok=True).slug == made.slug
    assert refused(api.create_collection, "ICCV 2023: Größe!") == 409
    api.add_collection_item(made.slug, model, "model", note="First")
    api.add_collection_item(made.slug, data, "dataset")
    other = api.create_collection("Other", private=True)
    found = api.add_collection_item(made.slug, other.slug, "collection")
    assert [(it.item_type, it.item_id, it.note, it.position) for it in found.items] == [
        ("model", model, "First", 0),
        ("dataset", data, None, 1),
        ("collection", other.slug, None, 2),
    ]
    assert names(lab.api("anonymous").get_collection(made.slug)) == [model, data]  # the other one is private
    assert refused(api.add_collection_item, made.slug, data, "dataset") == 409
    assert len(api.add_collection_item(made.slug, data, "dataset", exists_ok=True).items) == 3
    assert refused(api.add_collection_item, made.slug, made.slug, "collection") == 400
    assert refused(api.add_collection_item, made.slug, "nobody/nothing", "model") == 404
    with pytest.raises(BadRequestError, match="this hub has no papers"):
        api.add_collection_item(made.slug, "2311.12983", "paper")
    api.update_collection_item(made.slug, found.items[1].item_object_id, note="Second", position=0)
    again = api.get_collection(made.slug)
    assert [(it.item_id, it.note) for it in again.items][:2] == [(data, "Second"), (model, "First")]
    api.delete_collection_item(made.slug, again.items[0].item_object_id)
    assert refused(api.delete_collection_item, made.slug, again.items[0].item_object_id) == 404
    api.delete_collection_item(made.slug, again.items[0].item_object_id, missing_ok=True)
    changed = api.update_collection_metadata(made.slug, title="New name", description="", theme="pink", private=True)
    assert (changed.title, changed.theme, changed.private, changed.description) == ("New name", "pink", True, None)
    assert changed.slug == f"{me}/new-name-{made.slug[-24:]}"
    assert api.get_collection(made.slug).slug == changed.slug  # the old one still leads there
    api.delete_collection(changed.slug)
    assert refused(api.get_collection, changed.slug) == 404
    api.delete_collection(changed.slug, missing_ok=True)


def test_lists_are_filtered_sorted_and_paged(lab):
    api, me = lab.api("author"), lab.name("author")
    repos = [lab.repo() for _ in range(6)]
    made = [api.create_collection(f"List {n}", private=n == 4) for n in range(5)]
    for repo in repos:
        api.add_collection_item(made[2].slug, repo, "model")
    for who, upvoted in (("author", (0, 2)), ("stranger", (0,)), ("reader", (0, 4))):
        for number in upvoted:
            lab.http(who).post(f"/api/collections/{made[number].slug}/upvote")
    anybody = lab.api("anonymous")
    shown = list(anybody.list_collections(owner=me))
    assert [it.slug for it in shown] == [made[n].slug for n in (2, 3, 1, 0)]
    assert names(shown[0]) == repos[:4]  # the first four, as on the Hub
    assert [it.position for it in shown] == [0, 1, 2, 3]
    assert [it.upvotes for it in anybody.list_collections(owner=me, sort="upvotes")] == [3, 1, 0, 0]
    assert [it.upvotes for it in anybody.list_collections(owner=[me], sort="trending", limit=2)] == [3, 1]
    assert [it.slug for it in anybody.list_collections(item=f"models/{repos[0]}")] == [made[2].slug]
    assert list(anybody.list_collections(item="papers/2311.12983")) == []
    assert len(list(api.list_collections(owner=me))) == 5
    for sort in ("lastModified", "upvotes", "trending", "position"):
        paged, address = [], f"/api/collections?owner={me}&limit=1&sort={sort}"
        while address:
            answer = lab.http("anonymous").get(address)
            paged += [it["slug"] for it in answer.json()]
            assert "position" not in answer.json()[0]
            address = answer.links.get("next", {}).get("url")
        whole = [it["slug"] for it in lab.http("anonymous").get(f"/api/collections?owner={me}&sort={sort}").json()]
        assert paged == whole
    api.update_collection_metadata(made[4].slug, position=0)
    mine = lab.http("author").get(f"/api/collections?owner={me}&sort=position").json()
    assert mine[0]["slug"] == made[4].slug
    lab.http("stranger").delete(f"/api/collections/{made[0].slug}/upvote")
    assert anybody.get_collection(made[0].slug).upvotes == 2


def test_who_may_keep_collections_of_an_organisation(lab):
    slug = lab.api("writer").create_collection("Ours", namespace=lab.org).slug
    secret = lab.api("admin").create_collection("Secret", namespace=lab.org, private=True).slug
    repo = lab.repo()
    expected = {"anonymous": (401, 404), "stranger": (403, 404), "reader": (403, 403)}
    for who, codes in expected.items():
        for collection, code in zip((slug, secret), codes, strict=True):
            calls = [
                lab.http(who).patch(f"/api/collections/{collection}", json={"title": "Mine"}),
                lab.http(who).delete(f"/api/collections/{collection}"),
                lab.http(who).post(
                    f"/api/collections/{collection}/items", json={"item": {"type": "model", "id": repo}}
                ),
            ]
            assert [answer.status_code for answer in calls] == [code] * 3, (who, collection)
    assert refused(lab.api("stranger").create_collection, "No", namespace=lab.org) == 403
    assert lab.api("reader").get_collection(secret).title == "Secret"
    reads, _ = accounts.create_token(lab.live.hub, lab.name("writer"), scope="read")
    assert refused(lab.api("writer").create_collection, "No", namespace=lab.org, token=reads) == 403
    assert [it.slug for it in lab.api("anonymous").list_collections(owner=lab.org)] == [slug]


def test_hidden_items_and_their_places_do_not_exist_for_others(lab):
    api = lab.api("admin")
    public, private, third = lab.repo(), lab.repo(private=True), lab.repo()
    slug = api.create_collection("Mixed", namespace=lab.org).slug
    for repo in (private, public, third):
        api.add_collection_item(slug, repo, "model")
    seen = lab.api("anonymous").get_collection(slug)
    assert [(it.item_id, it.position) for it in seen.items] == [(public, 0), (third, 1)]
    assert private not in lab.http("anonymous").get(f"/api/collections?owner={lab.org}").text
    assert list(lab.api("anonymous").list_collections(item=f"models/{private}")) == []
    assert [it.slug for it in lab.api("reader").list_collections(item=f"models/{private}")] == [slug]
    api.update_repo_settings(private, private=False)
    assert len(lab.api("anonymous").get_collection(slug).items) == 3
    api.delete_repo(private)
    assert names(lab.api("anonymous").get_collection(slug)) == [public, third]


def test_limits_and_wrong_input(lab):
    api = lab.api("reader")
    slug = api.create_collection("Limits").slug
    assert refused(api.create_collection, " \n ") == 400
    assert refused(api.create_collection, "x" * 61) == 400
    assert refused(api.update_collection_metadata, slug, description="x" * 151) == 400
    assert refused(api.update_collection_metadata, slug, theme="black") == 400
    assert refused(api.add_collection_item, slug, lab.repo(), "model", note="x" * 501) == 400
    assert refused(api.create_collection, "No", namespace="nobody-here") == 403
    http = lab.http("reader")
    for body in ({}, {"item": "x"}, {"item": {"type": "model"}}, {"item": {"type": 1, "id": "x"}}, []):
        assert http.post(f"/api/collections/{slug}/items", json=body).status_code == 400
    assert http.patch(f"/api/collections/{slug}", json={"position": "1"}).status_code == 400
    assert http.get("/api/collections?sort=x").status_code == 400
    assert http.get("/api/collections?cursor=x").status_code == 400
    assert http.get("/api/collections/nobody/nothing").status_code == 404


def test_additions_at_once_all_arrive(lab):
    api = lab.api("writer")
    slug, repos = api.create_collection("Busy").slug, [lab.repo() for _ in range(6)]
    threads = [threading.Thread(target=api.add_collection_item, args=(slug, repo, "model")) for repo in repos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = api.get_collection(slug)
    assert sorted(names(found)) == sorted(repos)
    assert [it.position for it in found.items] == list(range(6))
