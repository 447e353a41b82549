"""The pages and the API of webhooks, the inbox and what one watches, as a browser and a program see them."""

from __future__ import annotations

import re

import pytest

from glasshub import accounts, repos
from glasshub.notices import inbox, webhooks
from tests.notices.conftest import Browser, Place
from tests.notices.receiver import Receiver

pytestmark = pytest.mark.slow


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_webhook_is_made_changed_disabled_and_deleted_on_its_page(town: Place):
    town.model("lab/m", card="# m")
    ada, page = Browser(town, "ada"), "/settings/webhooks"
    fields = {"url": "http://127.0.0.1:9/hook", "watched": "lab\nlab/m", "domain_repo": "1", "secret": "s3cret"}
    one = ada.post(page, page, **fields)
    html = ada.get(one)
    assert "s3cret" not in html
    assert "A secret is set" in html
    (hook,) = webhooks.listing(town.hub, town.actor())
    assert [(item.type, item.name) for item in hook.watched] == [("model", "lab/m"), ("org", "lab")]
    assert hook.domains == ("repo",)
    ada.post(one, one, **{**fields, "secret": "", "watched": "datasets/x\n", "domain_discussion": "1"}, status=400)
    ada.post(one, one, url="http://127.0.0.1:9/other", watched="lab/m", domain_discussion="1", secret="")
    (hook,) = webhooks.listing(town.hub, town.actor())
    assert (hook.url, hook.domains, hook.secret) == ("http://127.0.0.1:9/other", ("discussion",), "s3cret")
    ada.post(one, one, url=hook.url, watched="lab/m", domain_discussion="1", secret="", no_secret="1")
    assert webhooks.listing(town.hub, town.actor())[0].secret == ""
    ada.post(one, f"{one}/disable")
    assert "This webhook is disabled" in ada.get(one)
    ada.post(one, f"{one}/enable")
    assert "This webhook is disabled" not in ada.get(one)
    assert "http://127.0.0.1:9/other" in ada.get(page)
    ada.post(one, f"{one}/delete")
    assert "No webhooks yet" in ada.get(page)
    assert "public_url" not in ada.get(page)


def test_a_form_with_a_mistake_comes_back_with_what_was_typed(town: Place):
    ada, page = Browser(town, "ada"), "/settings/webhooks"
    html = ada.post(page, page, 400, url="nonsense", watched="lab", domain_repo="1")
    assert "not a valid address" in words(html)
    assert 'value="nonsense"' in html
    assert ">lab</textarea>" in html


def test_the_log_shows_request_and_answer_and_sends_again(town: Place, receiver: Receiver):
    model = town.model("lab/m", card="# m")
    hook = town.hook("model lab/m", url=receiver.url, secret="s3cret")
    town.discuss(model, "<script>alert(1)</script>")
    town.send()
    ada, page = Browser(town, "ada"), f"/settings/webhooks/{hook.id}"
    assert "discussion create" in words(ada.get(page))
    (one,) = town.outbox(hook)
    log = ada.get(f"{page}/deliveries/{one.id}")
    assert "X-Glasshub-Signature-256: sha256=" in log
    assert "s3cret" not in log
    assert "<script>alert" not in log
    assert "delivered" in words(log)
    assert "answered 200" in words(log)
    again = ada.post(f"{page}/deliveries/{one.id}", f"{page}/deliveries/{one.id}/redeliver")
    assert again != f"{page}/deliveries/{one.id}"
    town.send()
    assert len(receiver.received) == 2
    assert "delivered" in words(ada.get(again))


def test_long_logs_turn_pages(town: Place):
    model = town.model("lab/m", card="# m")
    hook = town.hook("model lab/m", domains=["discussion"])
    for _ in range(55):
        town.discuss(model)
    ada, page = Browser(town, "ada"), f"/settings/webhooks/{hook.id}"
    older = re.search(r'href="([^"]+\?before=\d+)"', ada.get(page))
    assert older
    assert ada.get(older[1]).count("/deliveries/") == 5


def test_settings_are_for_their_owner_in_a_browser(town: Place):
    hook = town.hook("user ada")
    page = f"/settings/webhooks/{hook.id}"
    for path in ("/settings/webhooks", page, f"{page}/deliveries/1", "/notifications", "/settings/watching"):
        assert "/login" in Browser(town).get(path, 302)
    Browser(town, "bob").get(page, 404)
    Browser(town, "bob").get(f"{page}/deliveries/1", 404)
    token, _ = accounts.create_token(town.hub, "ada", scope="write")
    client = town.app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get(page, headers=headers).status_code == 403
    assert Browser(town, "ada").client.post(f"{page}/delete").status_code == 403  # without the form's token
    assert webhooks.listing(town.hub, town.actor())


def test_the_inbox_counts_and_is_emptied(town: Place):
    model = town.model("lab/m", card="# m")
    ada = Browser(town, "ada")
    assert "unread" not in words(ada.get("/lab/m"))
    town.discuss(model, user="bob", title="Which <shots>?")
    town.discuss(model, user="bob", title="Another")
    assert "Inbox 2 unread" in words(ada.get("/lab/m"))
    html = ada.get("/notifications")
    assert "Which &lt;shots&gt;?" in html
    assert "bob opened it" in words(html)
    assert 'href="/lab/m/discussions/1#comment-' in html
    ada.post("/notifications", "/notifications/read", repo=model.key, number="1")
    assert "Inbox 1 unread" in words(ada.get("/"))
    assert "Which &lt;" not in ada.get("/notifications")
    assert "Which &lt;" in ada.get("/notifications?show=all")
    ada.post("/notifications", "/notifications/read")
    assert "Nothing unread" in ada.get("/notifications")
    assert "unread" not in words(ada.get("/")).lower()


def test_looking_at_a_discussion_reads_it(town: Place):
    model = town.model("lab/m", card="# m")
    number = town.discuss(model, "For @rita.", user="bob")
    ada, stranger = Browser(town, "ada"), Browser(town, "stranger")
    assert "Inbox 1 unread" in words(ada.get("/"))
    ada.client.head(f"/lab/m/discussions/{number}")
    assert inbox.unread(town.hub, town.actor()) == 1
    assert "unread" not in words(ada.get(f"/lab/m/discussions/{number}"))
    assert inbox.unread(town.hub, town.actor("rita")) == 1
    town.comment(model, number, "And?", user="bob")
    assert "Inbox 1 unread" in words(ada.get("/"))
    stranger.get(f"/lab/m/discussions/{number}")
    town.comment(model, number, "For @stranger.", user="bob")
    assert "Inbox 1 unread" in words(stranger.get("/"))


def test_watching_from_the_head_of_a_repo(town: Place):
    town.model("lab/m", card="# m")
    town.dataset("bob/d")
    stranger = Browser(town, "stranger")
    assert "Watch" in stranger.get("/lab/m")
    assert "menu-item" not in Browser(town).get("/lab/m")
    for path in ("/lab/m", "/datasets/bob/d"):
        assert stranger.post(path, f"{path}/watch", choice="watch") == path
    assert "Watching" in words(stranger.get("/datasets/bob/d"))
    listed = stranger.get("/settings/watching")
    assert "lab/m" in listed
    assert "bob/d" in listed
    page = "/settings/watching"
    assert stranger.post(page, "/lab/m/watch", choice="ignore", **{"from": "settings"}) == page
    assert "Ignored" in words(stranger.get("/lab/m"))
    stranger.post(page, "/lab/m/watch", choice="", **{"from": "settings"})
    assert ">lab/m</a>" not in stranger.get(page)
    Browser(town, "stranger").post(page, "/lab/m/watch", 400, choice="stare")


def api(town: Place, user: str, scope: str = "write", **options):
    token, _ = accounts.create_token(town.hub, user, scope=scope, **options)
    client = town.app.test_client()
    return client, {"Authorization": f"Bearer {token}"}


def test_the_api_lists_turns_pages_and_marks(town: Place):
    model = town.model("lab/m", card="# m")
    for number in range(5):
        town.discuss(model, user="bob", title=f"Number {number}")
    client, headers = api(town, "ada")
    address, found = "/api/notifications?limit=2", []
    while address:
        answer = client.get(address, headers=headers)
        found += answer.json
        link = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
        address = link[1].removeprefix("https://hub.example.org") if link else ""
    assert [thread["discussion"]["num"] for thread in found] == [5, 4, 3, 2, 1]
    assert found[0]["url"].startswith("https://hub.example.org/lab/m/discussions/5#comment-")
    assert found[0]["event"]["author"] == {"name": "bob"}
    assert {thread["reason"] for thread in found} == {"watching"}
    assert client.get("/api/notifications?cursor=x", headers=headers).status_code == 400
    read = "/api/notifications/read"
    one = {"type": "model", "name": "lab/m", "num": 3}
    nowhere = {"type": "model", "name": "lab/none", "num": 3}
    assert client.post(read, json={"threads": [one, nowhere]}, headers=headers).json == {"read": 1}
    unread = client.get("/api/notifications?unread=true", headers=headers).json
    assert [thread["discussion"]["num"] for thread in unread] == [5, 4, 2, 1]
    assert client.post(read, json={"all": True}, headers=headers).json == {"read": 4}
    for wrong in ({}, {"threads": "x"}, {"threads": [1]}, {"threads": [{"type": "space", "name": "a/b"}]}, {"all": 1}):
        assert client.post(read, json=wrong, headers=headers).status_code == 400
    assert client.get("/api/notifications").status_code == 401


def test_tokens_of_some_repos_see_and_change_no_more_than_that(town: Place):
    model, secret = town.model("lab/m", card="# m"), town.model("lab/s", card="# s", private=True)
    for repo in (model, secret):
        number = town.discuss(repo, user="ada")
        town.comment(repo, number, "Hm.", user="rita")
    client, headers = api(town, "ada", only_repos=[model.key])
    listed = client.get("/api/notifications", headers=headers).json
    assert [thread["repo"]["name"] for thread in listed] == ["lab/m"]
    made = {"url": "https://example.org/", "watched": [{"type": "org", "name": "lab"}]}
    assert client.post("/api/settings/webhooks", json=made, headers=headers).status_code == 403
    client, headers = api(town, "ada", scope="read")
    assert client.post("/api/settings/webhooks", json=made, headers=headers).status_code == 403
    assert client.post("/api/notifications/read", json={"all": True}, headers=headers).status_code == 403
    assert inbox.unread(town.hub, town.actor()) == 2


def test_redirects_keep_watch_forms_working_after_a_rename(town: Place):
    model = town.model("lab/m", card="# m")
    repos.move(town.hub, town.actor(), model, "lab", "n")
    bob = Browser(town, "bob")
    bob.post("/settings/webhooks", "/lab/m/watch", 307, choice="watch")
