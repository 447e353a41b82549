"""Asking for access on the page, deciding on the page, and what both sides hear of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from glasshub import accounts, gates, repos
from glasshub.access import may_read_files
from glasshub.cli import cli
from glasshub.errors import (
    AccountNotFound,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RepoNotFound,
    Unauthenticated,
)
from glasshub.gate_form import MOST_FIELDS, MOST_VALUE, GateForm, answers, gate_form
from glasshub.hub import Hub
from glasshub.identity import ANONYMOUS, Actor, Repo, Role
from glasshub.notices import changes
from glasshub.notices.access_notices import mark_seen, notices
from glasshub.notices.changes import State
from glasshub.registry.tables import access_requests
from glasshub.registry.tables import accounts as account_table
from tests.gated.conftest import Vault

pytestmark = pytest.mark.slow

FORM = gate_form(
    {"extra_gated_fields": {"Why": "text", "Agree": "checkbox", "Use": {"type": "select", "options": ["a"]}}}
)
FILLED = {"field-0": "  To\n learn ", "field-1": "1", "field-2": "a"}


@pytest.fixture
def town(hub: Hub) -> Hub:
    for name in ("ada", "eve", "bob"):
        accounts.add_user(hub, name)
    return hub


@pytest.fixture
def repo(town: Hub) -> Repo:
    made = repos.create(town, actor(town, "ada"), "model", "ada", "vault")
    return repos.configure(town, actor(town, "ada"), made, gated="manual")


def actor(hub: Hub, name: str) -> Actor:
    return accounts.actor_for(hub, name)


def asks(hub: Hub, repo: Repo, name: str = "eve") -> gates.AccessRequest:
    return gates.ask(hub, actor(hub, name), repo, GateForm(), {}, terms="a" * 40)


def reads(hub: Hub, repo: Repo, name: str = "eve") -> bool:
    return gates.may_read_files(hub, actor(hub, name), repos.by_key(hub, repo.key))


def test_a_form_takes_what_the_card_asks_for_and_no_more():
    assert answers(FORM, {**FILLED, "field-9": "x"}) == {"Why": "To learn", "Agree": True, "Use": "a"}
    for name in FILLED:
        with pytest.raises(Invalid):
            answers(FORM, {**FILLED, name: " "})
    for bad in ({"field-2": "b"}, {"field-0": "x" * (MOST_VALUE + 1)}, {"field-0": "\x1b[31m"}):
        with pytest.raises(Invalid):
            answers(FORM, {**FILLED, **bad})


@pytest.mark.parametrize(
    "matter",
    [
        {}, {"extra_gated_fields": 3}, {"extra_gated_fields": ["a"]}, {"extra_gated_fields": {"a": None, "": "text"}},
        {"extra_gated_fields": {"a": {"type": []}, "b": {"type": "select"}, "c": "file"}},
        {"extra_gated_fields": {"d": {"type": "select", "options": 1}, "e": {"type": "select", "options": [None]}}},
        {"extra_gated_prompt": {"a": 1}, "extra_gated_heading": [1], "extra_gated_button_content": None},
    ],
)  # fmt: skip
def test_nonsense_in_a_card_asks_for_nothing(matter: dict):
    assert gate_form(matter) == GateForm()


def test_endless_forms_are_cut():
    form = gate_form({"extra_gated_prompt": "x" * 10**6, "extra_gated_fields": {str(n): "text" for n in range(999)}})
    assert len(form.prompt) == 30_000
    assert len(form.fields) == MOST_FIELDS
    assert form.version != gate_form({}).version


def test_who_asks_waits_and_is_let_in_or_not(town: Hub, repo: Repo):
    ada, eve = actor(town, "ada"), actor(town, "eve")
    made = asks(town, repo)
    assert (made.status, reads(town, repo)) == ("pending", False)
    with pytest.raises(Conflict, match="asked already"):
        asks(town, repo)
    assert [item.count for item in notices(town, ada).waiting] == [1]
    assert gates.handle(town, ada, repo, "accepted", id=made.id).status == "accepted"
    assert reads(town, repo)
    assert [item.request.status for item in notices(town, eve).decided] == ["accepted"]
    assert notices(town, ada).count == 0
    gates.handle(town, ada, repo, "rejected", user="EVE", reason=" No. ")
    assert not reads(town, repo)
    assert notices(town, eve).decided[0].request.reason == "No."
    mark_seen(town, eve, "another")
    assert notices(town, eve).count == 1
    mark_seen(town, eve)
    assert notices(town, eve).count == 0
    with pytest.raises(Forbidden, match="rejected"):
        asks(town, repo)
    with pytest.raises(NotFound):
        gates.withdraw(town, eve, repo)
    gates.handle(town, ada, repo, "pending", user="eve")
    gates.withdraw(town, eve, repo)
    assert gates.request_of(town, eve, repo) is None


@pytest.mark.parametrize("status", ["pending", "accepted", "rejected"])
def test_the_same_decision_twice_is_an_error(town: Hub, repo: Repo, status: gates.Status):
    ada = actor(town, "ada")
    asks(town, repo)
    if status != "pending":
        gates.handle(town, ada, repo, status, user="eve")
    with pytest.raises(NotFound, match="already"):
        gates.handle(town, ada, repo, status, user="eve")


def test_only_writers_decide_and_see_who_asked(town: Hub, repo: Repo):
    asks(town, repo)
    read_only = accounts.actor_from_token(town, accounts.create_token(town, "ada", scope="read")[0])[0]
    for who, error in ((ANONYMOUS, Unauthenticated), (actor(town, "eve"), Forbidden), (read_only, Forbidden)):
        with pytest.raises(error):
            gates.handle(town, who, repo, "accepted", user="eve")
        with pytest.raises(error):
            gates.grant(town, who, repo, "bob")
        with pytest.raises(error):
            gates.listing(town, who, repo, "pending")
    for who in (ANONYMOUS, accounts.actor_from_token(town, accounts.create_token(town, "bob", scope="read")[0])[0]):
        with pytest.raises((Unauthenticated, Forbidden)):
            gates.ask(town, who, repo, GateForm(), {}, terms="")
    assert not reads(town, repo, "bob")


def test_bad_decisions_are_told(town: Hub, repo: Repo):
    ada = actor(town, "ada")
    asks(town, repo)
    other = repos.configure(town, ada, repos.create(town, ada, "model", "ada", "other"), gated="auto")
    id = gates.listing(town, ada, repo, "pending")[0].id
    with pytest.raises(NotFound):
        gates.handle(town, ada, other, "accepted", id=id)
    with pytest.raises(NotFound):
        gates.handle(town, ada, repo, "accepted", user="bob")
    with pytest.raises(AccountNotFound):
        gates.handle(town, ada, repo, "accepted", user="nobody")
    with pytest.raises(AccountNotFound):
        gates.grant(town, ada, repo, "nobody")
    for reason, status in (("x" * 1001, "rejected"), ("Why not", "accepted")):
        with pytest.raises(Invalid):
            gates.handle(town, ada, repo, status, user="eve", reason=reason)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="already"):
        gates.grant(town, ada, repo, "ada")
    gates.grant(town, ada, repo, "bob")
    with pytest.raises(Invalid, match="already"):
        gates.grant(town, ada, repo, "bob")
    with pytest.raises(Conflict, match="access to ada/vault already"):
        asks(town, repo, "ada")


def test_state_follows_the_repo_and_the_gate(town: Hub, repo: Repo):
    ada = actor(town, "ada")
    asks(town, repo)
    gates.grant(town, ada, repo, "bob")
    moved = repos.move(town, ada, repo, "ada", "elsewhere")
    assert moved.gated == "manual"
    assert (reads(town, moved), reads(town, moved, "bob")) == (False, True)
    repos.configure(town, ada, moved, gated="auto")
    assert not reads(town, moved)  # who waits is not let in by a setting, but by agreeing
    assert asks(town, moved).status == "accepted"
    assert reads(town, moved)
    repos.configure(town, ada, moved, gated="manual")
    assert (reads(town, moved), reads(town, moved, "bob")) == (True, True)
    open_now = repos.configure(town, ada, moved, gated="")
    assert gates.may_read_files(town, ANONYMOUS, open_now)
    with pytest.raises(Invalid, match="not gated"):
        asks(town, open_now)
    for act in (lambda: gates.grant(town, ada, moved, "eve"), lambda: gates.listing(town, ada, moved, "pending")):
        with pytest.raises(Invalid, match="not gated"):
            act()
    again = repos.configure(town, ada, moved, gated="manual", private=True)
    assert not reads(town, again)  # it does not exist for them
    with pytest.raises(RepoNotFound):
        gates.require_files(town, actor(town, "eve"), again)
    repos.delete(town, ada, again)
    with town.registry.read() as db:
        assert db.execute(access_requests.select()).all() == []


def test_requests_go_with_the_account(town: Hub, repo: Repo):
    asks(town, repo)
    with town.registry.write() as db:
        db.execute(account_table.delete().where(account_table.c.lower == "eve"))
    assert gates.listing(town, actor(town, "ada"), repo, "pending") == []


def test_a_token_for_other_repos_opens_no_gate(town: Hub, repo: Repo):
    gates.grant(town, actor(town, "ada"), repo, "eve")
    eve = actor(town, "eve")
    for only, allowed in ((None, True), (frozenset({repo.key}), True), (frozenset({"f" * 24}), False)):
        assert gates.may_read_files(town, replace(eve, only_repos=only), repo) is allowed
    owner = replace(actor(town, "ada"), only_repos=frozenset())
    assert not may_read_files(owner, repo)


def test_the_form_on_the_page(vault: Vault):
    site, page = vault.site, "/lab/vault"
    shown = site.get(page, "stranger")
    assert "Only for &lt;b&gt;friends&lt;/b&gt;" in shown
    assert "Be <em>kind</em>." in shown
    assert "<script>alert" not in shown
    assert 'name="field-0"' in shown
    assert 'name="field-3"' not in shown
    assert "Sign in to ask for access" in site.get(page)
    assert "Let me in" not in site.get(page, "writer")
    client = site.client("stranger")
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)[1]
    version = re.search(r'name="version" value="([^"]+)"', shown)[1]
    form = {"csrf_token": token, "version": version, "field-0": "The <i>Lab</i>", "field-1": "1", "field-2": "Other"}
    without = {name: value for name, value in form.items() if name != "csrf_token"}
    assert client.post(f"{page}/ask-access", data=without).status_code == 403
    assert client.post(f"{page}/ask-access", data={**form, "version": "old"}).status_code == 409
    assert client.post(f"{page}/ask-access", data={**form, "field-1": ""}).status_code == 303
    assert "Tick &#39;I am kind&#39;" in client.get(page).text
    assert client.post(f"{page}/ask-access", data=form).status_code == 303
    assert "waits for a decision" in client.get(page).text
    _decide_on_the_page(vault)
    inbox = client.get("/notifications").text
    assert "Your request was rejected: lab/vault" in inbox
    assert "Not &lt;now&gt;" in inbox
    assert "Not &lt;now&gt;" in client.get(page).text
    id = re.search(r'name="request" value="([0-9a-f]{24})"', inbox)[1]
    client.post("/notifications/read", data={"csrf_token": token, "request": id})
    assert "Your request was rejected" not in client.get("/notifications").text


def _decide_on_the_page(vault: Vault) -> None:
    site, page = vault.site, "/lab/vault/access-requests"
    assert site.client("stranger").get(page).status_code == 403
    assert "2 people ask" in site.get("/notifications", "writer")
    assert "people ask" not in site.get("/notifications", "reader")
    assert "people ask" not in site.get("/notifications", "chief")  # hub admins need not hear of everything
    client = site.client("writer")
    listed = client.get(page).text
    assert "The &lt;i&gt;Lab&lt;/i&gt;" in listed
    token = re.search(r'name="csrf_token" value="([^"]+)"', listed)[1]
    block = listed[listed.index('href="/stranger"') :]
    form = {
        "request": re.search(r'name="request" value="([0-9a-f]{24})"', block)[1],
        "do": "rejected",
        "reason": "Not <now>",
    }
    assert client.post(page, data=form).status_code == 403
    assert client.post(page, data={**form, "csrf_token": token}).status_code == 303
    again = client.post(page, data={**form, "csrf_token": token})
    assert again.status_code == 400
    assert "rejected already" in again.text
    assert "Let in unasked" not in client.get(f"{page}?status=rejected").text


def test_webhooks_hear_of_the_gate(town: Hub, repo: Repo):
    before, now = State(replace(repo, gated="")), State(repo)
    for one, other, said in ((before, now, "manual"), (now, before, False)):
        (notice,) = changes.notices(one, other, [], "http://hub.example")
        assert notice.scope == "repo.config"
        assert notice.payload["updatedConfig"] == {"gated": said}
    stored = json.loads(before.to_json())
    del stored["repo"]["gated"]  # as it was told before there were gates
    assert State.from_json(json.dumps(stored)) == before


def test_the_command_gates_a_repo(town: Hub, repo: Repo):
    for mode, gated in (("off", ""), ("auto", "auto"), ("manual", "manual")):
        arguments = ["--data", str(town.settings.data), "repo", "gate", "model", "ada/vault", mode]
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        assert repos.by_key(town, repo.key).gated == gated


def test_members_with_any_role_read(town: Hub):
    accounts.add_org(town, "lab", admin="ada")
    made = repos.create(town, actor(town, "ada"), "dataset", "lab", "vault")
    made = repos.configure(town, actor(town, "ada"), made, gated="auto")
    assert not reads(town, made)
    for role in (Role.READ, Role.CONTRIBUTOR, Role.WRITE, Role.ADMIN):
        accounts.set_member(town, actor(town, "ada"), "lab", "eve", role)
        assert reads(town, made)
    accounts.set_member(town, actor(town, "ada"), "lab", "eve", Role.NONE)
    assert not reads(town, made)
    with pytest.raises(
        Exception, match=r"Access to dataset lab/vault is restricted and you are not in the authorized list"
    ):
        gates.require_files(town, actor(town, "eve"), made)
