"""`hf auth login` as people run it: a process that shows a code, and a browser in which somebody approves it."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import sync_playwright
from sqlalchemy import select

from glasshub import accounts, device_flow
from glasshub.device_flow import Given, Refused
from glasshub.registry.tables import device_codes, refresh_tokens, tokens
from tests.conftest import free_port, is_free, start_server, stop_server
from tests.pages.browser import launch
from tests.push.gitclient import git

CLIENT = "26be6b09-91c5-47da-9861-d2d2bb7a7e36"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PAGE = "/oauth/device"


class Terminal:
    """A shell of somebody who has never logged in."""

    def __init__(self, live, home: Path) -> None:
        self.home = home
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HF_HOME": str(home / "hf"),
            "HF_ENDPOINT": live.url,
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "PYTHONUNBUFFERED": "1",
        }

    def start(self, *words: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "huggingface_hub.cli.hf", *words]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, env=self.env, text=True, **pipes)

    def run(self, *words: str) -> str:
        process = self.start(*words)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said

    @property
    def stored(self) -> dict[str, dict[str, str]]:
        """What the client keeps, by the name of the token."""
        found = configparser.ConfigParser(interpolation=None)
        found.read(self.home / "hf" / "stored_tokens")
        return {name: dict(found[name]) for name in found.sections()}


def shown(process: subprocess.Popen) -> tuple[str, str]:
    """The address and the code that the program tells its user."""
    text = ""
    for line in process.stdout:
        text += line
        found = re.search(r"(http://\S+\?code=\S+).*?code:?\s+([A-Z]{4}-[A-Z]{4})", text, re.S)
        if found:
            return found[1], found[2]
    raise AssertionError(text)


def ask(live, **form: str) -> httpx2.Response:
    return httpx2.post(f"{live.url}/oauth/token", data={"client_id": CLIENT, **form})


def begun(live) -> dict:
    return httpx2.post(f"{live.url}{PAGE}", data={"client_id": CLIENT}).json()


@pytest.mark.slow
def test_hf_auth_login_in_a_terminal_and_a_browser(live, visit, tmp_path):
    ada, terminal = live.person("ada"), Terminal(live, tmp_path)
    login = terminal.start("auth", "login")
    address, code = shown(login)
    with sync_playwright() as play:
        browser = launch(play)
        page = browser.new_page()
        page.goto(address)  # not signed in: the form to sign in comes first
        page.fill("#name", ada.name)
        page.fill("#password", ada.password)
        page.get_by_role("button", name="Sign in").click()
        assert code in page.inner_text("main")
        assert "whatever you may" in page.inner_text("main")
        assert "hf auth login with" in page.inner_text("main")  # what asks
        page.get_by_role("button", name="Approve").click()
        page.get_by_text("The login is approved").wait_for()
        browser.close()
    said, _ = login.communicate(timeout=30)
    assert login.returncode == 0, said
    assert ada.name in terminal.run("auth", "whoami")
    ((name, stored),) = terminal.stored.items()
    assert name.startswith("oauth-")
    shown_tokens = visit(live, ada).get("/settings/tokens").text
    assert name in shown_tokens
    assert f"…{stored['hf_token'][-4:]}" in shown_tokens
    # close to its end the client renews it by itself
    former = dict(stored)
    text = (tmp_path / "hf" / "stored_tokens").read_text()
    soon = re.sub(r"expires_at = \d+", f"expires_at = {int(time.time()) + 3600}", text)
    (tmp_path / "hf" / "stored_tokens").write_text(soon)
    assert ada.name in terminal.run("auth", "whoami")
    assert set(terminal.stored) == {name}
    renewed = terminal.stored[name]
    assert renewed["hf_token"] != former["hf_token"]
    assert renewed["refresh_token"] != former["refresh_token"]
    assert int(renewed["expires_at"]) > time.time() + 29 * 24 * 3600
    terminal.run("repos", "create", f"{ada.name}/made-after-login")  # scope write
    # revoking any of them ends the login with all its tokens
    oldest = [info for info in accounts.tokens(live.hub, ada.name) if info.name == name][-1]
    answer = visit(live, ada).submit("/settings/tokens", f"/settings/tokens/{oldest.id}/revoke")
    assert answer.status_code == 303
    for token in (former["hf_token"], renewed["hf_token"]):
        assert httpx2.get(f"{live.url}/api/whoami-v2", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    gone = ask(live, grant_type="refresh_token", refresh_token=renewed["refresh_token"])
    assert (gone.status_code, gone.json()["error"]) == (400, "invalid_grant")
    terminal.run("auth", "logout")
    assert terminal.stored == {}


@pytest.mark.slow
def test_a_denied_login_ends_the_program(live, visit, tmp_path):
    ada, terminal = live.person("ada"), Terminal(live, tmp_path)
    login = terminal.start("auth", "login")
    address, _ = shown(login)
    path = address.removeprefix(live.url)
    answer = visit(live, ada).submit(path, f"{PAGE}/decision", decision="deny")
    assert "The login is denied" in answer.text
    said, _ = login.communicate(timeout=30)
    assert login.returncode != 0
    assert "denied" in said


@pytest.mark.slow
def test_tokens_kept_by_git(live, tmp_path):
    """`--add-to-git-credential`: git asks its helper from then on, for any user name."""
    ada, terminal = live.person("ada"), Terminal(live, tmp_path)
    (tmp_path / ".gitconfig").write_text("[credential]\n\thelper = store\n")
    terminal.run("auth", "login", "--token", ada.token, "--add-to-git-credential")
    assert f"hf_user:{ada.token}@" in (tmp_path / ".git-credentials").read_text()
    terminal.run("repos", "create", f"{ada.name}/secret", "--private")
    run = {"env": terminal.env, "cwd": tmp_path, "capture_output": True, "text": True, "timeout": 60}
    assert subprocess.run(["git", "clone", "-q", f"{live.url}/{ada.name}/secret"], **run).returncode == 0
    push = "git -C secret -c user.name=a -c user.email=a commit -q --allow-empty -m x && git -C secret push -q"
    assert subprocess.run(["bash", "-ec", push], **run).returncode == 0
    terminal.run("auth", "logout")
    assert (tmp_path / ".git-credentials").read_text() == ""
    assert subprocess.run(["git", "ls-remote", f"{live.url}/{ada.name}/secret"], **run).returncode != 0
    # and with user:TOKEN@, for any user
    url = live.url.replace("://", f"://anybody:{ada.token}@") + f"/{ada.name}/secret"
    assert git("ls-remote", url, cwd=tmp_path).ok


@pytest.mark.slow
def test_what_a_program_is_told_while_it_waits(live, visit):
    ada, login = live.person("ada"), begun(live)
    assert login["verification_uri_complete"] == f"{live.url}{PAGE}?code={login['user_code']}"
    form = {"grant_type": GRANT, "device_code": login["device_code"]}
    answers = [ask(live, **form) for _ in range(2)]
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [
        (400, "authorization_pending"),
        (400, "slow_down"),
    ]
    assert ask(live, **{**form, "client_id": "another"}).json()["error"] == "invalid_grant"
    browser = visit(live, ada)
    typed = browser.submit(PAGE, f"{PAGE}/code", code=login["user_code"].lower().replace("-", " "))
    assert f"act as <strong>{ada.name}</strong>" in typed.text
    approval = {"code": login["user_code"], "decision": "approve"}
    assert browser.http.post(f"{PAGE}/decision", data=approval).status_code == 403  # without the form's token
    assert "approved" in browser.submit(f"{PAGE}?code={login['user_code']}", f"{PAGE}/decision", **approval).text
    given = ask(live, **form)
    assert given.headers["Cache-Control"] == "no-store"
    assert {"access_token", "refresh_token", "expires_in", "token_type"} <= set(given.json())
    assert ask(live, **form).json()["error"] == "invalid_grant"  # once
    assert ask(live, grant_type="password").json()["error"] == "unsupported_grant_type"
    assert httpx2.post(f"{live.url}{PAGE}").json()["error"] == "invalid_client"
    for method, path in (("GET", "/oauth/authorize"), ("POST", "/oauth/x/y"), ("GET", "/oauth/token")):
        answer = httpx2.request(method, f"{live.url}{path}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json"), path


@pytest.mark.slow
def test_a_token_cannot_approve_a_login(live):
    ada, login = live.person("ada"), begun(live)
    headers = {"Authorization": f"Bearer {ada.token}"}
    page = httpx2.get(f"{live.url}{PAGE}?code={login['user_code']}", headers=headers)
    sent = httpx2.post(
        f"{live.url}{PAGE}/decision", data={"code": login["user_code"], "decision": "approve"}, headers=headers
    )
    assert (page.status_code, sent.status_code) == (403, 403)
    anonymous = httpx2.get(f"{live.url}{PAGE}?code={login['user_code']}")
    assert anonymous.headers["Location"] == f"/login?next=/oauth/device%3Fcode%3D{login['user_code']}"


@pytest.mark.slow
def test_guessing_codes_is_slowed_down(strict, visit):
    login, browser = begun(strict), visit(strict, strict.person("eve"))
    guesses = [browser.submit(PAGE, f"{PAGE}/code", code=f"BBBB-BBB{letter}") for letter in "BCDFGHJKLM"]
    assert {guess.status_code for guess in guesses} == {404}
    right = browser.get(f"{PAGE}?code={login['user_code']}")
    assert right.status_code == 429
    assert "Too many wrong codes" in right.text


@pytest.mark.slow
def test_a_login_outlives_the_death_of_the_hub(tmp_path, visit):
    data, port = tmp_path / "data", free_port()
    process = start_server(data, port, log=tmp_path / "log")
    try:
        url = f"http://127.0.0.1:{port}"
        login = httpx2.post(f"{url}{PAGE}", data={"client_id": CLIENT}).json()
        process.kill()
        process.wait()
        while not is_free(port):  # its processes notice and end
            time.sleep(0.1)
        process = start_server(data, port, log=tmp_path / "log")
        form = {"grant_type": GRANT, "device_code": login["device_code"], "client_id": CLIENT}
        assert httpx2.post(f"{url}/oauth/token", data=form).json()["error"] == "authorization_pending"
    finally:
        stop_server(process)


def waiting(hub) -> device_flow.Started:
    return device_flow.start(hub, client="c", program="p\n<b>", address="::1")


def approved(hub, user: str) -> Given:
    started = waiting(hub)
    device_flow.decide(hub, user, started.user_code, approve=True)
    given = device_flow.redeem(hub, started.device_code, "c")
    assert isinstance(given, Given)
    return given


def set_everywhere(hub, table, **values: str) -> None:
    with hub.registry.write() as db:
        db.execute(table.update().values(**values))


def test_codes_and_tokens_are_stored_as_digests(hub):
    accounts.add_user(hub, "ada")
    given, started = approved(hub, "ada"), waiting(hub)
    with hub.registry.read() as db:
        rows = [row for table in (device_codes, refresh_tokens, tokens) for row in db.execute(select(table))]
    for secret in (given.access_token, given.refresh_token, started.device_code, started.user_code.replace("-", "")):
        assert secret not in str(rows)


def test_one_code_is_approved_and_redeemed_once_by_many_at_once(hub):
    accounts.add_user(hub, "ada")
    started, answers = waiting(hub), []
    device_flow.decide(hub, "ada", started.user_code, approve=True)
    ask = lambda: answers.append(device_flow.redeem(hub, started.device_code, "c"))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(answer, Given) for answer in answers) == 1
    assert len(accounts.tokens(hub, "ada")) == 1


def test_an_old_login_has_expired(hub):
    accounts.add_user(hub, "ada")
    started = waiting(hub)
    set_everywhere(hub, device_codes, expires_at="2020-01-01T00:00:00.000Z")
    with pytest.raises(device_flow.NotFound):
        device_flow.decide(hub, "ada", started.user_code, approve=True)
    answer = device_flow.redeem(hub, started.device_code, "c")
    assert isinstance(answer, Refused)
    assert answer.reason == "expired_token"
    waiting(hub)  # the next one sweeps
    assert device_flow.redeem(hub, started.device_code, "c").reason == "invalid_grant"


def test_what_renews_is_good_once_and_again_only_at_once(hub):
    accounts.add_user(hub, "ada")
    first = approved(hub, "ada")
    second = device_flow.refresh(hub, first.refresh_token, "c")
    again = device_flow.refresh(hub, first.refresh_token, "c")  # the first answer was lost on its way
    assert isinstance(second, Given)
    assert isinstance(again, Given)
    assert device_flow.refresh(hub, second.refresh_token, "other").reason == "invalid_grant"
    # much later somebody has a copy: everything ends
    set_everywhere(hub, refresh_tokens, used_at="2020-01-01T00:00:00.000Z")
    assert device_flow.refresh(hub, first.refresh_token, "c").reason == "invalid_grant"
    assert device_flow.refresh(hub, again.refresh_token, "c").reason == "invalid_grant"
    assert accounts.tokens(hub, "ada") == []


def test_an_expired_token_is_renewed_and_leaves_the_list(hub):
    accounts.add_user(hub, "ada")
    given = approved(hub, "ada")
    set_everywhere(hub, tokens, expires_at="2020-01-01T00:00:00.000Z")
    renewed = device_flow.refresh(hub, given.refresh_token, "c")
    assert isinstance(renewed, Given)
    (left,) = accounts.tokens(hub, "ada")
    assert left.hint == renewed.access_token[-4:]


def test_nobody_who_is_shut_out_gets_tokens(hub):
    accounts.add_user(hub, "ada")
    given, started = approved(hub, "ada"), waiting(hub)
    device_flow.decide(hub, "ada", started.user_code, approve=True)
    accounts.set_disabled(hub, "ada", True)
    assert device_flow.redeem(hub, started.device_code, "c").reason == "access_denied"
    assert device_flow.refresh(hub, given.refresh_token, "c").reason == "invalid_grant"
