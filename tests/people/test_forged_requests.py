"""What another site makes a browser send is not what the person in front of it wanted."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from glasshub import accounts, repos
from tests.people.addresses import addresses
from tests.push.gitclient import init

pytestmark = pytest.mark.slow
WITHOUT_COOKIES = {
    "smart_http",
    "lfs",
    "cas",
    "oauth",
}  # git, git-lfs, Xet and `hf auth login`, which never use the cookie
API = ("/api/", "/uploads")


def unsafe(site) -> Iterator[tuple[str, str]]:
    """(method, path) of everything that may change something and looks at cookies, for a repo that is there."""
    for rule, path in addresses(site.app, "lab", "small"):
        if rule.endpoint.split(".")[0] in WITHOUT_COOKIES:
            continue
        for method in sorted(rule.methods - {"GET", "HEAD", "OPTIONS"}):
            yield method, path


def test_no_form_is_taken_without_the_token_of_this_browser(site):
    """Every address that is there, so that no new form is forgotten."""
    foreign = site.client("eve")
    stolen = foreign.get("/settings").text.split('name="csrf_token" value="')[1].split('"')[0]
    sent = 0
    for method, path in unsafe(site):
        if path.startswith(API):
            continue
        for data in ({}, {"csrf_token": "x"}, {"csrf_token": stolen}):
            form = {**data, "confirm": "lab/small", "to": "ada/taken", "user": "eve", "role": "admin", "name": "x"}
            answer = site.client("ada").open(path, method=method, data=form)
            assert answer.status_code == 403, f"{method} {path}"
            assert "was not made by this hub" in answer.text
            sent += 1
    assert sent >= 3 * 11
    assert repos.find(site.hub, "model", "lab", "small").repo_id == "lab/small"


def test_forms_work_in_every_namespace(site):
    """Also in one whose name begins like an address for programs."""
    accounts.add_user(site.hub, "uploads-api", password="correct horse")
    client = site.client("uploads-api")
    site.push("model", "uploads-api/net", {"README.md": "# Net\n"}, user="uploads-api")
    token = client.get("/settings").text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post("/uploads-api/net/settings", data={"csrf_token": token, "private": "1"})
    assert answer.status_code == 303
    assert repos.find(site.hub, "model", "uploads-api", "net").private


def test_the_api_takes_nothing_for_a_cookie_alone(site):
    asked = 0
    for method, path in unsafe(site):
        if path.startswith(API):
            with_cookie, without = (site.client(user).open(path, method=method, json={}) for user in ("ada", None))
            assert (with_cookie.status_code, with_cookie.text) == (without.status_code, without.text), path
            asked += 1
    assert asked >= 4
    private = "/api/models/lab/secret-model/paths-info/main"
    body = {"paths": ["README.md", ".eval_results/a.yaml"]}
    token, _ = accounts.create_token(site.hub, "ada")
    bearer = {"Authorization": f"Bearer {token}"}
    assert site.client("ada").post(private, json=body).status_code == 404
    assert site.client("ada").get("/api/models/lab/secret-model").status_code == 200  # reading with a cookie is safe
    answer = site.client().post(private, json=body, headers=bearer)
    assert (answer.status_code, [entry["path"] for entry in answer.json]) == (200, [".eval_results/a.yaml"])
    assert site.client("ada").post(private, json=body, headers=bearer).status_code == 200


def test_a_form_of_another_site_is_refused_on_the_wire(live, visit):
    ada = live.person("ada")
    victim = visit(live, ada)
    kept = victim.session
    form = {"full_name": "Pwned"}
    answer = victim.http.post("/settings", data=form, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert accounts.find(live.hub, ada.name).full_name == ""
    # nor may it sign the victim in as somebody else, or out
    eve = live.person("eve")
    assert visit(live).http.post("/login", data={"name": eve.name, "password": eve.password}).status_code == 403
    assert victim.http.post("/logout").status_code == 403
    victim.session = kept
    assert victim.is_signed_in()


def test_a_password_that_a_browser_remembered_does_not_write_for_another_site(live, visit, tmp_path):
    ada = live.person("ada")
    tree = init(tmp_path / "tree", live.git_url(f"{ada.name}/net", ada))
    tree.commit("One", **{"README.md": "one\n"})
    tree.git("push", "-q", "origin", "main")
    basic = "Basic " + base64.b64encode(f"{ada.name}:{ada.token}".encode()).decode()
    browser = visit(live)
    for path in (f"/{ada.name}/net/git-receive-pack", "/settings", f"/{ada.name}/net/settings/delete"):
        answer = browser.http.post(path, headers={"Authorization": basic, "Origin": "https://evil.example"})
        assert answer.status_code == 403, path
    assert browser.get(f"/{ada.name}/net").status_code == 200
