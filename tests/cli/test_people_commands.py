"""``user``, ``token`` and ``org``: what they print, and what it changes at once for the hub that is being served."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from glasshub import accounts, repos
from tests.cli.shell import Answer

pytestmark = pytest.mark.slow
TOKEN = re.compile(r"hf_[A-Za-z0-9]{34}\n")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def new_name(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(3)}"


def listed(shell, *words: str) -> dict[str, list[str]]:
    """The rows of a list by their first column."""
    return {row[0]: row for row in shell(*words).lines}


def test_a_user_added_while_the_hub_runs_can_sign_in_by_password(shell, http):
    ada = new_name("ada")
    answer = shell("user", "add", ada, "--full-name", "Ada L.", "--password-stdin", stdin="ünïque pass\nmore\n")
    assert (answer.code, answer.out, answer.err) == (0, "", f"Added user {ada}.\n")
    assert listed(shell, "user", "list")[ada] == [ada, "Ada L.", ""]
    answer = http.get("/api/whoami-v2", auth=(ada, "ünïque pass"))
    assert (answer.status_code, answer.json()["fullname"]) == (200, "Ada L.")
    assert http.get("/api/whoami-v2", auth=(ada, "more")).status_code == 401

    answer = shell("user", "password", ada, "--password-stdin", stdin="another pass\n")
    assert (answer.code, answer.out, answer.err) == (0, "", f"Changed the password of {ada}.\n")
    assert http.get("/api/whoami-v2", auth=(ada, "ünïque pass")).status_code == 401
    assert http.get("/api/whoami-v2", auth=(ada, "another pass")).status_code == 200


def test_token_add_prints_only_the_token_and_revoking_ends_it_at_once(shell, served, http):
    owner = served.person("owner").name
    reads = shell("token", "add", owner, "--scope", "read", "--days", "2", "--name", "on my desk")
    writes = shell("token", "add", owner)
    for answer in (reads, writes):
        assert TOKEN.fullmatch(answer.out)
        assert (answer.code, answer.err) == (0, "")
    repo = repos.create(served.hub, accounts.actor_for(served.hub, owner), "model", owner, "m")
    may_write = f"/api/models/{repo.repo_id}/auth-check/write"
    assert http.get(may_write, headers=bearer(writes.out.strip())).status_code == 200
    assert http.get(may_write, headers=bearer(reads.out.strip())).status_code == 403

    rows = {row[1]: row for row in shell("token", "list", owner).lines}
    token_id, _, scope, hint, made, expires = rows["on my desk"]
    assert (scope, hint) == ("read", reads.out.strip()[-4:])
    left = datetime.fromisoformat(expires) - datetime.fromisoformat(made)
    assert abs(left - timedelta(days=2)) < timedelta(minutes=1)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(made)) < timedelta(minutes=5)
    assert rows["command line"][2:4] == ["write", writes.out.strip()[-4:]]
    assert rows["command line"][5] == ""

    answer = shell("token", "revoke", owner, token_id)
    assert (answer.code, answer.out) == (0, "")
    assert http.get("/api/whoami-v2", headers=bearer(reads.out.strip())).status_code == 401
    assert http.get("/api/whoami-v2", headers=bearer(writes.out.strip())).status_code == 200


def test_what_change_says_is_true_at_once(shell, served, http):
    eve, boss, owner = (served.person(name) for name in ("eve", "boss", "owner"))
    own = accounts.actor_for(served.hub, owner.name)
    secret = repos.create(served.hub, own, "model", owner.name, "secret", private=True)
    session = {"Cookie": f"glasshub_session={accounts.start_session(served.hub, eve.name)}"}
    ways = ({"headers": bearer(eve.token)}, {"auth": (eve.name, eve.password)}, {"headers": session})

    def seen() -> list[int]:
        by_eve = [http.get("/api/whoami-v2", **way).status_code for way in ways]
        return [*by_eve, http.get(f"/api/models/{secret.repo_id}", headers=bearer(boss.token)).status_code]

    assert seen() == [200, 200, 200, 404]
    answers = [shell("user", "change", eve.name, "--disable"), shell("user", "change", boss.name, "--admin")]
    assert answers == [Answer(0, "", f"Changed user {who.name}.\n") for who in (eve, boss)]
    assert seen() == [401, 401, 401, 200]
    rows = listed(shell, "user", "list")
    assert [rows[who.name][2] for who in (eve, boss, owner)] == ["disabled", "admin", ""]
    assert shell.says("user", "change", eve.name, "--enable", "--full-name", "Eve E.") == ""
    assert shell.says("user", "change", boss.name, "--no-admin") == ""
    assert seen() == [200, 200, 401, 404]  # the old session stays ended
    assert http.get(f"/api/users/{eve.name}/overview").json()["fullname"] == "Eve E."


def test_roles_in_an_organisation_open_and_close_its_repos(shell, served, http):
    ada, bob, lab = served.person("ada"), served.person("bob"), new_name("lab")
    answer = shell("org", "add", lab, "--admin", ada.name, "--full-name", "The Lab")
    assert (answer.code, answer.out, answer.err) == (0, "", f"Added organisation {lab} with admin {ada.name}.\n")
    boss = accounts.actor_for(served.hub, ada.name)
    repo = repos.create(served.hub, boss, "model", lab, "m", private=True)
    path = f"/api/models/{repo.repo_id}"

    def bob_may() -> list[int]:
        return [http.get(path + more, headers=bearer(bob.token)).status_code for more in ("", "/auth-check/write")]

    assert bob_may() == [404, 404]
    for role, may in (("read", [200, 403]), ("write", [200, 200]), ("none", [404, 404])):
        answer = shell("org", "member", lab, bob.name, "--role", role)
        assert (answer.code, answer.out) == (0, "")
        assert bob_may() == may
    assert [row for row in shell("org", "list").lines if row[0] == lab] == [[lab, ada.name, "admin"]]
