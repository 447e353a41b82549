"""What webhooks are told, and what they are not: events become deliveries once, whatever is interrupted."""

from __future__ import annotations

import json
import threading
from functools import partial

import pytest
from huggingface_hub import WebhookPayload

from glasshub import accounts, desk, discussions, erasure, pulls, receive, repos, results
from glasshub.config import Settings
from glasshub.errors import AccountNotFound, Conflict, Forbidden, Invalid, NotFound, RepoNotFound
from glasshub.events import EventType, new_event
from glasshub.git.read import open_repo
from glasshub.git.refs import ZERO
from glasshub.hub import Hub, open_hub
from glasshub.identity import Role
from glasshub.notices import outbox, webhooks
from glasshub.notices import plugin as notices_plugin
from glasshub.notices.webhooks import Watched
from tests.index.town import result
from tests.notices.conftest import Browser, Place

pytestmark = pytest.mark.slow
SCORE = {".eval_results/own.yaml": result("ada/board", "one", 0.5)}


def payloads(town: Place, hook) -> list[dict]:
    return [json.loads(one.body) for one in town.outbox(hook)]


def deaf(town: Place) -> Hub:
    """The same hub in a process that dies between moving the refs and telling of it."""
    other = open_hub(town.hub.settings)
    other.plugins.unregister(notices_plugin)
    return other


def test_the_life_of_a_repo_is_told_in_order(town: Place):
    hook = town.hook("user ada")
    model = town.model("ada/m", card="# m")
    tip = town.push(model, {"a.txt": "a"})
    town.set_ref(model, "refs/tags/v1", tip)
    town.set_ref(model, "refs/tags/v1", ZERO)
    model = repos.configure(town.hub, town.actor(), model, private=True, pulls_enabled=False)
    repos.configure(town.hub, town.actor(), model, private=True)
    model = repos.move(town.hub, town.actor(), model, "lab", "n")
    assert town.told(hook) == [
        "repo create", "repo.content update", "repo.content update", "repo.content update", "repo.content update",
        "repo.config update", "repo move",
    ]  # fmt: skip
    told = payloads(town, hook)
    assert told[2]["updatedRefs"] == [{"ref": "refs/heads/main", "oldSha": told[1]["repo"]["headSha"], "newSha": tip}]
    assert [ref["newSha"] for ref in (told[3]["updatedRefs"] + told[4]["updatedRefs"])] == [tip, None]
    assert told[5]["updatedConfig"] == {"private": True, "pullsEnabled": False}
    assert told[6]["repo"]["name"] == "ada/m"
    assert told[6]["movedTo"] == {"name": "lab/n", "owner": {"id": "lab"}}
    assert told[0]["repo"] == {
        "type": "model", "name": "ada/m", "id": model.key, "private": False, "owner": {"id": "ada"},
        "url": {"web": "https://hub.example.org/ada/m", "api": "https://hub.example.org/api/models/ada/m"},
    }  # fmt: skip
    assert all(one["webhook"] == {"id": hook.id, "version": 3} for one in told)


def test_deleting_a_repo_is_told_and_takes_all_else_about_it_along(town: Place):
    hook = town.hook("org lab")
    model = town.model("lab/m", card="# m")
    town.discuss(model)
    assert len(town.outbox(hook)) == 3
    repos.delete(town.hub, town.actor(), model)
    assert town.told(hook) == ["repo delete"]
    outbox.after_change(town.hub, model.key)  # as somebody does whose push came last
    assert town.told(hook) == ["repo delete"]
    assert webhooks.get(town.hub, town.actor(), hook.id).watched == (Watched("org", "lab"),)


def test_a_conversation_is_told_as_it_stood_after_each_event(town: Place):
    model = town.model("lab/m", card="# m")
    hook = town.hook("model lab/m", domains=["discussion"])
    number = town.discuss(model, "First.", user="bob")
    comment = town.comment(model, number, "Second.", user="rita")
    town.decide(model, discussions.edit_comment, user="rita", number=number, comment_id=comment, body="Third.")
    town.decide(model, discussions.hide_comment, number=number, comment_id=comment, reason="rude")
    town.decide(model, discussions.retitle, user="bob", number=number, title="A better question")
    town.decide(model, discussions.set_status, number=number, status="closed", comment="Done.")
    assert town.told(hook) == [
        "discussion create", "discussion.comment create", "discussion.comment update", "discussion.comment update",
        "discussion update", "discussion.comment create", "discussion update",
    ]  # fmt: skip
    told = payloads(town, hook)
    opening = told[0]["comment"]
    assert (opening["content"], opening["author"], opening["hidden"]) == ("First.", {"id": "bob"}, False)
    assert opening["url"]["web"] == f"https://hub.example.org/lab/m/discussions/1#comment-{opening['id']}"
    assert [one["comment"].get("content") for one in told[1:4]] == ["Second.", "Third.", None]
    assert told[3]["comment"]["hidden"] is True
    assert [one["discussion"]["title"] for one in told[3:5]] == ["A question", "A better question"]
    assert [one["discussion"]["status"] for one in told[5:]] == ["open", "closed"]
    assert told[4]["discussion"]["url"]["api"] == "https://hub.example.org/api/models/lab/m/discussions/1"


def test_a_pull_request_is_told_with_its_refs(town: Place):
    model = town.model("lab/m", card="# m")
    hook = town.hook("model lab/m")
    number = town.propose(model, {"b.txt": "b"})
    town.decide(model, pulls.merge, number=number)
    assert town.told(hook) == ["discussion create", "repo.content update", "repo.content update", "discussion update"]
    told = payloads(town, hook)
    assert told[0]["discussion"]["isPullRequest"] is True
    assert told[0]["discussion"]["changes"] == {"base": "refs/heads/main"}
    assert told[1]["updatedRefs"][0]["ref"] == "refs/pr/1"
    assert told[1]["updatedRefs"][0]["oldSha"] is None
    merged = told[2]["updatedRefs"][0]
    assert merged["ref"] == "refs/heads/main"
    assert told[3]["discussion"]["changes"]["mergeCommitId"] == merged["newSha"] == told[3]["repo"]["headSha"]
    assert told[3]["discussion"]["status"] == "merged"


def test_a_hidden_result_is_told_without_what_it_says(town: Place):
    model = town.model("lab/m", result("ada/board", "one", 0.5))
    hook = town.hook("model lab/m")
    shown = town.results(model)[0]
    town.decide(model, results.hide_result, result_id=shown.id, reason="wrong prompt")
    assert town.told(hook) == ["repo.results update"]
    assert payloads(town, hook)[0]["updatedResults"] == [{"id": shown.id, "hidden": True}]


def test_the_stock_client_reads_every_payload(town: Place):
    hook = town.hook("org lab", "user ada")
    model = town.model("lab/m", card="# m")
    town.propose(model, SCORE)
    town.comment(model, 1, "Fine.")
    town.decide(model, pulls.merge, number=1)
    model = repos.configure(town.hub, town.actor(), model, private=True)
    model = repos.move(town.hub, town.actor(), model, "ada", "n")
    repos.delete(town.hub, town.actor(), town.dataset("ada/d"))
    told = payloads(town, hook)
    assert len(told) >= 9
    for payload in told:
        read = WebhookPayload.model_validate(payload)
        assert read.repo.name == payload["repo"]["name"]
        if payload["event"]["scope"].startswith("discussion"):
            assert read.discussion.num == 1


def test_names_and_texts_that_are_no_unicode_are_told_all_the_same(town: Place):
    model = town.model("lab/m", card="# m")
    hook = town.hook("model lab/m")
    with open_repo(town.hub.git_dir(model)) as git:
        git.refs[b"refs/heads/caf\xe9"] = git.refs[b"refs/heads/main"]
    odd = new_event(EventType.OPENED, 1, "bob", title="Half \ud83d", body="\udc80")
    receive.decide(town.hub, model, town.actor(), lambda _: desk.Move(events=(odd,)))
    assert town.told(hook) == ["repo.content update", "discussion create"]
    assert payloads(town, hook)[0]["updatedRefs"][0]["ref"].startswith("refs/heads/caf")
    assert Browser(town, "ada").get(f"/settings/webhooks/{hook.id}/deliveries/{town.outbox(hook)[1].id}")
    assert town.send() == 2


def test_domains_and_watched_things_are_kept_apart(town: Place):
    of_repos, of_talk = (town.hook("user ada", domains=[domain]) for domain in webhooks.DOMAINS)
    of_data = town.hook("dataset ada/d") if town.dataset("ada/d") else None
    model = town.model("ada/m", card="# m")
    town.discuss(model)
    assert town.told(of_repos) == ["repo create", "repo create", "repo.content update"]
    assert town.told(of_talk) == ["discussion create"]
    assert town.told(of_data) == []
    town.model("bob/m", card="# m")
    assert len(town.outbox(of_repos)) == 3


def test_what_happened_before_a_webhook_was_made_is_not_told(town: Place):
    model = town.model("lab/m", card="# m")
    town.discuss(model)
    hook = town.hook("org lab", "model lab/m")
    assert outbox.catch_up(town.hub) == 0
    town.discuss(model)
    assert town.told(hook) == ["discussion create"]
    webhooks.set_enabled(town.hub, town.actor(), hook.id, enabled=False)
    town.discuss(model)
    webhooks.set_enabled(town.hub, town.actor(), hook.id, enabled=True)
    assert outbox.catch_up(town.hub) == 0
    town.discuss(model)
    assert [json.loads(one.body)["discussion"]["num"] for one in town.outbox(hook)] == [2, 4]


def test_what_a_dead_process_did_not_tell_is_told_at_the_next_start_once(town: Place):
    model = town.model("lab/m", card="# m")
    hook = town.hook("org lab")
    dying = Place(deaf(town), town.clock + 1000)
    dying.push(model, {"b.txt": "b"})
    dying.discuss(model)
    repos.configure(dying.hub, dying.actor(), model, private=True)
    dying.model("lab/new", card="# new")
    gone = town.model("lab/gone")
    repos.delete(dying.hub, dying.actor(), gone)
    dying.hub.close()
    assert town.told(hook) == ["repo create"]
    assert outbox.catch_up(town.hub) == 6
    assert sorted(town.told(hook)) == [
        "discussion create", "repo create", "repo delete", "repo.config update", "repo.content update",
        "repo.content update",
    ]  # fmt: skip
    assert outbox.catch_up(town.hub) == 0


def test_a_failure_to_tell_fails_no_push_and_is_made_up_for_by_the_next(town: Place, caplog):
    model = town.model("lab/m")
    first = town.push(model, {"a.txt": "a"})
    hook = town.hook("model lab/m")
    with town.hub.registry.write() as db:
        db.exec_driver_sql("ALTER TABLE deliveries RENAME TO away")
    town.push(model, {"b.txt": "b"})
    assert "announced to webhooks later" in caplog.text
    with town.hub.registry.write() as db:
        db.exec_driver_sql("ALTER TABLE away RENAME TO deliveries")
    last = town.push(model, {"c.txt": "c"})
    (told,) = payloads(town, hook)
    assert (told["updatedRefs"][0]["oldSha"], told["updatedRefs"][0]["newSha"]) == (first, last)


def test_many_who_tell_at_once_tell_once(town: Place):
    model = town.model("lab/m", card="# m")
    hook = town.hook("model lab/m")
    dying = Place(deaf(town))
    numbers = [dying.discuss(model) for _ in range(5)]
    dying.hub.close()
    together = threading.Barrier(6)

    def tell() -> None:
        together.wait()
        outbox.after_change(town.hub, model.key)

    threads = [threading.Thread(target=tell) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [payload["discussion"]["num"] for payload in payloads(town, hook)] == numbers


def test_private_repos_are_told_to_readers_only_and_only_as_long_as_they_are(town: Place):
    model = town.model("lab/m", card="# m")
    hooks = {user: town.hook("org lab", user=user) for user in ("ada", "rita", "stranger")}
    model = repos.configure(town.hub, town.actor(), model, private=True)
    town.discuss(model)
    assert [len(town.outbox(hooks[user])) for user in hooks] == [2, 2, 0]
    accounts.set_member(town.hub, town.actor(), "lab", "rita", Role.NONE)
    town.discuss(model)
    assert [len(town.outbox(hooks[user])) for user in hooks] == [3, 2, 0]
    accounts.set_disabled(town.hub, "ada", True)
    receive.decide(town.hub, model, town.actor(), partial(discussions.comment, number=1, body="x"))
    assert len(town.outbox(hooks["ada"])) == 3


def test_the_log_hides_what_one_may_not_read_any_more(town: Place):
    town.model("lab/m", card="# m")
    hook = town.hook("model lab/m", user="rita")
    model = repos.configure(town.hub, town.actor(), repos.find(town.hub, "model", "lab", "m"), private=True)
    (one,) = town.outbox(hook)
    assert webhooks.delivery(town.hub, town.actor("rita"), hook.id, one.id).body
    accounts.set_member(town.hub, town.actor(), "lab", "rita", Role.NONE)
    assert webhooks.delivery(town.hub, town.actor("rita"), hook.id, one.id).body == ""
    assert webhooks.get(town.hub, town.actor("rita"), hook.id).watched == ()
    assert model.private


def test_erased_words_leave_the_log_and_receivers_are_told_to_delete_them(town: Place):
    accounts.add_user(town.hub, "boss", admin=True)
    model = town.model("lab/m", card="# m")
    hook, other = town.hook("model lab/m"), town.hook("model lab/m")
    number = town.discuss(model, "Fine.")
    comment = town.comment(model, number, "Jo lives in Main Street 1.", user="bob")
    town.comment(model, town.discuss(model, "Another."), "Kept.")
    webhooks.set_enabled(town.hub, town.actor(), other.id, enabled=False)
    erasure.erase_events(town.hub, town.actor("boss"), model, [comment], reason="personal data")
    for one in (hook, other):
        assert "Main Street" not in "".join(delivery.body for delivery in town.outbox(one))
    assert town.told(hook) == ["discussion create", "discussion.comment create", "discussion.comment delete"]
    last = payloads(town, hook)[-1]
    assert (last["comment"]["id"], last["comment"]["hidden"]) == (comment, True)
    assert "content" not in last["comment"]
    assert "Kept." in town.outbox(hook)[1].body
    WebhookPayload.model_validate(last)


def test_who_has_webhooks_and_how_many(town: Place):
    town.hub.close()
    hub = open_hub(Settings(data=town.hub.settings.data, webhooks_per_user=2))
    place = Place(hub)
    for _ in range(2):
        place.hook("user ada", url="https://example.org/")
    with pytest.raises(Conflict, match="most one user may have"):
        place.hook("user ada", url="https://example.org/")
    with pytest.raises(Forbidden, match="may not call"):
        place.hook("user ada", user="bob", url="http://127.0.0.1/")
    place.hook("user ada", user="bob", url="https://example.org/")
    assert len(webhooks.listing(hub, place.actor())) == 2
    mine = webhooks.listing(hub, place.actor())[0]
    for what in (webhooks.get, webhooks.delete, webhooks.deliveries):
        with pytest.raises(NotFound):
            what(hub, place.actor("bob"), mine.id)
    webhooks.delete(hub, place.actor(), mine.id)
    assert len(webhooks.listing(hub, place.actor())) == 1
    hub.close()


@pytest.mark.parametrize(
    ("watched", "options", "error"),
    [
        ([], {}, Invalid),
        (["space ada/x"], {}, Invalid),
        (["user nobody"], {}, AccountNotFound),
        (["model ada/none"], {}, RepoNotFound),
        (["model lab/secret"], {"user": "stranger"}, RepoNotFound),
        (["user ada"], {"domains": []}, Invalid),
        (["user ada"], {"domains": ["repo", "stars"]}, Invalid),
        (["user ada"], {"secret": "with space"}, Invalid),
        (["user ada"], {"secret": "line\r\nX-Evil: 1"}, Invalid),
        (["user ada"], {"secret": "x" * 201}, Invalid),
        (["user ada"], {"url": "nonsense"}, Invalid),
        (["user ada"] * 101, {}, Invalid),
    ],
)
def test_what_makes_no_sense_is_refused(town: Place, watched, options, error):
    town.model("lab/secret", card="# s", private=True)
    with pytest.raises(error):
        town.hook(*watched, **options)


def test_a_flood_disables_the_webhook_rather_than_filling_the_registry(town: Place, monkeypatch):
    monkeypatch.setattr(outbox, "MOST_WAITING", 3)
    model = town.model("lab/m", card="# m")
    hook = town.hook("model lab/m")
    for _ in range(5):
        town.discuss(model)
    now = webhooks.get(town.hub, town.actor(), hook.id)
    assert now.disabled
    assert "were waiting" in now.disabled_because
    assert {one.state for one in town.outbox(hook)} == {"dropped"}
    assert len(town.outbox(hook)) == 3
