"""One POST to a stranger's server: to a checked address, within a time, following nothing, reading little."""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from glasshub.notices.addresses import Place, host_and_port, places

MAX_BODY = 8192  # bytes of an answer that are read
MAX_HEADERS = 30
MAX_HEADER = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered: status, headers, and the beginning of the body."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: str


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float, private: bool) -> Answer:
    """Send ``body`` and read the answer; redirects are answers like others.

    Args:
        url: an address that :func:`glasshub.notices.addresses.check_url` has passed.
        body: what to send.
        headers: besides those of HTTP itself.
        timeout: seconds for everything together (but resolving the name).
        private: whether this machine and its network may be called.

    Raises:
        OSError, HTTPException, ValueError: it cannot or may not be reached, or does not answer in time or in HTTP.
    """
    parts = urlsplit(url)
    host, port = host_and_port(parts)
    target = parts.path or "/"
    target += f"?{parts.query}" if parts.query else ""
    found = places(host, port, private=private)
    deadline = time.monotonic() + timeout
    with _connect(found, deadline) as plain, _secured(plain, parts.scheme, host, deadline) as connected:
        connection = HTTPConnection(host, port)
        connection.sock = connected
        connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": parts.netloc, **headers, "Connection": "close"}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connected.settimeout(_left(deadline))
        connection.endheaders(body)
        return _read(_Timed(connected, deadline))


def _connect(found: Sequence[Place], deadline: float) -> socket.socket:
    for number, place in enumerate(found, start=1):
        try:
            # A literal address: nothing is resolved again. The last one may take all the time that is left.
            return socket.create_connection(place, timeout=_left(deadline) / (len(found) - number + 1))
        except OSError:
            if number == len(found):
                raise
    raise OSError("the name has no addresses")


def _secured(plain: socket.socket, scheme: str, host: str, deadline: float) -> socket.socket:
    if scheme == "http":
        return plain
    plain.settimeout(_left(deadline))
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _read(source: _Timed) -> Answer:
    response = HTTPResponse(source, method="POST")  # type: ignore[arg-type]  # asks for makefile() alone
    with response:
        response.begin()
        headers = [(name[:MAX_HEADER], value[:MAX_HEADER]) for name, value in response.getheaders()[:MAX_HEADERS]]
        text = b""
        try:
            while len(text) < MAX_BODY and (piece := response.read1(MAX_BODY - len(text))):
                text += piece
        except (OSError, HTTPException):
            pass  # it promised more than it sent; the status is what counts
        return Answer(response.status, headers, text.decode("utf-8", "replace"))


class _Timed(io.RawIOBase):
    """A socket to read from until a moment, however slowly it drips."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        super().__init__()
        self._socket = connected
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What ``HTTPResponse`` reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Always true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer``; 0 at the end. Raises ``TimeoutError``."""
        self._socket.settimeout(_left(self._deadline))
        return self._socket.recv_into(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the receiver did not answer in time")
    return left
