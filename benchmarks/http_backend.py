"""Plain git over HTTP, the peer of the hub's pushes: ``git http-backend`` as a CGI program behind the same web server.

    python benchmarks/http_backend.py FOLDER PORT

Serves the bare repositories in the folder for reading and writing, to anybody, and checks nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from gunicorn.app.base import BaseApplication


class Backend(BaseApplication):  # type: ignore[misc]
    """gunicorn with the hub's options."""

    def __init__(self, folder: str, port: str) -> None:
        self._folder, self._port = folder, port
        super().__init__()

    def load_config(self) -> None:
        options = {"workers": 2, "worker_class": "gthread", "threads": 8, "keepalive": 5, "loglevel": "warning"}
        for key, value in {"bind": f"127.0.0.1:{self._port}", **options}.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        return self._answer

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        cgi = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self._folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "anybody",  # pushes are taken from users only
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": environ.get("HTTP_CONTENT_ENCODING", ""),
            **{name: environ.get(name, "") for name in ("REQUEST_METHOD", "QUERY_STRING", "CONTENT_TYPE", "PATH_INFO")},
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, check=True, env=cgi)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        start_response(status, [header for header in headers if header[0] != "Status"])
        return [rest]


def main() -> None:
    folder, port = sys.argv[1:]
    sys.argv[1:] = []
    Backend(folder, port).run()


if __name__ == "__main__":
    main()
