"""A TCP proxy that cuts chosen connections in the middle of an answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Where it listens, and the first lines and ranges of the requests it saw."""

    port: int
    target: int
    begins_with: bytes
    after: int
    cuts: int
    seen: list[bytes] = field(default_factory=list)

    def serve(self, client: socket.socket) -> None:
        """One connection: forward both ways; cut it once it has given enough of what is to be cut."""
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
            given = 0
            with suppress(OSError):
                while data := server.recv(65536):
                    client.sendall(data)
                    given += len(data)
                    if self.cuts and given > self.after and self.seen[-1].startswith(self.begins_with):
                        self.cuts -= 1
                        break
            for end in (client, server):  # the other thread reads from both; closing alone would wait for it
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if data.startswith((b"GET", b"HEAD", b"POST")):
                    self.seen.append(data)
                server.sendall(data)


@contextmanager
def cutting(target: int, *, begins_with: bytes, after: int, cuts: int = 1) -> Iterator[Proxy]:
    """A proxy before the server at port ``target`` that cuts ``cuts`` answers to such requests after some bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener.getsockname()[1], target, begins_with, after, cuts)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=proxy.serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield proxy
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
