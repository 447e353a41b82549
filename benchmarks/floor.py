"""What no answer can be faster than: the same bytes out of memory, by Flask on the same web server.

    python benchmarks/floor.py FOLDER WORKERS THREADS PORT

Answers ``/N`` with the file ``N`` of the folder, read once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flask import Flask, Response
from gunicorn.app.base import BaseApplication


class Floor(BaseApplication):  # type: ignore[misc]
    """gunicorn with the hub's options."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self._folder, self._options = folder, options
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        app = Flask(__name__)
        bodies = {path.name: path.read_bytes() for path in self._folder.iterdir()}
        app.add_url_rule("/<name>", "body", lambda name: Response(bodies[name]))
        return app


def main() -> None:
    folder, workers, threads, port = sys.argv[1:]
    options = {
        "bind": f"127.0.0.1:{port}",
        "workers": int(workers),
        "worker_class": "gthread",
        "threads": int(threads),
        "keepalive": 5,
        "loglevel": "warning",
    }
    sys.argv[1:] = []
    Floor(Path(folder), options).run()


if __name__ == "__main__":
    main()
