"""Rooms: what a program may reach that runs in a network of its own, which has nothing but a few doors.

A door is an address in the room. Who comes to it is led, by the runner, to the same address outside.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from glasshub.errors import Invalid

_PORTS = {"http": 80, "https": 443}


class Door(BaseModel):
    """An address in the room, and where it leads: the host as it is called outside, same port."""

    model_config = ConfigDict(frozen=True)

    ip: str
    port: int
    leads_to: str


class Room(BaseModel):
    """What there is in a network of its own.

    Attributes:
        doors: what may be reached.
        names: hosts by name, with their address in the room.
        addresses: which the room's loopback is to have beside its own.
        hidden: files that look empty in the room.
    """

    model_config = ConfigDict(frozen=True)

    doors: tuple[Door, ...] = ()
    names: Mapping[str, str] = {}
    addresses: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def room_for(reach: Sequence[str], hidden: Sequence[Path] = ()) -> Room:
    """The room from which these addresses can be reached, and nothing else.

    Args:
        reach: http addresses.
        hidden: files that are none of the program's business.

    Raises:
        Invalid: an address is none, or cannot be given to a room.
    """
    doors: dict[tuple[str, int], Door] = {}
    names: dict[str, str] = {}
    addresses: list[str] = []
    for address in reach:
        host, port = _place(address)
        ip = names.get(host) or _ip(host, len(names))
        if not _is_ip(host) and host != "localhost":
            names[host] = ip
        elif not ipaddress.ip_address(ip).is_loopback and ip not in addresses:
            addresses.append(ip)
        doors[ip, port] = Door(ip=ip, port=port, leads_to=host)
    return Room(
        doors=tuple(doors.values()), names=names, addresses=tuple(addresses),
        hidden=tuple(str(path) for path in hidden if path.exists()),
    )  # fmt: skip


def _place(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise Invalid(f"{address} is no http address: {error}.") from error
    if not host or not port:
        raise Invalid(f"{address} is no http address.")
    return host, port


def _ip(host: str, known: int) -> str:
    """The address in the room: for a name, one of the loopback network that is its own."""
    if not _is_ip(host):
        return "127.0.0.1" if host == "localhost" else f"127.0.0.{known + 2}"
    if ipaddress.ip_address(host).version == 6 and not ipaddress.ip_address(host).is_loopback:
        raise Invalid(f"{host} is an IPv6 address; give the host by its name.")
    return host


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
