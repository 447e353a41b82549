"""A TCP relay that counts what clients send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass
class Counted:
    """Where it listens, and how many bytes came from clients so far."""

    port: int
    sent: int = 0


@contextmanager
def counting(target: int) -> Iterator[Counted]:
    """A relay to a port of the loopback, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        counted = Counted(listener.getsockname()[1])
        lock = threading.Lock()

        def forward(source: socket.socket, sink: socket.socket, *, count: bool) -> None:
            with suppress(OSError):
                while data := source.recv(256 * 1024):
                    if count:
                        with lock:
                            counted.sent += len(data)
                    sink.sendall(data)
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def serve(client: socket.socket) -> None:
            with client, socket.create_connection(("127.0.0.1", target)) as server:
                back = threading.Thread(target=forward, args=(server, client), kwargs={"count": False}, daemon=True)
                back.start()
                forward(client, server, count=True)
                back.join()

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield counted
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
