"""Giving memory back to the system: what the C library keeps of it would be counted against the hub for ever.

See mallopt(3) and malloc_trim(3) of the GNU C library; other libraries have other ways, and are left alone.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

from glasshub.background import Loop
from glasshub.hub import Hub

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_EVERY = 10.0


def keep_little() -> None:
    """Tell the C library to keep little of what threads have freed: buffers of a megabyte come and go all the time."""
    with suppress(OSError, AttributeError):
        for option, value in ((_ARENA_MAX, 2), (_MMAP_THRESHOLD, 256 * 1024), (_TRIM_THRESHOLD, 1024**2)):
            ctypes.CDLL(None).mallopt(option, value)


class MemoryLoop(Loop):
    """Gives back, again and again, what is free between things that are in use."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub, "glasshub-memory", _EVERY)

    def look(self) -> None:
        """Give back."""
        with suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
