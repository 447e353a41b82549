"""Clients that fall silent or hang up in the middle: they take no thread away for long, and leave nothing behind."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from glasshub import accounts, large_files, repos
from glasshub.blobs.pointer import Pointer
from glasshub.config import Settings
from glasshub.git.pktline import DELIMITER, FLUSH, pkt
from glasshub.git.refs import ZERO
from glasshub.hub import open_hub
from tests.conftest import Live, free_port, start_server, stop_server
from tests.git import packs
from tests.push.gitclient import clone, init

pytestmark = pytest.mark.slow


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Live]:
    """A server that waits only for a second, with one worker of two threads."""
    data, port = tmp_path / "data", free_port()
    env = {"GLASSHUB_STALL_TIMEOUT": "1", "GLASSHUB_THREADS": "2"}
    process = start_server(data, port, log=tmp_path / "log", workers=1, env=env)
    hub = open_hub(Settings(data=data))
    yield Live(f"http://127.0.0.1:{port}", hub, process)
    hub.close()
    stop_server(process)


def _begin(live: Live, data: bytes) -> socket.socket:
    begun = socket.create_connection(("127.0.0.1", int(live.url.rpartition(":")[2])))
    begun.sendall(data)
    return begun


def _half_a_push(live: Live, path: str, login: str) -> bytes:
    """The beginning of a push whose pack never ends."""
    tip, sound = packs.sound_commit()
    many = [(packs.BLOB, b"%d" % number) for number in range(1000)]
    whole = packs.push_body([(ZERO, tip.hex(), "refs/heads/main")], packs.pack_of(*sound, *many))
    head = (
        f"POST /{path}/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: {len(whole)}\r\n"
        f"Content-Type: application/x-git-receive-pack-request\r\n"
        f"Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n\r\n"
    )
    return head.encode() + whole[: len(whole) // 2]


def _quarantines(live: Live) -> list[Path]:
    return list(live.hub.settings.repos_dir.glob("*/*/quarantine"))


def _within(seconds: float, condition: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_more_silent_clients_than_threads_do_not_stop_the_hub(hasty: Live, tmp_path: Path):
    ada = hasty.person("ada")
    form = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    silent = [
        _begin(hasty, _half_a_push(hasty, f"{ada.name}/net", f"{ada.name}:{ada.token}")),
        _begin(hasty, b"GET / HTTP/1.1\r\nHos"),
        _begin(hasty, form + b"Content-Length: 100000\r\n\r\nname="),
    ]
    assert _within(5, lambda: _quarantines(hasty))
    with urllib.request.urlopen(f"{hasty.url}/", timeout=30) as answer:
        assert answer.status == 200
    tree = init(tmp_path / "tree", hasty.git_url(f"{ada.name}/net", ada))
    tree.commit("One", **{"README.md": "one\n"})
    tree.git("push", "-q", "origin", "main")
    assert _within(10, lambda: not _quarantines(hasty))
    for begun in silent:
        begun.close()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_client_that_hangs_up_in_a_push_leaves_nothing(hasty: Live, tmp_path: Path):
    ada = hasty.person("ada")
    begun = _begin(hasty, _half_a_push(hasty, f"{ada.name}/net", f"{ada.name}:{ada.token}"))
    assert _within(5, lambda: _quarantines(hasty))
    begun.close()
    assert _within(5, lambda: not _quarantines(hasty))
    repo = repos.find(hasty.hub, "model", ada.name, "net")
    assert not list(hasty.hub.git_dir(repo).glob("objects/pack/*"))
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_client_that_stops_reading_a_clone_is_hung_up_on(hasty: Live, tmp_path: Path):
    ada = hasty.person("ada")
    tree = init(tmp_path / "tree", hasty.git_url(f"{ada.name}/net", ada))
    tree.write("weights.bin", os.urandom(16_000_000))
    tree.commit("Weights")
    tree.git("push", "-q", "origin", "main")
    body = pkt("command=fetch") + DELIMITER + pkt(f"want {tree.head()}") + pkt("done") + FLUSH
    head = f"POST /{ada.name}/net/git-upload-pack HTTP/1.1\r\nHost: x\r\nGit-Protocol: version=2\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    silent = [_begin(hasty, request) for _ in range(3)]
    copy = clone(hasty.git_url(f"{ada.name}/net"), tmp_path / "copy")
    assert copy.head() == tree.head()
    for begun in silent:
        begun.close()
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_silent_readers_of_large_files_do_not_stop_the_hub(hasty: Live):
    """The kernel sends such files by itself; waiting for whoever does not read must end all the same."""
    ada = hasty.person("ada")
    data = b"weights!" * 2_500_000
    pointer = Pointer(hashlib.sha256(data).hexdigest(), len(data))
    repo = repos.create(hasty.hub, accounts.actor_for(hasty.hub, ada.name), "model", ada.name, "m")
    large_files.receive(hasty.hub, repo, ada.name, pointer, io.BytesIO(data))
    body = {"operation": "download", "objects": [{"oid": pointer.sha256, "size": pointer.size}]}
    asked = urllib.request.Request(f"{hasty.url}/{ada.name}/m.git/info/lfs/objects/batch", json.dumps(body).encode())
    with urllib.request.urlopen(asked) as answer:
        address = json.load(answer)["objects"][0]["actions"]["download"]["href"]
    path = address.removeprefix(hasty.url)
    silent = [_begin(hasty, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) for _ in range(4)]
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.read() == data
    for connection in silent:
        connection.close()
