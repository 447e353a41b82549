"""Removing content that no repo has any more: what nothing refers to and nobody used for a long time.

Clients remember for weeks what they uploaded and refer to it, so content outlives its last repo by a grace that counts
from when it was brought, used or given up last. Everything that is about to refer to content touches it first, and
what was touched is not removed, so uploads may go on meanwhile. Recipes go before the xorbs that they need: whenever
this ends, what is left is whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from glasshub import repos
from glasshub.blobs.store import Stored
from glasshub.blobs.xet import content
from glasshub.errors import Conflict
from glasshub.hub import Hub
from glasshub.large_files import FILES
from glasshub.registry import large_files, xorbs

DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Unused:
    """What is, or was, not needed: how many files of a kind, and their bytes."""

    kind: str
    count: int
    size: int


def prune(hub: Hub, *, days: int, remove: bool) -> list[Unused]:
    """Find content that no repo has and that was not used for ``days``; with ``remove``, remove it.

    Raises:
        Conflict: the registry knows of no repo at all, which is more likely a mistake than the truth.
    """
    if not repos.every(hub):
        raise Conflict("The registry knows of no repo. Is it the right one? Nothing is removed before it knows some.")
    before = time.time() - days * DAY
    with hub.registry.read() as db:
        plain, chunked = large_files.names(db)
        known = xorbs.known(db)
    found = [_sweep(hub, FILES, (), plain, before, remove=remove)]
    found.append(_sweep(hub, content.RECIPES, (), chunked, before, remove=remove))
    needed = _needed(hub, chunked, before)
    found.append(_sweep(hub, content.XORBS, (content.INDEXES,), needed, before, remove=remove))
    if remove:
        lost = {item.name for item in hub.blobs.every(content.INDEXES)} | known
        for name in lost:
            if hub.blobs.size(content.XORBS, name) is None:
                _remove(hub, (content.XORBS, content.INDEXES), name, before)
    return found


def _sweep(hub: Hub, kind: str, along: Sequence[str], used: Collection[str], before: float, *, remove: bool) -> Unused:
    count = size = 0
    for item in hub.blobs.every(kind):
        if _is_unused(item, used, before) and (not remove or _remove(hub, (kind, *along), item.name, before)):
            count, size = count + 1, size + item.size
    return Unused(kind, count, size)


def _is_unused(item: Stored, used: Collection[str], before: float) -> bool:
    return item.touched < before and item.name not in used


def _remove(hub: Hub, kinds: Sequence[str], name: str, before: float) -> bool:
    forget: Callable[[], object] = partial(_forget, hub, name) if kinds[0] == content.XORBS else bool
    return hub.blobs.remove(kinds, name, before=before, then=forget)


def _forget(hub: Hub, xorb: str) -> None:
    with hub.registry.write() as db:
        xorbs.forget(db, xorb)


def _needed(hub: Hub, chunked: Collection[str], before: float) -> set[str]:
    """The xorbs of all recipes that stay."""
    needed: set[str] = set()
    for item in hub.blobs.every(content.RECIPES):
        if not _is_unused(item, chunked, before):
            needed.update(part.xorb for part in content.load_recipe(hub.blobs, item.name).parts)
    return needed
