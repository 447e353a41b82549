"""The keys of a runner, for whoever holds them: a first one, further ones, and the end of one.

The private half is made here and stays in its file. The hub is told the public half only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from glasshub.errors import GlasshubError, Invalid, NotFound
from glasshub.runner.hub_client import HubClient
from glasshub.verify.keys import encode_public, load_private_key, new_private_key, public_bytes, thumbprint

_PATIENCE = 5.0


def register(hub: str, token: str, name: str, key_file: Path) -> str:
    """Make a key pair and ask the hub for a runner; returns the runner's state.

    Raises:
        Invalid: the file exists: a key is never overwritten.
        GlasshubError: the hub refuses. The file is removed then.
    """
    client = _client(hub, token)
    found, _ = _with_new_key(key_file, lambda public: client.post("/api/runners", name=name, publicKey=public))
    return str(found["state"])


def add(hub: str, token: str, name: str, key_file: Path) -> str:
    """Make a key pair and give it to a runner that there is; returns the key's ``kid``. Raises as :func:`register`."""
    client = _client(hub, token)
    path = f"/api/runners/{quote(name)}/keys"
    _, kid = _with_new_key(key_file, lambda public: client.post(path, publicKey=public))
    return kid


def revoke(hub: str, token: str, kid: str, *, reason: str, since: str) -> dict[str, Any]:
    """End a key; returns what the hub lists of it now.

    Raises:
        NotFound: no runner of the hub has it.
        GlasshubError: the hub refuses.
    """
    client = _client(hub, token)
    holder = next((runner for runner in client.get("/api/runners") if _key(runner, kid)), None)
    if holder is None:
        raise NotFound(f"No runner of {hub} has the key {kid[:60]!r}.")
    path = f"/api/runners/{quote(holder['name'])}/keys/{quote(kid)}/revoke"
    return _key(client.post(path, reason=reason, since=since), kid)


def describe(key_file: Path) -> tuple[str, str]:
    """The ``kid`` and the public half of a private key. Raises ``Invalid`` when the file holds none."""
    public = public_bytes(load_private_key(key_file.read_bytes()))
    return thumbprint(public), encode_public(public)


def _client(hub: str, token: str) -> HubClient:
    return HubClient(hub.rstrip("/"), token, patience=_PATIENCE)


def _key(runner: dict[str, Any], kid: str) -> dict[str, Any]:
    found: dict[str, Any] = next((key for key in runner["keys"] if key["kid"] == kid), {})
    return found


def _with_new_key(key_file: Path, tell: Callable[[str], Any]) -> tuple[Any, str]:
    """What the hub answers to the public half of a new key, and its ``kid``. The private half is in the file then."""
    pem = new_private_key()
    try:
        handle = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Invalid(f"{key_file} exists, and a key is never overwritten. Name another file.") from error
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(handle)
    public = public_bytes(load_private_key(pem))
    try:
        return tell(encode_public(public)), thumbprint(public)
    except GlasshubError:
        key_file.unlink()
        raise
