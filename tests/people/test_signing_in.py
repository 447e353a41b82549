"""The log-in page, sessions and their end, wrong passwords, and what is stored of secrets."""

from __future__ import annotations

import dataclasses
import stat
import time

import pytest

from glasshub import accounts
from glasshub.app import create_app
from glasshub.web.auth import COOKIE
from tests.push.gitclient import git, init

pytestmark = pytest.mark.slow


def test_signing_in_opens_a_session_whose_cookie_only_this_hub_sees(live, visit):
    ada, browser = live.person("ada"), visit(live)
    assert browser.get("/settings").headers["Location"] == "/login?next=/settings"
    answer = browser.sign_in(ada, next="/settings")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings")
    (cookie,) = [text for text in answer.headers.get_list("Set-Cookie") if text.startswith(f"{COOKIE}=")]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", "max-age=2592000"} <= flags
    assert not any(part.startswith("domain") for part in flags)
    assert all(browser.is_signed_in() for _ in range(8))  # whichever process answers
    assert ada.name in browser.get("/").text
    assert browser.get("/login").headers["Location"] == "/"


def test_wrong_names_and_wrong_passwords_look_the_same(live, visit):
    ada, browser = live.person("ada"), visit(live)
    wrong = browser.submit("/login", name=ada.name, password="not the password")
    unknown = browser.submit("/login", name=f"{ada.name}x", password=ada.password)
    for answer in (wrong, unknown):
        assert answer.status_code == 401
        assert "Wrong user name or password" in answer.text
        assert COOKIE not in answer.headers.get("Set-Cookie", "")
    assert f'value="{ada.name}"' in wrong.text  # need not be typed again
    assert "not the password" not in wrong.text
    assert not browser.is_signed_in()


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/%5Cevil.example", "javascript:1", "x"])
def test_one_never_ends_up_on_another_site(live, visit, target: str):
    assert visit(live).sign_in(live.person(), next=target).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ({"public_url": "https://hub.example"}, {}),
        ({"trusted_proxies": 1}, {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "hub.example"}),
    ],
    ids=["public_url", "proxy"],
)
def test_cookies_are_for_https_alone_where_people_use_https(hub, settings: dict, headers: dict[str, str]):
    accounts.add_user(hub, "ada", password="correct horse")
    served = create_app(dataclasses.replace(hub, settings=dataclasses.replace(hub.settings, **settings)))
    browser = served.test_client()
    request = {
        "base_url": "https://hub.example",
        "headers": {"Referer": "https://hub.example/login", **headers},
        "environ_overrides": {"wsgi.url_scheme": "http"},  # between proxy and hub
    }
    page = browser.get("/login", **request)
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    answer = browser.post("/login", data={"name": "ada", "password": "correct horse", "csrf_token": token}, **request)
    assert answer.status_code == 303
    cookies = [*page.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
    assert {cookie.split("=")[0] for cookie in cookies} == {COOKIE, "session"}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; ")), cookie


def test_signing_out_ends_the_session_on_the_hub_too(live, visit):
    browser = visit(live, live.person())
    kept = browser.session
    answer = browser.submit("/", "/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert not browser.is_signed_in()
    thief = visit(live)
    thief.session = kept
    assert not thief.is_signed_in()


def test_changing_the_password_signs_out_everywhere_else(live, visit):
    ada = live.person("ada")
    here, elsewhere = visit(live, ada), visit(live, ada)
    for values, told in (
        ({"current": "not it at all", "new": "a new password"}, "The current password is wrong"),
        ({"current": ada.password, "new": "short"}, "8 to 1,000 characters"),
    ):
        refused = here.submit("/settings", "/settings/password", **values)
        assert refused.status_code == 400
        assert told in refused.text
    assert elsewhere.is_signed_in()

    changed = here.submit("/settings", "/settings/password", current=ada.password, new="a new password")
    assert changed.status_code == 303
    assert here.is_signed_in()
    assert not elsewhere.is_signed_in()
    assert visit(live).sign_in(ada).status_code == 401
    assert visit(live).sign_in(ada, password="a new password").status_code == 303
    assert here.http.get("/api/whoami-v2", headers={"Authorization": f"Bearer {ada.token}"}).status_code == 200


def test_a_session_ends_by_itself(strict, visit):
    browser = visit(strict, strict.person())
    assert browser.is_signed_in()
    kept = browser.session
    time.sleep(2.1)
    browser.session = kept  # whatever the browser makes of its age
    assert not browser.is_signed_in()


def test_a_disabled_user_is_shut_out_of_pages_api_and_git_until_enabled(live, visit, tmp_path):
    eve = live.person("eve")
    browser = visit(live, eve)
    tree = init(tmp_path / "tree", live.git_url(f"{eve.name}/net", eve))
    tree.commit("One", **{"README.md": "one\n"})
    tree.git("push", "-q", "origin", "main")
    accounts.set_disabled(live.hub, eve.name, True)
    kept = browser.session
    assert not browser.is_signed_in()
    refused = visit(live).sign_in(eve)
    assert (refused.status_code, "Wrong user name or password" in refused.text) == (401, True)
    tree.commit("Two", **{"README.md": "two\n"})
    assert not tree.git("push", "origin", "main", check=False).ok
    by_password = live.url.replace("://", f"://{eve.name}:{eve.password}@") + f"/{eve.name}/net"
    assert not tree.git("push", by_password, "main", check=False).ok
    assert browser.get(f"/{eve.name}/net").status_code == 200  # what they own stays

    accounts.set_disabled(live.hub, eve.name, False)
    tree.git("push", "-q", "origin", "main")
    browser.session = kept
    assert not browser.is_signed_in()  # old sessions stay ended
    assert visit(live).sign_in(eve).status_code == 303


def test_who_guesses_passwords_has_to_wait_and_nobody_else_does(strict, visit, tmp_path):
    ada, bob = strict.person("ada"), strict.person("bob")
    guesser = visit(strict)
    repo = f"{strict.url}/{ada.name}/net".replace("://", f"://{ada.name}:{{}}@")
    answers = []
    for number in range(12):
        if number % 2:  # each time from elsewhere, if one believes it
            guesser.http.headers["X-Forwarded-For"] = f"192.0.2.{number}"
        answers.append(guesser.submit("/login", name=ada.name.upper(), password=f"guess number {number}"))
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert "Wait a minute" in answers[-1].text
    assert guesser.sign_in(ada).status_code == 429  # even with the right one
    assert not git("ls-remote", repo.format(ada.password), cwd=tmp_path, check=False).ok
    told = guesser.http.get("/api/whoami-v2", auth=(ada.name, ada.password))
    assert (told.status_code, told.headers["X-Error-Code"]) == (429, "TooManyRequests")
    assert guesser.http.get("/api/whoami-v2", auth=(ada.name, ada.token)).status_code == 200  # tokens are not guessed
    assert visit(strict).sign_in(bob).status_code == 303


def test_no_secret_lies_on_disk_in_the_clear(strict, visit):
    ada = strict.person("ada")
    browser = visit(strict, ada)
    secret, _ = accounts.create_token(strict.hub, ada.name)
    session = browser.session
    for token in (ada.token, secret):
        assert browser.http.get("/api/whoami-v2", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert browser.http.get("/api/whoami-v2", auth=(ada.name, ada.password)).status_code == 200
    data = strict.hub.settings.data
    everything = b"".join(path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file())
    assert b"$argon2id$" in everything
    for plain in (ada.password, ada.token, secret, session):
        assert plain.encode() not in everything
        assert plain.removeprefix("hf_").encode() not in everything

    ours = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir() if path.suffix != ".lock"}
    assert {"registry.sqlite", "registry.sqlite-wal", "index.sqlite", "secret_key", "repos"} <= set(ours)
    for name in ("server.log", "glasshub.toml"):  # not the hub's
        del ours[name]
    assert {name: oct(mode) for name, mode in ours.items() if mode & 0o007} == {}  # the folder itself is open here
