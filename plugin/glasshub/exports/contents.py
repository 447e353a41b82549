"""What an export holds: a leaderboard, a benchmark, a model, or the whole hub, as one reader may see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlite_utils import Database

from glasshub.access import Visibility
from glasshub.exports.records import Model, Record, of_board, of_model
from glasshub.hub import Hub
from glasshub.index import queries
from glasshub.weights.sizes import SizeRange

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """The index as it was at one moment, for one reader: what is exported stays as it is while pushes come in."""

    db: Database
    see: Visibility

    def state(self) -> str:
        """A hash that changes with whatever may change an export."""
        return queries.state(self.db)

    def leaderboard(
        self, dataset_key: str, task_id: str, *, include_derived: bool = False, size: SizeRange | None = None
    ) -> Iterator[Record]:
        """All rows of a task's leaderboard in rank order; ``size`` leaves models out as the leaderboard does."""
        cursor: str | None = None
        while True:
            page = queries.leaderboard(
                self.db,
                self.see,
                dataset_key,
                task_id,
                include_derived=include_derived,
                size=size,
                limit=PAGE,
                cursor=cursor,
            )
            yield from map(of_board, page.items)
            cursor = page.cursor
            if cursor is None:
                return

    def benchmark(
        self, dataset_key: str, *, include_derived: bool = False, size: SizeRange | None = None
    ) -> Iterator[Record]:
        """The leaderboards of all tasks of a registered benchmark, in the order of its file."""
        found = queries.benchmark(self.db, self.see, dataset_key)
        if found is not None and found.state == "registered":
            for task in found.tasks:
                yield from self.leaderboard(dataset_key, task.task_id, include_derived=include_derived, size=size)

    def model(self, key: str) -> Iterator[Record]:
        """All results that a model shows, by benchmark and task."""
        for _, model in queries.models_with_results(self.db, self.see, key):
            yield from of_model(queries.results_of_model(self.db, self.see, key), Model(*model))

    def everything(self, *, include_derived: bool = True) -> Iterator[Record]:
        """All results that models show, model by model."""
        for key, (derived, parameters) in queries.models_with_results(self.db, self.see):
            if include_derived or not derived:
                yield from of_model(queries.results_of_model(self.db, self.see, key), Model(derived, parameters))


@contextmanager
def moment(hub: Hub, see: Visibility) -> Iterator[Moment]:
    """The index as it is now. Close it soon: as long as it is read, the index's log only grows."""
    with hub.index.moment() as db:
        yield Moment(db, see)
