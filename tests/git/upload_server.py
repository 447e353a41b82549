"""A tiny git server for tests: stock clients clone and fetch one bare repository through ``serve_upload_pack``."""

from __future__ import annotations

import gzip
import io
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from glasshub.git.advertise import advertise_upload_pack
from glasshub.git.read import open_repo
from glasshub.git.upload_pack import serve_upload_pack


def hidden(ref: str) -> bool:
    return ref.startswith("refs/hub/")


class Quiet(WSGIRequestHandler):
    """Does not write to the terminal."""

    def log(self, *_: Any) -> None:
        """Say nothing."""


def application(git_dir: Path) -> Callable[..., Iterable[bytes]]:
    """A WSGI application for one repository, whatever the path."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = re.search(r"version=([012])", environ.get("HTTP_GIT_PROTOCOL", ""))
        version = int(found[1]) if found else 0
        if environ["PATH_INFO"].endswith("/info/refs"):
            start_response("200 OK", [("Content-Type", "application/x-git-upload-pack-advertisement")])
            with open_repo(git_dir) as repo:
                return [advertise_upload_pack(repo, version=version, hidden=hidden)]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or -1))
        if environ.get("HTTP_CONTENT_ENCODING") == "gzip":
            body = gzip.decompress(body)
        start_response("200 OK", [("Content-Type", "application/x-git-upload-pack-result")])
        return _answer(git_dir, body, version)

    return app


def _answer(git_dir: Path, body: bytes, version: int) -> Iterator[bytes]:
    with open_repo(git_dir) as repo:
        yield from serve_upload_pack(repo, io.BytesIO(body), version=version, hidden=hidden)


@contextmanager
def serving(git_dir: Path) -> Iterator[str]:
    """The URL of a server for ``git_dir``."""
    server = make_server("127.0.0.1", 0, application(git_dir), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/repo.git"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
