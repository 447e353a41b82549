"""A browser without a window, and an application for it on loopback."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from playwright.sync_api import Browser, Playwright, expect
from werkzeug.serving import make_server

from tests.require import require

expect.set_options(timeout=20_000)  # machines may be busy
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
]


def launch(play: Playwright) -> Browser:
    """Chromium of the system."""
    return play.chromium.launch(executable_path=require("chromium"), args=ARGUMENTS)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The address of ``app``, served until the block ends."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
