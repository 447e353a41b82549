"""The token settings page: made, shown once, used, limited, expired, revoked."""

from __future__ import annotations

import re

import pytest

from glasshub import accounts, repos
from glasshub.registry.tables import tokens as token_table
from tests.push.gitclient import WorkTree, git, init

pytestmark = pytest.mark.slow
PAGE = "/settings/tokens"
SECRET = re.compile(r"hf_[A-Za-z0-9]{34}")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def made(browser, **values: str) -> str:
    """Fill in the form for a new token; returns what the page shows of it."""
    answer = browser.submit(PAGE, name="laptop", **values)
    assert answer.status_code == 200, answer.text
    (secret,) = set(SECRET.findall(answer.text))
    return secret


@pytest.fixture
def ada(live):
    return live.person("ada")


@pytest.fixture
def tree(live, ada, tmp_path) -> WorkTree:
    """A private repo of ada's with one commit, pushed with her first token."""
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/secret", ada))
    repos.create(live.hub, accounts.actor_for(live.hub, ada.name), "model", ada.name, "secret", private=True)
    tree.commit("One", **{"README.md": "one\n"})
    tree.git("push", "-q", "origin", "main")
    return tree


def works_for_git(live, tree: WorkTree, path: str, token: str) -> tuple[bool, bool]:
    """Whether ``token`` may fetch from and push to ``path``."""
    url = live.url.replace("://", f"://anything:{token}@") + f"/{path}"
    tree.commit("Again")
    fetched = git("ls-remote", url, cwd=tree.path, check=False).ok
    return fetched, tree.git("push", url, f"HEAD:refs/heads/b-{tree.head()[:8]}", check=False).ok


def test_a_token_is_shown_once_and_reads_or_writes_as_it_says(live, visit, ada, tree):
    browser = visit(live, ada)
    assert browser.form(PAGE, PAGE).fields["scope"] == "read"  # the safer one, unless asked otherwise
    reads, writes = made(browser, scope="read"), made(browser, scope="write")
    shown = browser.get(PAGE).text
    assert not SECRET.search(shown)
    assert f"…{reads[-4:]}" in shown
    assert f"…{writes[-4:]}" in shown
    path = f"{ada.name}/secret"
    assert works_for_git(live, tree, path, reads) == (True, False)
    assert works_for_git(live, tree, path, writes) == (True, True)
    for token, may_write in ((reads, 403), (writes, 200)):
        assert browser.http.get(f"/api/models/{path}", headers=bearer(token), cookies=None).status_code == 200
        answer = browser.http.get(f"/api/models/{path}/auth-check/write", headers=bearer(token))
        assert answer.status_code == may_write


def test_a_revoked_token_is_void_at_once(live, visit, ada, tree):
    browser = visit(live, ada)
    secret = made(browser, scope="write")
    (info,) = [info for info in accounts.tokens(live.hub, ada.name) if info.hint == secret[-4:]]
    assert works_for_git(live, tree, f"{ada.name}/secret", secret) == (True, True)
    answer = browser.submit(PAGE, f"{PAGE}/{info.id}/revoke")
    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert f"…{secret[-4:]}" not in browser.get(PAGE).text
    assert works_for_git(live, tree, f"{ada.name}/secret", secret) == (False, False)
    refused = browser.http.get("/api/whoami-v2", headers=bearer(secret))
    assert refused.status_code == 401
    assert refused.json() == {"error": "Invalid credentials in Authorization header"}


def test_a_token_expires(live, visit, ada, tree):
    browser = visit(live, ada)
    secret = made(browser, scope="write", days="1")
    (info,) = [info for info in accounts.tokens(live.hub, ada.name) if info.hint == secret[-4:]]
    assert info.expires_at > info.created_at
    assert f'<time datetime="{info.expires_at}"' in browser.get(PAGE).text
    assert works_for_git(live, tree, f"{ada.name}/secret", secret) == (True, True)
    with live.hub.registry.write() as db:  # a day passes
        db.execute(token_table.update().where(token_table.c.id == info.id).values(expires_at=info.created_at))
    assert works_for_git(live, tree, f"{ada.name}/secret", secret) == (False, False)
    assert browser.http.get("/api/whoami-v2", headers=bearer(secret)).status_code == 401


def test_a_token_for_some_repos_is_good_for_those_alone(live, visit, ada, tree):
    owner = accounts.actor_for(live.hub, ada.name)
    for type, name in (("model", "other"), ("dataset", "data")):
        repos.create(live.hub, owner, type, ada.name, name, private=True)
    browser = visit(live, ada)
    secret = made(browser, scope="write", repos=f"{ada.name}/other\n datasets/{ada.name}/data")
    assert "2 repos only" in browser.get(PAGE).text
    for path in (f"{ada.name}/other", f"datasets/{ada.name}/data"):
        assert works_for_git(live, tree, path, secret) == (True, True)
    assert works_for_git(live, tree, f"{ada.name}/secret", secret) == (False, False)
    assert works_for_git(live, tree, f"{ada.name}/new-one", secret) == (False, False)
    listed = browser.http.get("/api/models", params={"author": ada.name}, headers=bearer(secret)).json()
    assert [repo["id"] for repo in listed] == [f"{ada.name}/other"]


def test_wrong_values_are_told_and_make_no_token(live, visit, ada):
    other = live.person("other")
    repos.create(live.hub, accounts.actor_for(live.hub, other.name), "model", other.name, "secret", private=True)
    browser, before = visit(live, ada), len(accounts.tokens(live.hub, ada.name))
    for values, told in (
        ({"name": "  "}, "Give the token a name"),
        ({"days": "0"}, "1 to 3650 days"),
        ({"days": "-5"}, "1 to 3650 days"),
        ({"days": "tomorrow"}, "whole number"),
        ({"repos": "nobody/nothing"}, "Repository Not Found: nobody/nothing"),
        ({"repos": f"{other.name}/SECRET"}, f"Repository Not Found: {other.name}/SECRET"),
        ({"repos": "rubbish"}, "Repository Not Found"),
    ):
        answer = browser.submit(PAGE, **{"name": "laptop", **values})
        assert answer.status_code == 400
        assert told in answer.text
        assert not SECRET.search(answer.text)
    assert len(accounts.tokens(live.hub, ada.name)) == before


def test_tokens_are_the_business_of_their_owner_with_a_password_alone(live, visit, ada):
    stranger = visit(live, live.person("eve"))
    (info,) = accounts.tokens(live.hub, ada.name)
    token = stranger.form(PAGE, PAGE).fields["csrf_token"]
    answer = stranger.http.post(f"{PAGE}/{info.id}/revoke", data={"csrf_token": token})
    assert answer.status_code == 404
    with_token = visit(live)
    with_token.http.headers.update(bearer(ada.token))
    assert with_token.get(PAGE).status_code == 403
    assert with_token.http.post(PAGE, data={"name": "more", "scope": "write"}).status_code == 403
    assert with_token.http.post(f"{PAGE}/{info.id}/revoke").status_code == 403
    assert with_token.http.post("/settings/password", data={"current": ada.password}).status_code == 403
    assert [kept.id for kept in accounts.tokens(live.hub, ada.name)] == [info.id]
    assert visit(live).get(PAGE).headers["Location"] == f"/login?next={PAGE}"
