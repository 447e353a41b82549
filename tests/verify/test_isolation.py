"""Runs in a network of their own: what they reach, what they do not, and what is said where that cannot be."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from glasshub.errors import GlasshubError, Invalid
from glasshub.runner import isolation
from glasshub.runner.processes import Guarded
from glasshub.runner.rooms import Door, Room, room_for
from glasshub.runner.settings import load
from glasshub.verify.keys import new_private_key

CURIOUS = """
import json, os, socket, subprocess, sys, urllib.request
def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except OSError as error:
        return f"no: {error}"
def reach(kind, address):
    try:
        with socket.socket(socket.AF_INET, kind) as one:
            one.settimeout(5)
            one.connect(address)
            return "reached"
    except OSError as error:
        return f"no: {error}"
print(json.dumps({
    "gets": {url: get(url) for url in sys.argv[3:]},
    "away": [reach(socket.SOCK_STREAM, ("192.0.2.1", 80)), reach(socket.SOCK_DGRAM, ("192.0.2.1", 53))],
    "secret": open(sys.argv[1]).read(),
    "undone": subprocess.run(["umount", sys.argv[1]], capture_output=True).returncode == 0,
    "runner": os.access(f"/proc/{sys.argv[2]}/root", os.R_OK),
    "home": os.listdir("."),
}))
"""
SERVER = "import http.server as s; s.HTTPServer(('127.0.0.1', 8000), s.SimpleHTTPRequestHandler).serve_forever()"


class _Word(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a word from outside")

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def ports():
    """Two servers on the loopback of this machine."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _Word) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield [server.server_port for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def said(folder: Path, room: Room, command: list[str]) -> str:
    inside = folder / "inside"
    inside.mkdir()
    try:
        process = Guarded(command, dict(os.environ), inside, folder / "said", room=room)
    except GlasshubError as error:
        pytest.skip(error.message)
    with process:
        deadline = time.monotonic() + 30
        while process.code is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return process.tail()


@pytest.mark.slow
def test_a_program_in_a_room_reaches_its_doors_and_nothing_else(tmp_path, ports):
    secret = tmp_path / "runner.pem"
    secret.write_text("the private key")
    hub, other = ports
    doors = (
        Door(ip="127.0.0.1", port=hub, leads_to="127.0.0.1"),
        Door(ip="127.0.0.2", port=hub, leads_to="127.0.0.1"),
        Door(ip="10.20.30.40", port=hub, leads_to="127.0.0.1"),
    )
    room = Room(doors=doors, names={"hub.test": "127.0.0.2"}, addresses=("10.20.30.40",), hidden=(str(secret),))
    urls = [f"http://{host}:{hub}/" for host in ("127.0.0.1", "hub.test", "10.20.30.40")]
    nowhere = [f"http://127.0.0.1:{other}/", f"http://localhost:{other}/", f"http://hub.test:{other}/"]
    told = said(tmp_path, room, [sys.executable, "-c", CURIOUS, str(secret), str(os.getpid()), *urls, *nowhere])
    found = json.loads(told)
    assert [found["gets"][url] for url in urls] == ["a word from outside"] * 3
    assert all(found["gets"][url].startswith("no:") for url in nowhere)
    assert all(word.startswith("no:") for word in found["away"])
    assert (found["secret"], found["undone"], found["runner"], found["home"]) == ("", False, False, [])
    assert secret.read_text() == "the private key"


@pytest.mark.slow
def test_what_listens_in_a_room_is_reached_by_the_runner_alone(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    try:
        process = Guarded([sys.executable, "-c", SERVER], dict(os.environ), inside, tmp_path / "said", room=Room())
    except GlasshubError as error:
        pytest.skip(error.message)
    with process:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                connection = process.dial(8000)
                break
            except OSError:
                time.sleep(0.1)
        with connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.0 200")


@pytest.mark.slow
def test_a_program_that_has_ended_is_reached_no_more(tmp_path):
    try:
        process = Guarded(["true"], dict(os.environ), tmp_path, tmp_path / "said", room=Room())
    except GlasshubError as error:
        pytest.skip(error.message)
    with process:
        while process.code is None:
            time.sleep(0.02)
        with pytest.raises(OSError, match=r"ended|pipe|reset"):
            process.dial(8000)


def test_a_room_has_a_door_for_each_address():
    room = room_for(["http://127.0.0.1:8000", "https://hub.test/x", "http://models.test:9/v1", "http://10.0.0.5/v1"])
    assert [(door.ip, door.port, door.leads_to) for door in room.doors] == [
        ("127.0.0.1", 8000, "127.0.0.1"), ("127.0.0.2", 443, "hub.test"), ("127.0.0.3", 9, "models.test"),
        ("10.0.0.5", 80, "10.0.0.5"),
    ]  # fmt: skip
    assert room.names == {"hub.test": "127.0.0.2", "models.test": "127.0.0.3"}
    assert room.addresses == ("10.0.0.5",)
    for address in ("http://[2001:db8::1]/", "nonsense", "http://hub.test:x/"):
        with pytest.raises(Invalid):
            room_for([address])


def test_a_network_that_cannot_be_had_is_told_or_refused(tmp_path):
    (tmp_path / "t").write_text("hf_x")
    (tmp_path / "k").write_bytes(new_private_key())
    (tmp_path / "k").chmod(0o600)
    text = (
        'hub = "http://[2001:db8::1]:8000"\nname = "n"\ntoken_file = "t"\nkey_file = "k"\nnetwork = "{network}"\n'
        '[engine]\nkind = "endpoint"\nname = "x"\nbase_url = "http://127.0.0.1:9/v1"\n'
    )

    def settings(network: str):
        (tmp_path / "r.toml").write_text(text.replace("{network}", network))
        return load(tmp_path / "r.toml")

    found, why_not = isolation.decided(settings("auto"))
    assert found.network == "proxies"
    assert "IPv6" in why_not
    with pytest.raises(Invalid, match="IPv6"):
        isolation.decided(settings("isolated"))
    assert isolation.decided(settings("proxies"))[0].network == "proxies"
