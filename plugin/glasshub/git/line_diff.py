"""Which lines changed between two texts: Myers' greedy algorithm with a bound on its work. Pure.

The difference found is the smallest one, unless finding it would take too long: then the rest is told as replaced.
(difflib takes the square of the number of lines, or more, on texts made for it.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_EDITS = 1000  # lines removed and added among those that both texts have; memory takes the square of it


@dataclass(slots=True)
class Work:
    """How many steps of comparing may still be taken; a million take about half a second."""

    left: int


@dataclass(slots=True)
class Change:
    """``old[i1:i2]`` gives way to ``new[j1:j2]``; one of them may be empty."""

    i1: int
    i2: int
    j1: int
    j2: int


def changes(old: Sequence[bytes], new: Sequence[bytes], work: Work) -> list[Change]:
    """The changes that make ``new`` of ``old``, in order; what lies between them is the same."""
    begin = _same(old, new)
    end = _same(old[begin:][::-1], new[begin:][::-1])
    mine = range(begin, len(old) - end)
    other = range(begin, len(new) - end)
    # What only one side has is a change in any case, and does not stand in the way of finding the others.
    both = {old[i] for i in mine} & {new[j] for j in other}
    a, b = [i for i in mine if old[i] in both], [j for j in other if new[j] in both]
    pairs = _pairs([old[i] for i in a], [new[j] for j in b], work)
    kept = [(a[x], b[y]) for x, y in pairs]
    return _slid(_between(kept, begin, len(old) - end, len(new) - end), old, new)


def groups(found: Sequence[Change], *, context: int = 3) -> list[list[Change]]:
    """Changes that stand so near to each other that their surroundings meet."""
    grouped: list[list[Change]] = []
    for change in found:
        if grouped and change.i1 - grouped[-1][-1].i2 <= 2 * context:
            grouped[-1].append(change)
        else:
            grouped.append([change])
    return grouped


def _same(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _between(kept: Sequence[tuple[int, int]], begin: int, i_end: int, j_end: int) -> list[Change]:
    """The changes around the lines that are kept."""
    found = []
    i, j = begin, begin
    for next_i, next_j in [*kept, (i_end, j_end)]:
        if next_i > i or next_j > j:
            found.append(Change(i, next_i, j, next_j))
        i, j = next_i + 1, next_j + 1
    return found


def _slid(found: list[Change], old: Sequence[bytes], new: Sequence[bytes]) -> list[Change]:
    """Changes that could as well stand further down moved there, as git does; those that meet become one."""
    slid: list[Change] = []
    for n in range(len(found) - 1, -1, -1):
        change = found[n]
        limit = slid[-1].i1 if slid else len(old)
        while change.i2 < limit and _may_slide(change, old, new):
            change.i1, change.i2, change.j1, change.j2 = (
                change.i1 + 1, change.i2 + 1, change.j1 + 1, change.j2 + 1,
            )  # fmt: skip
        if slid and change.i2 == slid[-1].i1:
            slid[-1].i1, slid[-1].j1 = change.i1, change.j1
        else:
            slid.append(change)
    return slid[::-1]


def _may_slide(change: Change, old: Sequence[bytes], new: Sequence[bytes]) -> bool:
    if change.i1 == change.i2:
        return change.j2 < len(new) and new[change.j1] == new[change.j2]
    return change.j1 == change.j2 and change.i2 < len(old) and old[change.i1] == old[change.i2]


def _pairs(a: Sequence[bytes], b: Sequence[bytes], work: Work) -> list[tuple[int, int]]:
    """Pairs of equal lines, in order on both sides (Myers, An O(ND) Difference Algorithm, 1986)."""
    n, m = len(a), len(b)
    if not n or not m:
        return []
    middle = min(n + m, MOST_EDITS) + 1
    reach = [0] * (2 * middle + 1)  # how far along ``a`` one gets on each diagonal with so many edits
    trace: list[list[int]] = []
    for edits in range(middle):
        low, high = -(edits - 2 * max(0, edits - m)), edits - 2 * max(0, edits - n)
        trace.append(reach[middle - edits - 1 : middle + edits + 2])
        for k in range(low, high + 1, 2):
            down = k == -edits or (k != edits and reach[middle + k - 1] < reach[middle + k + 1])
            x = reach[middle + k + 1] if down else reach[middle + k - 1] + 1
            y = start = x - k
            while x < n and y < m and a[x] == b[y]:
                x, y = x + 1, y + 1
            work.left -= 1 + y - start
            reach[middle + k] = x
            if x >= n and y >= m:
                return _path(trace, x, y)
        if work.left <= 0:
            break
    k = max(range(low, high + 1, 2), key=lambda k: 2 * reach[middle + k] - k)
    return _path(trace, reach[middle + k], reach[middle + k] - k)


def _path(trace: list[list[int]], x: int, y: int) -> list[tuple[int, int]]:
    """The lines kept on the way to (x, y), read backwards from what was reached with ever fewer edits."""
    kept = []
    for edits in range(len(trace) - 1, -1, -1):
        reach, middle = trace[edits], edits + 1
        k = x - y
        down = k == -edits or (k != edits and reach[middle + k - 1] < reach[middle + k + 1])
        before = k + 1 if down else k - 1
        from_x = reach[middle + before] if edits else 0
        from_y = from_x - before if edits else 0
        while x > from_x and y > from_y:
            x, y = x - 1, y - 1
            kept.append((x, y))
        x, y = from_x, from_y
    return kept[::-1]
