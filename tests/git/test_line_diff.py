"""Differences of texts: right for any text, the smallest for usual ones, and quick for hostile ones."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glasshub.git.line_diff import Change, Work, changes, groups

TEXTS = st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=14)


def applied(found: list[Change], old: list[bytes], new: list[bytes]) -> list[bytes]:
    made, at = [], 0
    for change in found:
        made += old[at : change.i1] + new[change.j1 : change.j2]
        at = change.i2
    return made + old[at:]


def longest_common(old: list[bytes], new: list[bytes]) -> int:
    row = [0] * (len(new) + 1)
    for line in old:
        before = 0
        for j, other in enumerate(new, 1):
            before, row[j] = row[j], before + 1 if line == other else max(row[j], row[j - 1])
    return row[-1]


@settings(max_examples=120, deadline=None)
@given(TEXTS, TEXTS)
def test_a_difference_makes_the_new_text_of_the_old_and_is_the_smallest(old, new):
    found = changes(old, new, Work(10**6))
    assert applied(found, old, new) == new
    removed = sum(change.i2 - change.i1 for change in found)
    added = sum(change.j2 - change.j1 for change in found)
    assert len(old) - removed == len(new) - added == longest_common(old, new)
    assert all(a.i2 < b.i1 for a, b in pairwise(found)), "changes that touch are one"


@settings(max_examples=40, deadline=None)
@given(TEXTS, TEXTS)
def test_without_time_left_it_is_still_right(old, new):
    assert applied(changes(old, new, Work(0)), old, new) == new


def test_what_may_stand_further_down_does_as_in_git():
    old = [b"- a\n", b"  1\n", b"- a\n", b"  2\n"]
    new = [b"- a\n", b"  1\n", b"- a\n", b"  3\n", b"- a\n", b"  2\n"]
    assert changes(old, new, Work(10**6)) == [Change(3, 3, 3, 5)]


def test_near_changes_make_one_group():
    near, far = [Change(5, 6, 5, 6), Change(10, 11, 10, 11)], Change(40, 41, 40, 41)
    assert groups([*near, far]) == [near, [far]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines",
    [
        lambda _, n: [b"x"] * n,
        lambda pick, n: [pick.choice([b"a", b"b"]) for _ in range(n)],
        lambda pick, n: [b"%d" % pick.randrange(n) for _ in range(n)],
        lambda pick, n: sorted(b"%06d" % pick.randrange(n // 100) for _ in range(n)),
    ],
    ids=["one line", "two lines", "shuffled", "blocks"],
)
def test_hostile_texts_take_no_longer_than_others(lines):
    source = random.Random(7)
    old, new = lines(source, 20_000), lines(source, 19_000)
    start = time.process_time()
    found = changes(old, new, Work(1_000_000))
    assert time.process_time() - start < 5
    assert applied(found, old, new) == new
