"""What a runner asks of its hub, with its owner's token. A hub that restarts is waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from glasshub.errors import Conflict, GlasshubError, Invalid
from glasshub.remote import origin

PATIENCE = 60.0  # seconds that a hub may be away
_TIMEOUT = 120.0


class _Careful(HTTPRedirectHandler):
    """Follows redirects; to another host without the token."""

    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is not None and origin(newurl) != origin(req.full_url):
            found.remove_header("Authorization")
        return found


@dataclass(frozen=True, slots=True)
class HubClient:
    """A hub and the token for it. ``patience`` is for how many seconds a call is tried again."""

    address: str
    token: str = field(repr=False)
    patience: float = PATIENCE

    def get(self, path: str) -> Any:
        """The JSON at a path. Raises ``GlasshubError``."""
        return self._json("GET", path)

    def post(self, path: str, **said: Any) -> Any:
        """What the hub answers (``None``: nothing). Raises ``Conflict``, ``Invalid``, ``GlasshubError``."""
        return self._json("POST", path, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def put_file(self, path: str, file: Path) -> Any:
        """Send a file as the body. Raises as :meth:`post`."""
        return self._json("PUT", path, file.read_bytes(), {"Content-Type": "application/octet-stream"})

    def stream(self, path: str, *, start: int = 0) -> Any:
        """The open answer for what is at a path, from a byte on. Raises ``GlasshubError``."""
        return self._open(Request(f"{self.address}{path}", headers=self._headers(start)))  # noqa: S310

    def files(self, kind: str, repo: str, commit: str) -> Iterator[dict[str, Any]]:
        """The files of a repo at a commit: ``path``, ``size``, ``oid``, and ``lfs`` of large ones."""
        path = f"/api/{kind}/{quote(repo)}/tree/{commit}?recursive=true"
        while path:
            answer = self._with_patience(Request(f"{self.address}{path}", headers=self._headers()))  # noqa: S310
            with answer:
                found, link = json.load(answer), answer.headers.get("Link") or ""
            yield from (entry for entry in found if entry.get("type") == "file")
            following = link.partition("<")[2].partition(">")[0] if 'rel="next"' in link else ""
            path = following.removeprefix(self.address) if following.startswith(self.address) else ""

    def _json(self, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        request = Request(  # noqa: S310
            f"{self.address}{path}", data=data, method=method, headers={**self._headers(), **(headers or {})}
        )
        with self._with_patience(request) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def _with_patience(self, request: Request) -> Any:
        """All calls may be repeated: the hub takes the same thing told twice as told once."""
        deadline, pause = time.monotonic() + self.patience, 0.5
        while True:
            try:
                return self._open(request)
            except _Away as error:
                if time.monotonic() + pause > deadline:
                    raise GlasshubError(error.message) from error
            time.sleep(pause)
            pause = min(pause * 2, 10.0)

    def _open(self, request: Request) -> Any:
        try:
            return build_opener(_Careful).open(request, timeout=_TIMEOUT)
        except HTTPError as error:
            with error:
                said = error.headers.get("X-Error-Message") or str(error.reason)
            kinds = {400: Invalid, 409: Conflict, 413: Invalid}
            if error.code in (429, 502, 503, 504):
                raise _Away(f"{self.address} answers {error.code}: {said}") from error
            raise kinds.get(error.code, GlasshubError)(said) from error
        except (URLError, OSError, HTTPException) as error:
            raise _Away(f"{self.address} cannot be reached: {error}.") from error

    def _headers(self, start: int = 0) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**headers, "Range": f"bytes={start}-"} if start else headers


class _Away(GlasshubError):
    """The hub cannot be reached, or not now."""
