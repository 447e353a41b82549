"""A tiny git server for tests: stock clients push into one bare repository through ``serve_receive_pack``.

It reads chunked bodies as a WSGI server would, and its door does no more than take the lock and move the refs.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from dulwich.repo import Repo as GitRepo

from glasshub.git.fsck import check_tip
from glasshub.git.lock import repo_lock
from glasshub.git.quarantine import Quarantine
from glasshub.git.receive_pack import CAPABILITIES, Limits, serve_receive_pack
from glasshub.git.refs import ATOMIC, RefResult, RefUpdate, apply_updates, recover
from tests.push.gitclient import git

LIMITS = Limits(wire=1 << 30, inflated=1 << 32, object=1 << 30, objects=1_000_000)


@dataclass
class Receiver:
    """The server and what tests may change about it."""

    git_dir: Path
    url: str = ""
    limits: Limits = LIMITS
    advertised: str = ""  # if set, the refs that the server claims to have (to make clients stale)
    before_apply: Callable[[], None] = lambda: None
    options: list[str] = field(default_factory=list)
    said: tuple[str, ...] = ()

    def refs(self) -> dict[str, str]:
        with GitRepo(str(self.git_dir)) as repo:
            return {r.decode(): oid.decode() for r, oid in repo.refs.as_dict().items() if r != b"HEAD"}

    def fsck(self) -> None:
        """Stock git finds nothing wrong."""
        git("-C", str(self.git_dir), "fsck", "--strict", "--full", cwd=self.git_dir)

    def apply(
        self, incoming: Quarantine, updates: list[RefUpdate], atomic: bool, options: list[str], tell: Any
    ) -> list[RefResult]:
        self.options = options
        self.before_apply()
        for line in self.said:
            tell(line)
        with repo_lock(self.git_dir, timeout=10):
            recover(self.git_dir)
            tips = [check_tip(incoming, update) for update in updates]
            if atomic and any(tips):
                return [RefResult(u, tip or ATOMIC) for u, tip in zip(updates, tips, strict=True)]
            good = [u for u, tip in zip(updates, tips, strict=True) if not tip]
            incoming.migrate()
            with GitRepo(str(self.git_dir)) as repo:
                done = iter(apply_updates(repo, good, atomic=atomic))
        return [RefResult(u, tip) if tip else next(done) for u, tip in zip(updates, tips, strict=True)]

    def advertisement(self) -> bytes:
        refs = self.advertised or "".join(f"{oid} {ref}\n" for ref, oid in sorted(self.refs().items()))
        lines = refs.splitlines() or [f"{'0' * 40} capabilities^{{}}"]
        first, *rest = [line.encode() for line in lines]
        packets = [first + b"\0" + " ".join(CAPABILITIES).encode(), *rest]
        head = b"001f# service=git-receive-pack\n0000"
        return head + b"".join(b"%04x%s\n" % (len(p) + 5, p) for p in packets) + b"0000"

    def receive(self, stream: Any) -> Iterator[bytes]:
        with GitRepo(str(self.git_dir)) as repo:
            yield from serve_receive_pack(
                repo, stream, limits=self.limits, apply=self.apply, hidden=lambda ref: ref.startswith("refs/hub/")
            )


class _Chunked:
    """A chunked request body as a stream that ends with the last chunk."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, 0

    def read(self, count: int) -> bytes:
        if self._left == 0:
            self._left = int(self._file.readline(), 16)
            if self._left == 0:
                self._file.readline()
                self._left = -1
        if self._left < 0:
            return b""
        data = self._file.read(min(count, self._left))
        self._left -= len(data)
        if self._left == 0:
            self._file.readline()
        return data


class _Sized:
    def __init__(self, file: Any, size: int) -> None:
        self._file, self._left = file, size

    def read(self, count: int) -> bytes:
        data = self._file.read(min(count, self._left))
        self._left -= len(data)
        return data


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = receiver.advertisement()
            self._head("advertisement")
            self.wfile.write(body)

        def do_POST(self) -> None:
            chunked = self.headers.get("Transfer-Encoding") == "chunked"
            body = _Chunked(self.rfile) if chunked else _Sized(self.rfile, int(self.headers["Content-Length"]))
            answer = receiver.receive(body)
            first = next(answer, b"")
            self._head("result")
            self.wfile.write(first)
            for piece in answer:
                self.wfile.write(piece)
                self.wfile.flush()

        def _head(self, kind: str) -> None:
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", f"application/x-git-receive-pack-{kind}")
            self.send_header("Connection", "close")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serve(git_dir: Path) -> Iterator[Receiver]:
    """A receiver for a new bare repository at ``git_dir``."""
    git("init", "-q", "--bare", "-b", "main", str(git_dir), cwd=git_dir.parent)
    receiver = Receiver(git_dir)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/r"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def objects(git_dir: Path) -> set[str]:
    """Ids of all objects in a repository, reachable or not."""
    command = ["git", "-C", str(git_dir), "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
