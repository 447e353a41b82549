"""Webhooks of a live hub: stock clients, several processes, and processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from huggingface_hub import HfApi, WebhookWatchedItem
from huggingface_hub.errors import HfHubHTTPError

from glasshub import accounts
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.conftest import Live, free_port, start_server, stop_server
from tests.notices.conftest import FAST
from tests.notices.receiver import Receiver, receiving
from tests.push.gitclient import init

pytestmark = pytest.mark.slow


def test_the_stock_client_manages_webhooks(wired: Live):
    ada = wired.person("ada")
    api = HfApi(wired.url, token=ada.token)
    assert api.list_webhooks() == []
    watched = [{"type": "user", "name": ada.name}]
    made = api.create_webhook(url="https://example.org/hook", watched=watched, domains=["repo"], secret="s3cret")
    assert (made.url, made.domains, made.secret, made.disabled) == (
        "https://example.org/hook",
        ["repo"],
        "s3cret",
        False,
    )
    assert made.watched == [WebhookWatchedItem(type="user", name=ada.name)]
    assert api.get_webhook(made.id) == made
    assert api.list_webhooks() == [made]
    changed = api.update_webhook(made.id, url="https://example.org/other", domains=["repo", "discussion"])
    assert (changed.url, changed.watched, changed.secret) == ("https://example.org/other", made.watched, "s3cret")
    assert changed.domains == ["repo", "discussion"]
    assert api.disable_webhook(made.id).disabled
    assert api.get_webhook(made.id).disabled
    assert not api.enable_webhook(made.id).disabled
    api.delete_webhook(made.id)
    assert api.list_webhooks() == []


def test_webhooks_are_their_owners_alone(wired: Live):
    ada, bob = wired.person("ada"), wired.person("bob")
    api = HfApi(wired.url, token=ada.token)
    made = api.create_webhook(url="https://example.org/", watched=[{"type": "user", "name": ada.name}], secret="s3cret")
    reader, _ = accounts.create_token(wired.hub, ada.name, scope="read")
    assert HfApi(wired.url, token=reader).get_webhook(made.id).secret is None
    for status, token in ((404, bob.token), (403, reader), (401, False)):
        other = HfApi(wired.url, token=token)
        update = partial(other.update_webhook, url="https://evil.example.org/")
        for call in (update, other.disable_webhook, other.delete_webhook):
            with pytest.raises(HfHubHTTPError) as refused:
                call(made.id)
            assert refused.value.response.status_code == status
    for wrong in ({"url": "http://x"}, {"job_id": "j"}):
        with pytest.raises(HfHubHTTPError) as refused:
            api.create_webhook(**wrong, watched=[])
        assert refused.value.response.status_code == 400
    assert api.get_webhook(made.id).url == "https://example.org/"


def test_the_hf_command_lists_webhooks(wired: Live, tmp_path: Path):
    ada = wired.person("ada")
    environment = {**os.environ, "HF_ENDPOINT": wired.url, "HF_TOKEN": ada.token, "HF_HOME": str(tmp_path)}
    command = [str(Path(sys.executable).with_name("hf")), "webhooks"]
    options = ["create", "--url", "https://example.org/hook", "--watch", f"user:{ada.name}"]
    subprocess.run([*command, *options], env=environment, check=True, capture_output=True, timeout=60)
    listed = subprocess.run(
        [*command, "ls", "--format", "json"], env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    assert "https://example.org/hook" in listed.stdout


def test_a_push_with_stock_git_and_a_discussion_of_the_stock_client_are_delivered(
    wired: Live, receiver: Receiver, tmp_path: Path
):
    ada, bob = wired.person("ada"), wired.person("bob")
    api = HfApi(wired.url, token=ada.token)
    hook = api.create_webhook(url=receiver.url, watched=[{"type": "user", "name": ada.name}], secret="s3cret")
    tree = init(tmp_path / "m", wired.git_url(f"{ada.name}/m", ada))
    tip = tree.commit("Begin", **{"README.md": "# m"})
    tree.git("push", "-q", "origin", "main")
    receiver.wait(2)
    talk = HfApi(wired.url, token=bob.token)
    opened = talk.create_discussion(f"{ada.name}/m", "Which shots?", description="Please say.")
    talk.comment_discussion(f"{ada.name}/m", opened.num, "Anyone?")
    told = receiver.wait(4)
    assert [request.what for request in told] == [
        "repo create", "repo.content update", "discussion create", "discussion.comment create",
    ]  # fmt: skip
    assert told[1].payload["updatedRefs"] == [{"ref": "refs/heads/main", "oldSha": None, "newSha": tip}]
    assert told[2].payload["discussion"]["url"]["web"] == f"{wired.url}/{ada.name}/m/discussions/{opened.num}"
    assert {request.payload["webhook"]["id"] for request in told} == {hook.id}


def test_a_slow_receiver_slows_nobody_down(wired: Live, tmp_path: Path):
    ada = wired.person("ada")
    api = HfApi(wired.url, token=ada.token)
    with receiving() as slow, receiving() as quick:
        slow.answers[:] = [lambda _: time.sleep(0.9)]
        for receiver in (slow, quick):
            api.create_webhook(url=receiver.url, watched=[{"type": "user", "name": ada.name}])
        tree = init(tmp_path / "m", wired.git_url(f"{ada.name}/m", ada))
        tree.commit("Begin", **{"README.md": "# m"})
        began = time.monotonic()
        tree.git("push", "-q", "origin", "main")
        quick.wait(2)
        assert time.monotonic() - began < 3
        for number in range(3):
            api.create_discussion(f"{ada.name}/m", f"Number {number}")
        quick.wait(5)


def test_two_servers_of_two_processes_each_send_everything_once(tmp_path: Path, receiver: Receiver):
    data, ports = tmp_path / "data", [free_port(), free_port()]
    servers = [start_server(data, port, log=tmp_path / "log", env=FAST) for port in ports]
    hub = open_hub(Settings(data=data))
    try:
        live = Live(f"http://127.0.0.1:{ports[0]}", hub, servers[0])
        ada = live.person("ada")
        for watched in ("user", "model", "model", "model"):
            api = HfApi(live.url, token=ada.token)
            if watched == "model":
                api.create_repo(f"{ada.name}/m", exist_ok=True)
            name = ada.name if watched == "user" else f"{ada.name}/m"
            api.create_webhook(url=receiver.url, watched=[{"type": watched, "name": name}], domains=["discussion"])
        for number in range(8):
            port = ports[number % 2]
            HfApi(f"http://127.0.0.1:{port}", token=ada.token).create_discussion(f"{ada.name}/m", f"Number {number}")
        receiver.wait(32)
        time.sleep(1.5)
        once = [request.headers["x-glasshub-delivery"] for request in receiver.received]
        assert len(once) == len(set(once)) == 32
        by_hook: dict[str, list[int]] = {}
        for request in receiver.received:
            by_hook.setdefault(request.payload["webhook"]["id"], []).append(request.payload["discussion"]["num"])
        assert list(by_hook.values()) == [list(range(1, 9))] * 4
    finally:
        hub.close()
        for server in servers:
            stop_server(server)


def children(process: subprocess.Popen) -> list[int]:
    """The worker processes of a server."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def kill_all(process: subprocess.Popen) -> None:
    """``kill -9`` of a server and its workers."""
    for pid in [process.pid, *children(process)]:
        os.kill(pid, signal.SIGKILL)
    process.wait()


def test_killed_servers_and_workers_lose_no_delivery(tmp_path: Path):
    data, port, down = tmp_path / "data", free_port(), free_port()
    server = start_server(data, port, log=tmp_path / "log", env=FAST)
    hub = open_hub(Settings(data=data))
    live = Live(f"http://127.0.0.1:{port}", hub, server)
    ada = live.person("ada")
    api = HfApi(live.url, token=ada.token)
    api.create_repo(f"{ada.name}/m")
    hook = api.create_webhook(
        url=f"http://127.0.0.1:{down}/hook", watched=[{"type": "user", "name": ada.name}], domains=["discussion"]
    )
    for number in range(3):
        api.create_discussion(f"{ada.name}/m", f"Number {number}")
    kill_all(server)
    with receiving(down) as receiver:
        server = start_server(data, port, log=tmp_path / "log", env=FAST)
        try:
            told = receiver.wait(3, seconds=40)
            assert sorted(request.payload["discussion"]["num"] for request in told) == [1, 2, 3]

            # Now the process that is sending: the receiver holds it until it is dead.
            before = len(receiver.received)
            receiver.answers[:] = [lambda _: time.sleep(0.9), receiver.answers[-1]]
            api.create_discussion(f"{ada.name}/m", "Held")
            receiver.wait(before + 1)
            for pid in children(server):
                os.kill(pid, signal.SIGKILL)
            again = receiver.wait(before + 2, seconds=40)[before:]
            assert {request.payload["discussion"]["title"] for request in again} == {"Held"}
            assert len({request.headers["x-glasshub-delivery"] for request in again}) == 1
            assert api.get_webhook(hook.id).disabled is False
        finally:
            hub.close()
            stop_server(server)
