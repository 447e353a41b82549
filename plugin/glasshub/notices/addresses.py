"""Where a webhook may go: addresses of the open internet, unless an admin allows this machine and its network.

A name is resolved once, what it resolves to is checked, and exactly that address is connected to: a name that answers
otherwise the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from glasshub.errors import Forbidden, Invalid

MAX_URL = 1000
_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")


class Place(NamedTuple):
    """Where to connect to."""

    address: str
    port: int


def check_url(url: str, *, private: bool) -> str:
    """The address of a webhook as it is kept.

    Args:
        url: as somebody typed it.
        private: whether this machine and its network are allowed.

    Raises:
        Invalid: it is no HTTP address, or holds what has no place in one.
        Forbidden: it names a private address.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _ = host_and_port(parts)
    except ValueError as error:
        raise Invalid("The URL is not a valid address. Give one such as https://example.org/hook.") from error
    if len(url) > MAX_URL or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        raise Invalid(f"A URL has at most {MAX_URL} ASCII characters and no spaces; quote others as %XX or xn--.")
    if "@" in parts.netloc:
        raise Invalid("Leave user name and password out of the URL; give a secret instead.")
    if parts.fragment:
        raise Invalid("Leave out what follows # in the URL: it is never sent.")
    if not private and _is_private_name(host):
        raise Forbidden(refusal(host))
    return url


def host_and_port(parts: SplitResult) -> tuple[str, int]:
    """Host and port of an HTTP address. Raises ``ValueError`` for any other."""
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no HTTP address")
    return parts.hostname, parts.port or _PORTS[parts.scheme]


def places(host: str, port: int, *, private: bool) -> list[Place]:
    """What ``host`` resolves to, without the addresses that may not be called.

    Raises:
        OSError: nothing is left. Whether a private name exists is not told.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        found = []
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    allowed = [Place(address, port) for address in addresses if private or is_public(address)]
    if not allowed:
        raise OSError(f"{host} has no address that webhooks may call.")
    return allowed


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet (IPv6 forms that stand for an IPv4 address count as that)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = _within(found)
        if inner is None:
            return found in _GLOBAL_UNICAST and found.is_global and not found.is_multicast
        found = inner
    return found.is_global and not found.is_multicast and not found.is_reserved


def refusal(host: str) -> str:
    """Why nothing is sent there."""
    return (
        f"{host} is an address of this machine or of a private network, which webhooks may not call. "
        "An admin can allow it with the setting webhooks_private_addresses."
    )


def _within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    number = int(address)
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or number >> 32 == 0:  # translated, or of the old form ::a.b.c.d
        return IPv4Address(number & 0xFFFFFFFF)
    if address in _6TO4:
        return IPv4Address((number >> 80) & 0xFFFFFFFF)
    if address in _TEREDO:
        return IPv4Address((number & 0xFFFFFFFF) ^ 0xFFFFFFFF)
    return None


def _is_private_name(host: str) -> bool:
    """Whether a host is private by its spelling alone; the rest shows when it is resolved."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not is_public(host)
