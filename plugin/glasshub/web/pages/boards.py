"""Leaderboards as pages show them: rows with one number of decimals, one axis and their ties. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from glasshub.index.rows import LeaderboardRow, Page, TaskRow
from glasshub.web.pages.evaluations import places
from glasshub.web.pages.plots import Scale, scale_of


@dataclass(frozen=True, slots=True)
class Board:
    """One page of a task's leaderboard.

    ``places`` is the number of decimals of its column, ``tied`` the ranks that several of its rows share,
    ``total`` the number of models on the whole board and ``cursor`` leads to the next page, if there is one.
    """

    task: TaskRow
    rows: Sequence[LeaderboardRow]
    total: int
    cursor: str | None
    places: int
    scale: Scale
    tied: frozenset[int]


def board_of(task: TaskRow, page: Page[LeaderboardRow]) -> Board:
    """The board that a page of rows makes."""
    rows = page.items
    shared = Counter(row.rank for row in rows)
    return Board(
        task,
        rows,
        page.total,
        page.cursor,
        places(row.result for row in rows),
        scale_of(rows, task.metric),
        frozenset(rank for rank, count in shared.items() if count > 1),
    )
