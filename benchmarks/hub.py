"""A hub filled with the published MTEB scores, every repo pushed through the hub's own door.

    python benchmarks/hub.py mteb-scores.tsv.gz --data DIR [--models N] [--benchmarks N] [--quick]

Prints how long it took and how many results were indexed per second. The other scripts make such a hub in a temporary
folder, or take one made by this script with ``--data DIR`` and leave it as they found it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import scores
import timing

from glasshub import accounts, receive, repos
from glasshub.config import Settings
from glasshub.errors import AccountNotFound
from glasshub.git import read
from glasshub.git.build import Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefUpdate
from glasshub.hub import Hub, open_hub
from glasshub.identity import RepoType

OWNER = "curator"
MAIN = "refs/heads/main"
BORN = 1_760_000_000
QUICK = {"models": 40, "benchmarks": 60}


@dataclass(frozen=True)
class Filled:
    """What went into a hub, and the seconds that it took: in all, and those spent in the door."""

    benchmarks: int
    tasks: int
    models: int
    results: int
    seconds: float
    in_door: float

    def __str__(self) -> str:
        return (
            f"{self.benchmarks:,} benchmarks with {self.tasks:,} tasks, {self.models:,} models, "
            f"{self.results:,} results: filled in {self.seconds:,.1f} s, {self.in_door:,.1f} s of them in the door, "
            f"{self.results / self.in_door:,.0f} results/s"
        )


class Filling:
    """Pushes repos into a hub, as one owner of all namespaces."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.in_door = 0.0
        accounts.add_user(hub, OWNER)
        self._actor = accounts.actor_for(hub, OWNER)

    def benchmark(self, name: str, tasks: list[tuple[str, str]]) -> None:
        """A dataset repo: the card, then ``eval.yaml``."""
        card = {"README.md": f"---\nlanguage: en\n---\n# {name}\n\nThe task {name} of MTEB, without its data.\n"}
        self._push("dataset", scores.NAMESPACE, name, card, {"eval.yaml": scores.eval_yaml(name, tasks)})

    def model(self, model: str, rows: list[scores.Row]) -> None:
        """A model repo: the card, then its results in two halves."""
        namespace, name = scores.repo_id(model)
        head = "---\nlibrary_name: sentence-transformers\ntags: [mteb]\n---\n"
        card = {"README.md": f"{head}# {name}\n\nScores of {model}.\n"}
        files = list(scores.result_files(rows).items())
        self._push("model", namespace, name, card, dict(files[::2]), dict(files[1::2]))

    def _push(self, type_: RepoType, namespace: str, name: str, *commits: Mapping[str, str]) -> None:
        self._add_org(namespace)
        repo = repos.create(self.hub, self._actor, type_, namespace, name)
        with read.open_repo(self.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
            tip = None
            for number, files in enumerate(commits):
                puts = [Put(path, text.encode()) for path, text in files.items()]
                who = Signature(OWNER, f"{OWNER}@users.noreply.localhost", BORN + 60 * number)
                tip = build_commit(incoming, tip, puts, message="Add files", author=who) if puts else tip
            assert tip is not None
            start = time.perf_counter()
            update = RefUpdate(ZERO, tip, MAIN)
            (done,) = receive.apply_ref_updates(self.hub, repo, [update], self._actor, incoming=incoming)
            self.in_door += time.perf_counter() - start
        assert done.ok, done.error

    def _add_org(self, name: str) -> None:
        try:
            accounts.find(self.hub, name)
        except AccountNotFound:
            accounts.add_org(self.hub, name, admin=OWNER)
            self._actor = accounts.actor_for(self.hub, OWNER)


def fill(hub: Hub, table: scores.Table) -> Filled:
    """Push every benchmark, then every model."""
    start = time.perf_counter()
    filling = Filling(hub)
    for name, tasks in table.tasks.items():
        filling.benchmark(name, tasks)
    for model, rows in table.by_model():
        filling.model(model, rows)
    seconds = time.perf_counter() - start
    tasks_in_all = sum(map(len, table.tasks.values()))
    return Filled(len(table.tasks), tasks_in_all, len(table.models), table.rows, seconds, filling.in_door)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which hub a script measures."""
    parser.add_argument("scores", type=Path, help="the table, mteb-scores.tsv.gz")
    parser.add_argument("--data", type=Path, help="a hub that hub.py made (default: make one and remove it afterwards)")
    parser.add_argument("--models", type=int, help="how many models (default: all)")
    parser.add_argument("--benchmarks", type=int, help="how many benchmarks (default: all)")
    parser.add_argument("--quick", action="store_true", help="a small hub and few repetitions")


def table_of(options: argparse.Namespace) -> scores.Table:
    """The part of the table that was asked for; ``--quick`` settles it."""
    size = QUICK if options.quick else {"models": options.models, "benchmarks": options.benchmarks}
    return scores.select(options.scores, **size)


@contextmanager
def filled_hub(options: argparse.Namespace) -> Iterator[Path]:
    """The data folder of the hub to measure: ``--data``, or a temporary one that is filled and goes afterwards."""
    if options.data is not None:
        assert (options.data / "repos").is_dir(), f"{options.data} holds no hub; make one with benchmarks/hub.py"
        yield options.data
        return
    with tempfile.TemporaryDirectory(prefix="glasshub-bench-") as folder:
        make(Path(folder) / "data", table_of(options))
        yield Path(folder) / "data"


def make(data: Path, table: scores.Table) -> Filled:
    """A hub in ``data``; prints what it holds."""
    hub = open_hub(Settings(data=data))
    try:
        filled = fill(hub, table)
    finally:
        hub.close()
    print(filled, flush=True)
    return filled


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    options = parser.parse_args()
    timing.heading("filling a hub")
    if options.data is None:
        with filled_hub(options):
            pass
    elif options.data.exists():
        parser.error(f"{options.data} exists; name a folder that does not")
    else:
        make(options.data, table_of(options))


if __name__ == "__main__":
    main()
