"""How fast pages and API answer over HTTP, and how much memory the server holds.

    python benchmarks/serve.py mteb-scores.tsv.gz [--data DIR] [--requests N] [--workers N] [--quick]

Starts ``glasshub serve`` on a filled hub (see hub.py) and, beside it, a server that answers the same bytes out of
memory (floor.py). Requests go to both in turns, one at a time on connections that stay open. Then eight clients at
once load the hub, and its memory is looked at again.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import hub as hubs
import process
import timing

from glasshub.access import Visibility
from glasshub.config import Settings
from glasshub.hub import open_hub
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, Page, RepoRow

FLOOR = Path(__file__).with_name("floor.py")
BOARDS = 200
CLIENTS = 8
EVERYBODY = Visibility()


@dataclass(frozen=True)
class Case:
    """Addresses of one kind, asked for one after the other; a ``slow`` kind less often than others.

    The hub is loaded with those that are ``typical``.
    """

    name: str
    paths: Sequence[str]
    slow: bool = False
    typical: bool = False


@dataclass(frozen=True)
class Board:
    """The leaderboard of one task."""

    dataset: str
    task: str
    models: int

    def api(self, **query: object) -> str:
        """Where the API answers it."""
        return f"/api/datasets/{self.dataset}/leaderboard?{urlencode({'task_id': self.task, **query})}"

    @property
    def page(self) -> str:
        """Where people read it."""
        return f"/datasets/{self.dataset}/leaderboard?{urlencode({'task': self.task})}"


def every(list_page: Callable[[str | None], Page[object]]) -> Iterator[object]:
    """All items of a listing."""
    cursor = None
    while True:
        page = list_page(cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def cases(data: Path) -> list[Case]:
    """What is asked for: boards of every kind, the largest things, and common pages."""
    hub = open_hub(Settings(data=data))
    try:
        db = hub.index.read()
        benchmarks: list[BenchmarkRow] = list(
            every(lambda cursor: queries.benchmarks(db, EVERYBODY, limit=500, cursor=cursor))  # type: ignore[arg-type]
        )
        models: list[RepoRow] = list(
            every(lambda cursor: queries.repos(db, EVERYBODY, type="model", sort="results", limit=500, cursor=cursor))  # type: ignore[arg-type]
        )
    finally:
        hub.close()
    boards = [Board(b.dataset_id, task.task_id, task.models) for b in benchmarks for task in b.tasks]
    boards.sort(key=lambda board: -board.models)
    full = [board for board in boards if board.models >= min(100, boards[0].models)]
    some = random.Random(1).sample(full, min(BOARDS, len(full)))
    largest = max(benchmarks, key=lambda found: len(found.tasks))
    many = [board for board in boards if board.dataset == largest.dataset_id][:BOARDS]
    middle = models[len(models) // 4 : len(models) // 4 * 3] or models
    print(f"{len(boards):,} leaderboards, {len(full):,} of {full[-1].models} to {boards[0].models} models")
    most = f"{models[0].results:,} results"
    tasks = f"benchmark of {len(largest.tasks):,} tasks"
    return [
        Case("API: top 100 of the fullest board", [boards[0].api(limit=100)]),
        Case(f"API: top 100 of {len(some)} boards", [board.api(limit=100) for board in some], typical=True),
        Case(f"API: top 100, {tasks}", [board.api(limit=100) for board in many]),
        Case(f"API: whole board ({boards[0].models})", [boards[0].api()]),
        Case("page: fullest leaderboard", [boards[0].page]),
        Case(f"page: leaderboards of {len(some)} tasks", [board.page for board in some], typical=True),
        Case(f"page: leaderboard, {tasks}", [board.page for board in many], slow=True),
        Case(f"API: model_info with {most}", [_info(models[0])], slow=True),
        Case("API: model_info with results", [_info(model) for model in middle], slow=True),
        Case(f"page: model with {most}", [models[0].path], slow=True),
        Case("page: models", [model.path for model in middle]),
        Case("page: datasets", [f"/datasets/{board.dataset}" for board in some]),
        Case("page: home", ["/"]),
        Case("page: benchmarks", ["/benchmarks"]),
    ]


def _info(model: RepoRow) -> str:
    return f"/api/models/{model.repo_id}?expand=evalResults"


class Client:
    """One connection that stays open, as a browser's or a library's does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = HTTPConnection("127.0.0.1", port)

    def get(self, path: str) -> bytes:
        """The body of an answer; anything but 200 is an error."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{path}: {answer.status} {body[:200]!r}"
        return body

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def measure(case: Case, port: int, requests: int, workers: int) -> timing.Durations:
    """Ask the hub and the floor in turns; prints and returns what the hub took."""
    with tempfile.TemporaryDirectory() as folder, closing(Client(port)) as client:
        bodies = [client.get(path) for path in case.paths]
        for number, body in enumerate(bodies):
            (Path(folder) / str(number)).write_bytes(body)
        with process.server([str(FLOOR), folder, str(workers), "8"]) as floor, closing(Client(floor.port)) as peer:
            turns = [number % len(case.paths) for number in range(requests)]
            hub_ms, floor_ms = [], []
            for turn in turns:
                hub_ms.append(timing.timed(lambda path=case.paths[turn]: client.get(path)))  # type: ignore[misc]
                floor_ms.append(timing.timed(lambda path=f"/{turn}": peer.get(path)))  # type: ignore[misc]
    hub, peer_took = timing.Durations(hub_ms), timing.Durations(floor_ms)
    size = sum(map(len, bodies)) / len(bodies) / 1000
    timing.line(case.name, f"{hub}   {size:7.0f} kB   floor {peer_took.p50:5.2f} ms   x{hub.over(peer_took):.1f}")
    return hub


def load(paths: Sequence[str], port: int, seconds: float) -> tuple[timing.Durations, float]:
    """``CLIENTS`` clients ask at once for some seconds; the durations and answers per second."""
    taken: list[float] = []
    end = time.monotonic() + seconds

    def ask(seed: int) -> None:
        order = random.Random(seed)
        with closing(Client(port)) as client:
            while time.monotonic() < end:
                taken.append(timing.timed(lambda: client.get(order.choice(paths))))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(CLIENTS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return timing.Durations(taken), len(taken) / (time.monotonic() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    hubs.add_arguments(parser)
    parser.add_argument("--requests", type=int, help="per kind of address (default: 1000)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="only the kinds whose name has this in it")
    options = parser.parse_args()
    timing.heading("pages and API")
    requests = options.requests or (30 if options.quick else 1000)
    with hubs.filled_hub(options) as data:
        found = [case for case in cases(data) if options.only in case.name]
        with process.hub_server(data, workers=options.workers) as server:
            timing.line("memory at rest", server.memory())
            for case in found:
                # A hundred still make a 99th percentile.
                measure(case, server.port, min(requests, 100) if case.slow else requests, options.workers)
            timing.line("memory after these", server.memory())
            under_load(found, server, 3 if options.quick else 20)


def under_load(found: Sequence[Case], server: process.Server, seconds: float) -> None:
    """Load the hub with many clients and look at its memory afterwards."""
    for case in found:
        if case.typical:
            taken, rate = load(case.paths, server.port, seconds)
            timing.line(f"{case.name}, {CLIENTS} clients at once", f"{taken}   {rate:,.0f} answers/s")
            timing.line("memory after that", server.memory())


if __name__ == "__main__":
    main()
