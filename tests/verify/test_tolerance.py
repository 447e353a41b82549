"""How far a run may be from a claim: against numbers worked out by hand."""

from __future__ import annotations

import pytest

from glasshub.errors import Invalid
from glasshub.verify.tolerance import compare, within_variance


def test_variance_within_items_is_that_of_right_and_wrong():
    # c(E-c)/(E(E-1)): 2 of 4 right gives 4/12, 4 of 4 gives 0, 1 of 4 gives 3/12
    items = [[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 1]]
    assert within_variance(items) == pytest.approx((4 / 12 + 0 + 3 / 12) / 3)


def test_tolerance_follows_the_formula():
    items = [[1, 0]] * 50 + [[1, 1]] * 50  # w = (50 * 1/2 + 0) / 100 = 0.25
    found = compare(0.70, 0.75, items, claim_epochs=1)
    # 2.58 * sqrt(0.25 / 100 * (1 + 1/2)) + 1/100 = 2.58 * 0.0612372 + 0.01
    assert found.within == pytest.approx(0.25)
    assert found.tolerance == pytest.approx(0.1679921, abs=1e-6)
    assert found.difference == pytest.approx(0.05)
    assert found.consistent


def test_a_model_that_never_wavers_may_differ_by_one_item_only():
    items = [[1, 1]] * 6 + [[0, 0]] * 21
    assert compare(7 / 27, 6 / 27, items, claim_epochs=1).consistent
    assert not compare(8 / 27, 6 / 27, items, claim_epochs=1).consistent


def test_one_epoch_tells_nothing_about_chance():
    with pytest.raises(Invalid, match="two epochs"):
        within_variance([[1, 0], [1]])
    with pytest.raises(Invalid, match="two epochs"):
        within_variance([])
