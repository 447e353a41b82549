"""git's own server, ``git http-backend``, to compare ours with."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from tests.git.upload_server import Quiet
from tests.push.gitclient import ENVIRONMENT


def application(git_dir: Path) -> Callable[..., Iterable[bytes]]:
    """A WSGI application that hands every request to ``git http-backend``, as a CGI."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        service = environ["PATH_INFO"].partition("/repo.git")[2]
        variables = {
            "GIT_PROJECT_ROOT": str(git_dir.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{git_dir.name}{service}",
            "QUERY_STRING": environ["QUERY_STRING"],
            "REQUEST_METHOD": environ["REQUEST_METHOD"],
            "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
            "HTTP_CONTENT_ENCODING": environ.get("HTTP_CONTENT_ENCODING", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env={**os.environ, **ENVIRONMENT, **variables}, capture_output=True
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        start_response(headers.pop("Status", "200 OK"), list(headers.items()))
        return [answer]

    return app


@contextmanager
def serving(git_dir: Path) -> Iterator[str]:
    """The URL of git's server for ``git_dir``."""
    server = make_server("127.0.0.1", 0, application(git_dir), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/repo.git"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
