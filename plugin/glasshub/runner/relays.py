"""Relays: hand on what comes to a socket in one network to a socket in another."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

MOST = 256  # connections of one relay at a time: who wants more waits
_BLOCK = 64 * 1024
Dial = Callable[[], socket.socket]


class Relay:
    """Leads whoever comes to a listening socket to another place, until it is closed.

    Args:
        listener: belongs to the relay from now on.
        dial: makes a connection to the place; raises ``OSError``.
    """

    def __init__(self, listener: socket.socket, dial: Dial) -> None:
        self._listener, self._dial = listener, dial
        self._free = threading.BoundedSemaphore(MOST)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take nobody any more; who is here ends by themselves."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            self._free.acquire()
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        try:
            with near, self._dial() as far:
                back = threading.Thread(target=_hand_on, args=(far, near), daemon=True)
                back.start()
                _hand_on(near, far)
                back.join()
        except OSError:
            return  # nobody is there: to the one who came it looks like a connection that is cut
        finally:
            self._free.release()


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(_BLOCK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
