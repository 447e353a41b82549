"""Renamed files: what was removed here and added there, the same or nearly so.

(dulwich finds them too, but reads every file whole, however large.)
"""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dulwich.repo import Repo as GitRepo

from glasshub.git.blob import blob_size
from glasshub.git.read import read_blob

MOST_COMPARED = 50  # files on each side whose lines are compared; beyond that only the very same ones are found
MOST_BYTES = 256 * 1024  # larger files are not compared
ALIKE = 0.6  # of the bytes of the larger one, in lines that both have


@dataclass(frozen=True, slots=True)
class Side:
    """A file before or after: its path, mode and id (40 hex)."""

    path: str
    mode: int
    oid: str


Pair = tuple[Side | None, Side | None]


def pair_renames(repo: GitRepo, sides: Sequence[Pair]) -> list[Pair]:
    """The changes with each removal put together with the addition that it was renamed to, if there is one."""
    removed = [old for old, new in sides if old and new is None and stat.S_ISREG(old.mode)]
    added = [new for old, new in sides if new and old is None and stat.S_ISREG(new.mode)]
    pairs = _exact(removed, added)
    taken = set(pairs.values())
    gone, fresh = [side for side in removed if side not in pairs], [side for side in added if side not in taken]
    if len(gone) <= MOST_COMPARED and len(fresh) <= MOST_COMPARED:
        pairs |= _alike(repo, gone, fresh)
    taken = set(pairs.values())
    kept = [(old, new) for old, new in sides if old not in pairs and new not in taken]
    return [*kept, *pairs.items()]


def _exact(removed: Sequence[Side], added: Sequence[Side]) -> dict[Side, Side]:
    waiting: dict[str, list[Side]] = {}
    for new in added:
        waiting.setdefault(new.oid, []).append(new)
    return {old: waiting[old.oid].pop(0) for old in removed if waiting.get(old.oid)}


def _alike(repo: GitRepo, removed: Sequence[Side], added: Sequence[Side]) -> dict[Side, Side]:
    """Pairs of files that are much alike, the most alike first."""
    if not removed or not added:
        return {}
    before, after = (dict(_read(repo, sides)) for sides in (removed, added))
    scores = [(_alikeness(a, b), old, new) for old, a in before.items() for new, b in after.items()]
    pairs: dict[Side, Side] = {}
    taken: set[Side] = set()
    for score, old, new in sorted(scores, key=lambda found: -found[0]):
        if score >= ALIKE and old not in pairs and new not in taken:
            pairs[old] = new
            taken.add(new)
    return pairs


def _read(repo: GitRepo, sides: Sequence[Side]) -> Iterator[tuple[Side, Counter[bytes]]]:
    for side in sides:
        if 0 < blob_size(repo, side.oid) <= MOST_BYTES:
            yield side, Counter(read_blob(repo, side.oid).splitlines(keepends=True))


def _alikeness(a: Counter[bytes], b: Counter[bytes]) -> float:
    sizes = [sum(len(line) * times for line, times in side.items()) for side in (a, b)]
    if min(sizes) < ALIKE * max(sizes):
        return 0.0
    fewer, other = (a, b) if len(a) <= len(b) else (b, a)
    common = sum(len(line) * min(times, other[line]) for line, times in fewer.items())
    return common / max(sizes)
