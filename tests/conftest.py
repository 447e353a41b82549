"""Fixtures that all areas share: a hub on disk, and a live hub served by gunicorn."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from glasshub import accounts, credentials
from glasshub.config import Settings
from glasshub.hub import Hub, open_hub

# Stock clients remember what they sent to an address, and ports come round again: each run has a home of its own.
_HOME = tempfile.TemporaryDirectory(prefix="glasshub-clients-")
os.environ["HF_HOME"] = _HOME.name

# Tests start hundreds of processes: none of them is to compile everything anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Passwords that tests give are cheap to hash and to check: a hash names its own cost. Commands and servers keep theirs.
credentials._HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)


class _Templates(BytecodeCache):
    """Compiled templates, for all apps of this process: tests make hundreds of apps, hubs make one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._known.get(bucket.key, ("", None))
        bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._known[bucket.key] = (bucket.checksum, bucket.code)


Flask.jinja_options = {"bytecode_cache": _Templates()}

# The same of routes: what builds an address is compiled from the text of its rule and its defaults.
_builders: dict[tuple[str, str, bool], Callable[..., tuple[str, str]]] = {}
_compile_builder = Rule._compile_builder


def _known_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    key = (rule.rule, repr(rule.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


Rule._compile_builder = _known_builder
REQUIRE_ALL = os.environ.get("GLASSHUB_REQUIRE") == "all"


@pytest.hookimpl(optionalhook=True)  # without xdist nobody asks
def pytest_xdist_auto_num_workers() -> int:
    """Half as many processes again as there are cores: tests wait a lot, for disks, servers and clocks."""
    return (os.cpu_count() or 1) * 3 // 2


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Under GLASSHUB_REQUIRE=all a skipped test is a failed one."""
    outcome = yield
    report = outcome.get_result()
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"GLASSHUB_REQUIRE=all, but this test was skipped: {report.longrepr}"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A fresh hub in a temporary folder, without a server."""
    opened = open_hub(Settings(data=tmp_path / "data"))
    yield opened
    opened.close()


@dataclass
class Person:
    """A user of the live hub with a write token."""

    name: str
    token: str
    password: str


@dataclass
class Live:
    """A hub that gunicorn serves, and the same hub opened by the test (another process, as the CLI would)."""

    url: str
    hub: Hub
    process: subprocess.Popen
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, prefix: str = "user", **options) -> Person:
        """A new user with a unique name."""
        name = f"{prefix}-{secrets.token_hex(4)}"
        password = secrets.token_urlsafe(12)
        accounts.add_user(self.hub, name, password=password, **options)
        token, _ = accounts.create_token(self.hub, name, scope="write")
        return Person(name, token, password)

    def git_url(self, path: str, person: Person | None = None) -> str:
        """The clone URL of ``path`` (``ns/name`` or ``datasets/ns/name``) with the person's token inside."""
        if person is None:
            return f"{self.url}/{path}"
        return self.url.replace("://", f"://{person.name}:{person.token}@") + f"/{path}"


def free_port() -> int:
    """A TCP port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of loopback (the processes of a killed server take a moment to end)."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def start_server(
    data: Path, port: int, *, log: Path, env: dict[str, str] | None = None, workers: int = 2
) -> subprocess.Popen:
    """Start ``glasshub serve`` as an admin would and wait until it answers."""
    command = [sys.executable, "-m", "glasshub", "--data", str(data), "serve", "--port", str(port)]
    command += ["--workers", str(workers)]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended: {log.read_text()}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"the server did not start: {log.read_text()}")


def stop_server(process: subprocess.Popen) -> None:
    """Stop a server by its process id, kindly first."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One live hub for the whole session; tests keep apart by using their own users."""
    folder = tmp_path_factory.mktemp("live")
    data, port = folder / "data", free_port()
    process = start_server(data, port, log=folder / "server.log")
    hub = open_hub(Settings(data=data))
    yield Live(f"http://127.0.0.1:{port}", hub, process)
    hub.close()
    stop_server(process)
