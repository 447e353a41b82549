"""What a pull request proposes, told apart from what it only carries along."""

from __future__ import annotations

from tests.index.town import eval_yaml, result
from tests.pulls.village import Village

OWN = ".eval_results/own.yaml"


def test_an_old_entry_of_a_changed_file_is_not_proposed_again_once_main_has_corrected_it(village: Village):
    board = village.dataset("lab/cap", eval_yaml("europe", "asia", "africa"))
    europe, asia = result("lab/cap", "europe", 0.4), result("lab/cap", "asia", 0.6)
    model = village.model("ada/m", europe + asia)
    number = village.propose(model, "eve", {OWN: europe + result("lab/cap", "africa", 0.7) + asia})
    village.push(model, {OWN: result("lab/cap", "europe", 0.5) + asia})
    assert village.shown(model) == [
        (0.5, "author", 0, "ada"), (0.6, "author", 0, "ada"), (0.7, "community", number, "eve"),
    ]  # fmt: skip
    assert [row.reports for row in village.board(board, "europe")] == [1]
    village.assert_equal_to_rebuilt()
