"""Going into a network of one's own, on Linux: user, network and mount namespaces, without being root.

Called in a process that has one thread and does nothing else before it starts what is to be kept in. See
``namespaces(7)``, ``user_namespaces(7)``, ``netdevice(7)``.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from glasshub.runner.rooms import Room

_NEW_NAMESPACES = 0x00020000 | 0x10000000 | 0x40000000  # CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET
_BIND, _PRIVATE = 0x1000, 0x4000 | 0x40000  # MS_BIND; MS_REC | MS_PRIVATE
_SET_FLAGS, _SET_ADDRESS, _SET_MASK = 0x8914, 0x8916, 0x891C  # SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK
_UP, _RUNNING = 0x1, 0x40
_DROP_BOUND, _NO_NEW_PRIVILEGES = 24, 38  # PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS
_MOST_CAPABILITIES = 64
_HOSTS = "/etc/hosts"


def enter(room: Room, folder: Path) -> list[socket.socket]:
    """Go into the room, for good; returns the listening sockets of its doors, in their order.

    Args:
        room: what there is to be.
        folder: of the caller's, for two small files.

    Raises:
        OSError: this machine does not allow it.
    """
    if sys.platform != "linux":
        raise OSError("networks of one's own are known on Linux only")
    libc = ctypes.CDLL(None, use_errno=True)
    _become_own(libc)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh14s", b"lo", _UP | _RUNNING, b""))
        for number, address in enumerate(room.addresses):
            _add_address(control, f"lo:{number}", address)
    listeners = [_listen(door.ip, door.port) for door in room.doors]
    _hide(libc, room, folder)
    _give_up_power(libc)
    return listeners


def _become_own(libc: ctypes.CDLL) -> None:
    user, group = os.getuid(), os.getgid()
    _call(libc.unshare(_NEW_NAMESPACES), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(text)


def _add_address(control: socket.socket, interface: str, address: str) -> None:
    for request, ip in ((_SET_ADDRESS, address), (_SET_MASK, "255.255.255.255")):
        said = struct.pack("<H2x4s8x", socket.AF_INET, socket.inet_aton(ip))
        fcntl.ioctl(control, request, struct.pack("16s16s", interface.encode(), said))


def _listen(ip: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((ip, port))
    listener.listen(128)
    return listener


def _hide(libc: ctypes.CDLL, room: Room, folder: Path) -> None:
    """Names that lead to the doors, and nothing in the files that are hidden."""
    hosts, empty = folder / "hosts", folder / "empty"
    names = "".join(f"{ip}\t{name}\n" for name, ip in room.names.items())
    hosts.write_text(f"127.0.0.1\tlocalhost\n{names}")
    empty.touch()
    _call(libc.mount(b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None), "mount")
    places: Sequence[tuple[Path, str]] = [(empty, path) for path in room.hidden]
    if room.names or Path(_HOSTS).exists():
        places = [*places, (hosts, _HOSTS)]
    for source, place in places:
        _call(libc.mount(bytes(source), place.encode(), None, ctypes.c_ulong(_BIND), None), f"mount over {place}")
    for source in (hosts, empty):
        source.unlink()  # what is mounted stays


def _give_up_power(libc: ctypes.CDLL) -> None:
    """What is started from here on can undo none of it, not even as root."""
    for capability in range(_MOST_CAPABILITIES):
        libc.prctl(_DROP_BOUND, capability, 0, 0, 0)  # those that this kernel does not know fail, which is well
    _call(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")


def _call(outcome: int, name: str) -> None:
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
