"""Organisations: what each role may do, on pages, in the API and with git, from the moment it is given."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import httpx2
import pytest

from glasshub import accounts, repos
from glasshub.identity import Role
from tests.conftest import Live, Person
from tests.people.visitor import Visitor
from tests.push.gitclient import WorkTree, init

pytestmark = pytest.mark.slow
STRANGER, READ, CONTRIBUTOR, WRITE, ADMIN = "stranger", "read", "contributor", "write", "admin"


@dataclass
class Lab:
    """An organisation with a member of each role and somebody who is none."""

    live: Live
    name: str
    people: dict[str, Person]

    @property
    def settings(self) -> str:
        return f"/organizations/{self.name}/settings"

    def status(self, who: str, path: str) -> int:
        token = self.people[who].token
        return httpx2.get(f"{self.live.url}{path}", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture(scope="module")
def lab(live) -> Lab:
    """Its admin has given everybody their roles on the page that is there for it."""
    people = {role: live.person(role) for role in (STRANGER, READ, CONTRIBUTOR, WRITE, ADMIN)}
    made = Lab(live, f"lab-{secrets.token_hex(3)}", people)
    accounts.add_org(live.hub, made.name, admin=people[ADMIN].name, full_name="The Lab")
    boss = Visitor(live.url)
    boss.sign_in(people[ADMIN])
    for role in (READ, CONTRIBUTOR, WRITE):
        answer = boss.submit(made.settings, f"{made.settings}/members", user=people[role].name, role=role)
        assert (answer.status_code, answer.headers["Location"]) == (303, made.settings)
    boss.close()
    return made


def work(lab: Lab, who: str, path: str, folder) -> WorkTree:
    tree = init(folder, lab.live.git_url(path, lab.people[who]))
    tree.commit(f"By {who}", **{"README.md": f"{who}\n"})
    return tree


@pytest.mark.parametrize(
    ("who", "page", "push_own", "push_others", "settings"),
    [
        (STRANGER, 404, False, False, 403),
        (READ, 200, False, False, 403),
        (CONTRIBUTOR, 200, True, False, 403),
        (WRITE, 200, True, True, 403),
        (ADMIN, 200, True, True, 200),
    ],
)
def test_what_a_role_may(lab, visit, tmp_path, who, page, push_own, push_others, settings):
    private = f"{lab.name}/private-{who}"
    boss = accounts.actor_for(lab.live.hub, lab.people[ADMIN].name)
    repos.create(lab.live.hub, boss, "model", *private.split("/"), private=True)
    assert lab.status(who, f"/{private}") == page
    assert lab.status(who, f"/api/models/{private}") == page
    assert work(lab, who, private, tmp_path / "a").git("push", "origin", "main", check=False).ok is push_others

    browser, own = visit(lab.live, lab.people[who]), f"datasets/{lab.name}/by-{who}"
    assert browser.get(lab.settings).status_code == settings
    assert f'value="{lab.name}"' in browser.get("/new").text or not push_own
    first = work(lab, who, own, tmp_path / "b").git("push", "origin", "main", check=False)
    assert first.ok is push_own  # the push would make the repo
    assert lab.status(who, f"/{own}") == (200 if push_own else 404)
    if push_own:
        assert browser.get(f"/{own}/settings").status_code == settings


def test_a_form_makes_a_private_repo_for_the_organisation(lab, visit):
    browser = visit(lab.live, lab.people[CONTRIBUTOR])
    answer = browser.submit("/new", type="dataset", namespace=lab.name, name="drafts", private="1")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/datasets/{lab.name}/drafts")
    assert [lab.status(who, f"/datasets/{lab.name}/drafts") for who in (STRANGER, READ)] == [404, 200]
    again = browser.submit("/new", type="dataset", namespace=lab.name, name="DRAFTS")
    assert (again.status_code, "already exists" in again.text) == (400, True)
    reader = visit(lab.live, lab.people[READ])
    refused = reader.http.post("/new", data={**reader.form("/new", "/new").fields, "namespace": lab.name, "name": "x"})
    assert (refused.status_code, "You may not create repos" in refused.text) == (400, True)


@pytest.mark.parametrize("who", [STRANGER, READ, CONTRIBUTOR, WRITE])
def test_nobody_but_an_admin_changes_members(lab, visit, who):
    browser = visit(lab.live, lab.people[who])
    form = {"csrf_token": browser.form("/settings", "/settings").fields["csrf_token"]}
    answer = browser.http.post(f"{lab.settings}/members", data={**form, "user": lab.people[who].name, "role": "admin"})
    assert answer.status_code == 403
    held = {member.user: member.role for member in accounts.members(lab.live.hub, lab.name)}
    assert held.get(lab.people[who].name, Role.NONE).label == (who if who != STRANGER else "none")


def test_members_come_change_and_go_and_the_last_admin_stays(lab, visit, tmp_path):
    guest, boss = lab.live.person("guest"), visit(lab.live, lab.people[ADMIN])
    private, action = f"{lab.name}/for-guests", f"{lab.settings}/members"
    owner = accounts.actor_for(lab.live.hub, lab.people[ADMIN].name)
    repos.create(lab.live.hub, owner, "model", *private.split("/"), private=True)
    tree = init(tmp_path / "tree", lab.live.git_url(private, guest))
    tree.commit("One", **{"README.md": "one\n"})

    def push() -> bool:
        return tree.git("push", "origin", "main", check=False).ok

    assert not push()
    boss.submit(lab.settings, action, user=guest.name.upper(), role="write")
    assert guest.name in boss.get(f"/{lab.name}").text
    assert push()
    boss.submit(lab.settings, action, user=guest.name, role="none")
    tree.commit("Two")
    assert not push()
    assert guest.name not in boss.get(f"/{lab.name}").text

    for user, role, told in (
        ("nobody-at-all", "read", "There is no user or organisation called nobody-at-all"),
        (lab.name, "read", "is an organisation; name a user"),
        (lab.people[READ].name, "emperor", "Choose a role"),
        (lab.people[ADMIN].name, "none", "needs at least one admin"),
        (lab.people[ADMIN].name, "write", "needs at least one admin"),
    ):
        answer = boss.submit(lab.settings, action, user=user, role=role)
        assert (answer.status_code, told in answer.text) == (400, True), told
    held = {member.user: member.role.label for member in accounts.members(lab.live.hub, lab.name)}
    assert held[lab.people[ADMIN].name] == "admin"

    boss.submit(lab.settings, action, user=guest.name, role="admin")
    heir = visit(lab.live, guest)
    gone = heir.submit(lab.settings, action, user=lab.people[ADMIN].name, role="none")
    assert gone.status_code == 303
    assert boss.get(lab.settings).status_code == 403
    heir.submit(lab.settings, action, user=lab.people[ADMIN].name, role="admin")
