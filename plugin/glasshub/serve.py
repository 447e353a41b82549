"""Running the hub: heal first, then gunicorn with a few processes of a few threads each."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sqlite3
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from glasshub import completion, indexing, memory, popularity, repos, runs
from glasshub.app import create_app
from glasshub.audits.loop import AuditLoop
from glasshub.background import Loop
from glasshub.config import Settings
from glasshub.errors import Conflict, GlasshubError
from glasshub.hub import Hub, open_hub
from glasshub.notices import outbox
from glasshub.notices.loop import DeliveryLoop
from glasshub.popularity import CountLoop

_log = logging.getLogger(__name__)


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with our options; each worker opens its own hub after the fork."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        self._hub: Hub | None = None
        self._loops: list[Loop] = []
        super().__init__()

    def load_config(self) -> None:
        """Hand our options to gunicorn."""
        for key, value in self._options.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """The application of one worker, and its share of delivering webhooks, counting and auditing."""
        with _undisturbed():
            hub = self._hub = open_hub(self._settings)
            self._loops = [
                DeliveryLoop(hub), CountLoop(hub), AuditLoop(hub), completion.loop(hub), memory.MemoryLoop(hub),
            ]  # fmt: skip
            for loop in self._loops:
                loop.start()
            return create_app(hub)

    def ready(self, age: int) -> None:
        """A worker can serve. If it replaces one that died, it finishes what that one had begun."""
        if age > self.cfg.workers and self._hub is not None:
            threading.Thread(target=_heal, args=(self._hub,), name="heal", daemon=True).start()

    def stop(self) -> None:
        """A worker ends: what is being sent may be finished; an audit is left to others."""
        for loop in reversed(self._loops):
            loop.stop()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait meanwhile: ending a worker in the middle of its start would be reported as a failure to start."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare(settings: Settings) -> int:
    """Finish what a crash interrupted, before serving; returns how many repos had to be indexed."""
    hub = open_hub(settings)
    try:
        repos.sweep(hub)
        hub.blobs.sweep()
        healed = indexing.heal(hub)
        runs.publish(hub)
        outbox.catch_up(hub)
        popularity.refresh(hub)
        return healed
    finally:
        hub.close()


def _heal(hub: Hub) -> None:
    try:
        indexing.heal(hub)
    except (GlasshubError, sqlite3.Error, OSError):
        _log.exception("what a dead worker left could not be put right; the next start tries again")


def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until told to stop (SIGTERM, SIGINT).

    Args:
        settings: the hub's settings.
        host: address to listen on.
        port: TCP port.
        workers: processes; one per core by default.
        on_ready: called once when the port accepts connections.

    Raises:
        Conflict: the port is taken.
    """
    require_free(host, port)
    memory.keep_little()
    prepare(settings)
    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers or os.cpu_count() or 1,
        "worker_class": "gthread",
        "threads": settings.threads,
        "timeout": 120,
        "graceful_timeout": 10,
        "keepalive": 5,
        "loglevel": "warning",
        "proc_name": "glasshub",
        "when_ready": lambda server: _ready(server.LISTENERS, settings.stall_timeout, on_ready),
        "post_worker_init": lambda worker: worker.app.ready(worker.age),
        "worker_exit": lambda server, worker: worker.app.stop(),  # noqa: ARG005 - gunicorn names the argument
    }
    logging.getLogger("gunicorn.error").addFilter(_is_no_stall)
    gc.freeze()  # what is loaded is shared with the workers as long as nobody writes to it, and looking at it writes
    _Server(settings, options).run()


def _ready(listeners: Iterable[Any], stall: float, on_ready: Callable[[], None]) -> None:
    """Let no client that has gone silent keep a thread for ever: connections inherit this from their listener."""
    waiting = struct.pack("ll", int(stall), int(stall % 1 * 1_000_000))
    for listener in listeners:
        for direction in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.sock.setsockopt(socket.SOL_SOCKET, direction, waiting)
    on_ready()


def _is_no_stall(record: logging.LogRecord) -> bool:
    # Whoever goes silent is no failure of the hub.
    return not (record.exc_info and isinstance(record.exc_info[1], (BlockingIOError, TimeoutError)))


def require_free(host: str, port: int) -> None:
    """Return if ``host:port`` can be listened on. Raises ``Conflict`` when it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --port.") from error
