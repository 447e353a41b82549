"""Which requests count as a download: of files by the stock clients, and clones."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import cast

from flask import current_app, request

from glasshub.identity import Repo
from glasshub.web.context import actor, hub

_HEADER = "X-HF-Download-Counter"  # what the stock clients send along when they download, and only then


def count_file(repo: Repo) -> None:
    """Count this request for a file, if it is a client that downloads."""
    if request.headers.get(_HEADER):
        hub().tally.note(repo.key, _reader())


def clone_counter(repo: Repo) -> Callable[[], None]:
    """Something to call, also after the request, when it turns out to be a clone."""
    tally, reader = hub().tally, _reader()
    return lambda: tally.note(repo.key, reader)


def _reader() -> str:
    """Who asks, as a digest that only this hub can make: the account, or else the address (of IPv6 its network)."""
    who = actor().name
    text = f"name {who.lower()}" if who is not None else f"address {_network(request.remote_addr or '')}"
    return hmac.new(cast(bytes, current_app.secret_key), text.encode(), "sha256").hexdigest()


def _network(address: str) -> str:
    # One person may have as many addresses of a network as there are.
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(int(found) >> 64) if isinstance(found, IPv6Address) else address
