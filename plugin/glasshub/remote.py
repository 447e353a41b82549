"""Asking a hub over HTTP, for commands that run away from it: small answers, one origin, no surprises."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from glasshub.errors import EntryNotFound, GlasshubError, Invalid, TooLarge

TIMEOUT = 60.0
MAX_ANSWER = 64 * 1024 * 1024
_BLOCK = 1024 * 1024
Body = bytes


class _SameOrigin(HTTPRedirectHandler):
    """Follows redirects within one origin: a token must not travel further."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if origin(newurl) != origin(req.full_url):
            raise Invalid(f"{req.full_url} leads to another host; open it yourself: {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True, slots=True)
class RemoteHub:
    """A hub at an address. The token is that of ``HF_TOKEN``, and is sent to this origin only."""

    address: str

    def bytes(self, path: str, *, limit: int = MAX_ANSWER) -> bytes:
        """What is at a path (or at a full address of this hub).

        Raises:
            EntryNotFound: nothing is there, or not for this token.
            TooLarge: it is larger than ``limit`` bytes.
            Invalid: the address is another host's.
            GlasshubError: the hub cannot be reached, or answers with an error.
        """
        with self._open(path) as answer:
            data: bytes = answer.read(limit + 1)
        if len(data) > limit:
            raise TooLarge(f"{path} has more than {limit:,} bytes.")
        return data

    def json(self, path: str) -> Any:
        """The JSON at a path. Raises as :meth:`bytes`, and ``Invalid`` when it is none."""
        try:
            return json.loads(self.bytes(path))
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{path} of {self.address} is no JSON: is that a hub?") from error

    def save(self, path: str, file: BinaryIO, *, limit: int) -> int:
        """Write what is at a path to a file; returns the bytes. Raises as :meth:`bytes`."""
        written = 0
        with self._open(path) as answer:
            while block := answer.read(_BLOCK):
                written += len(block)
                if written > limit:
                    raise TooLarge(f"{path} has more than {limit:,} bytes.")
                file.write(block)
        return written

    def post(self, path: str, body: Body, type: str) -> Any:
        """Send a body of a type; returns the JSON that is answered. Raises as :meth:`json`."""
        with self._open(path, body, type) as answer:
            data = answer.read(MAX_ANSWER)
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{path} of {self.address} answers no JSON: is that a hub?") from error

    def _open(self, path: str, body: Body | None = None, type: str = "") -> Any:
        address = urljoin(f"{self.address}/", path)
        if origin(address) != origin(self.address):
            raise Invalid(f"{address} is not on {self.address}.")
        token = os.environ.get("HF_TOKEN", "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = Request(address, body, {**headers, **({"Content-Type": type} if type else {})})  # noqa: S310
        try:
            return build_opener(_SameOrigin).open(request, timeout=TIMEOUT)
        except HTTPError as error:
            kind = EntryNotFound if error.code in (401, 403, 404) else GlasshubError
            said = str(error.headers.get("X-Error-Message") or error.reason).rstrip(".")
            raise kind(f"{address} answers {error.code}: {said}.") from error
        except (URLError, OSError, ValueError) as error:
            raise GlasshubError(f"{address} cannot be reached: {error}.") from error


def origin(address: str) -> tuple[str, str]:
    """Scheme and host of an address.

    Raises:
        Invalid: it is no http(s) address.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise Invalid(f"{address!r} is no address.") from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Invalid(f"{address!r} is no http address.")
    return parts.scheme, parts.netloc.lower()


def hub_of(address: str) -> RemoteHub:
    """The hub that an address is on. Raises ``Invalid``."""
    scheme, host = origin(address)
    return RemoteHub(f"{scheme}://{host}")


def raw(repo: str, revision: str, path: str) -> str:
    """The path of a file's bytes: ``repo`` as in its address (``ns/name`` or ``datasets/ns/name``)."""
    return f"/{repo}/resolve/{quote(revision, safe='')}/{quote(path)}"
