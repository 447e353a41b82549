"""Lists by downloads, likes and trend: in order, page by page, the same for whoever may not see what is private."""

from __future__ import annotations

import pytest

from glasshub import accounts, popularity, repos
from glasshub.access import Visibility
from glasshub.identity import Repo
from glasshub.index import queries

pytestmark = pytest.mark.slow

PEOPLE = ("ada", "bob", "cem", "dan")


def liked(hub, repo: Repo, number: int) -> None:
    for name in PEOPLE[:number]:
        popularity.like(hub, accounts.actor_for(hub, name), repo)


@pytest.mark.slow
def test_the_api_sorts_and_pages(lab):
    made = [lab.repo() for _ in range(5)]
    for repo, likers in zip(made, (1, 3, 0, 2, 3), strict=True):
        for who in ("stranger", "reader", "writer")[:likers]:
            lab.http(who).post(f"/api/models/{repo}/like")
    secret = lab.repo(private=True)
    for who in ("admin", "reader", "writer"):
        lab.http(who).post(f"/api/models/{secret}/like")
    for sort in ("likes", "trendingScore", "trending_score"):
        whole = [model.id for model in lab.api("anonymous").list_models(author=lab.org, sort=sort, limit=100)]
        assert set(made) <= set(whole)
        assert secret not in whole
        counts = [model.likes for model in lab.api("anonymous").list_models(author=lab.org, sort=sort)]
        assert counts == sorted(counts, reverse=True)
        paged, address = [], f"/api/models?author={lab.org}&sort={sort}&limit=2"
        while address:
            answer = lab.http("anonymous").get(address)
            paged += [model["id"] for model in answer.json()]
            address = answer.links.get("next", {}).get("url")
        assert paged == whole
        assert secret in [model.id for model in lab.api("reader").list_models(author=lab.org, sort=sort)]
    info = lab.api("anonymous").model_info(made[1], expand=["trendingScore", "likes"])
    assert (info.likes, info.trending_score) == (3, 3 * 5 * 7)
    assert lab.http("anonymous").get("/models?sort=trending").status_code == 200


def test_every_order_is_paged_without_gaps(hub):
    for name in PEOPLE:
        accounts.add_user(hub, name)
    made = [repos.create(hub, accounts.actor_for(hub, "ada"), "model", "ada", f"m{n}") for n in range(6)]
    for repo, (likes, readers) in zip(made, ((0, 3), (2, 0), (2, 1), (4, 2), (0, 0), (1, 3)), strict=True):
        liked(hub, repo, likes)
        for reader in range(readers):
            hub.tally.note(repo.key, str(reader))
    popularity.flush(hub)
    db, see = hub.index.read(), Visibility()
    best = {
        sort: [row.name for row in queries.repos(db, see, sort=sort).items]
        for sort in ("likes", "downloads", "trending")
    }
    assert best["likes"][0] == "m3"
    assert set(best["downloads"][:2]) == {"m0", "m5"}
    assert best["trending"][0] == "m3"
    for sort, names in best.items():
        seen, cursor = [], None
        while True:
            page = queries.repos(db, see, sort=sort, limit=1, cursor=cursor)
            seen += [row.name for row in page.items]
            if (cursor := page.cursor) is None:
                break
        assert seen == names
