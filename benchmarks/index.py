"""How fast the index is on a hub with real scores.

    python benchmarks/index.py mteb-scores.tsv.gz [--models N] [--tasks N]

The file has a header and tab-separated columns ``model, model_revision, task, dataset_revision, split, subset,
main_score, ...``. Every task becomes a benchmark, every model a repo, every (model, task) one result (split
``test`` and subset ``default`` where there are several). Repos are written to the index from snapshots; a further
model with 500 result files is pushed into a real repository and synced through git.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from glasshub import accounts, indexing, receive, repos
from glasshub.access import Visibility
from glasshub.cards import Card
from glasshub.config import Settings
from glasshub.evals.eval_results import ResultEntry, Source
from glasshub.evals.eval_yaml import BenchmarkSpec, Metric, Task
from glasshub.git import read
from glasshub.git.build import Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefUpdate
from glasshub.hub import Hub, open_hub
from glasshub.identity import Repo
from glasshub.index import queries, sync
from glasshub.index.snapshot import FileResult, Observed, Owner, RepoFacts, RepoSnapshot

DATE = "2026-01-01T00:00:00.000Z"
PUSHED_RESULTS = 500
Scores = dict[str, dict[str, str]]


def load(path: Path, models: int, tasks: int) -> Scores:
    """Model -> task -> score as written."""
    scores: Scores = {}
    kept: set[str] = set()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            model, task = row["model"], row["task"]
            if not math.isfinite(float(row["main_score"] or "nan")):
                continue
            if (model not in scores and len(scores) >= models) or (task not in kept and len(kept) >= tasks):
                continue
            kept.add(task)
            found = scores.setdefault(model, {})
            if task not in found or (row["split"], row["subset"]) == ("test", "default"):
                found[task] = row["main_score"]
    return scores


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def observed(type: str, repo_id: str) -> Observed:
    namespace, name = repo_id.split("/", 1)
    facts = RepoFacts(type, namespace, name, False, DATE, (), True)
    return Observed(Path(), facts, Owner(namespace, "org", ""), {"refs/heads/main": key_of(repo_id) + "0" * 16})


def dataset(task: str) -> RepoSnapshot:
    spec = BenchmarkSpec(task, "", "custom", (Task("main", "default", "test", Metric(name="main_score")),))
    head = hashlib.sha1(task.encode()).hexdigest()
    seen = observed("dataset", f"mteb/{task}")
    return RepoSnapshot(key_of(f"d {task}"), seen, head, DATE, Card(), spec, commits=frozenset({head}))


def _entry(task: str, value: str) -> ResultEntry:
    source = Source("https://github.com/embeddings-benchmark/results", "MTEB results")
    path = f".eval_results/{task}.yaml"
    return ResultEntry(path, 0, 1, f"mteb/{task}", "main", float(value), value, source=source)


def model(name: str, scores: dict[str, str]) -> RepoSnapshot:
    seen = observed("model", name.replace("/", "__").replace("__", "/", 1) if "/" in name else f"nobody/{name}")
    commit = hashlib.sha1(name.encode()).hexdigest()
    results = tuple(FileResult(_entry(task, value), commit, DATE, "") for task, value in scores.items())
    return RepoSnapshot(key_of(f"m {name}"), seen, commit, DATE, Card(title=name), results=results)


def fill(hub: Hub, scores: Scores) -> int:
    tasks = sorted({task for found in scores.values() for task in found})
    snapshots = [dataset(task) for task in tasks] + [model(name, found) for name, found in scores.items()]
    for snap in snapshots:
        with hub.index.write() as db:
            sync.write(db, snap)
    return len(tasks)


def push_model(hub: Hub, scores: dict[str, str]) -> Repo:
    """A model with one result file per task, committed in three steps and pushed through the door."""
    accounts.add_user(hub, "pusher")
    actor = accounts.actor_for(hub, "pusher")
    repo = repos.create(hub, actor, "model", "pusher", "many")
    files = [
        (f".eval_results/{task}.yaml", f"- dataset: {{id: mteb/{task}, task_id: main}}\n  value: {value}\n")
        for task, value in scores.items()
    ]
    parent = None
    with read.open_repo(hub.git_dir(repo)) as git, Quarantine(git) as incoming:
        for step in range(3):
            puts = [Put(path, text.encode()) for path, text in files[step::3]]
            who = Signature("P", "p@example.org", 1_700_000_000 + step)
            parent = build_commit(incoming, parent, puts, message="Add", author=who)
        done = receive.apply_ref_updates(
            hub, repo, [RefUpdate(ZERO, parent, "refs/heads/main")], actor, incoming=incoming
        )
    assert done[0].ok, done[0].error
    return repo


def measure(name: str, action: Callable[[], object], *, times: int = 15) -> None:
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        durations.append((time.perf_counter() - start) * 1000)
    print(f"{name:58} median {statistics.median(durations):9.2f} ms   max {max(durations):9.2f} ms", flush=True)


def home(hub: Hub) -> Iterator[object]:
    db, see = hub.index.read(), Visibility()
    yield queries.totals(db, see)
    yield queries.benchmarks(db, see, limit=12)
    yield queries.newest_results(db, see, limit=10)


def report(hub: Hub, scores: Scores) -> None:
    db, see, member = hub.index.read(), Visibility(), Visibility(namespaces=("mteb", "pusher"))
    busiest = max({t for s in scores.values() for t in s}, key=lambda t: sum(t in s for s in scores.values()))
    largest = max(scores, key=lambda name: len(scores[name]))
    pushed = dict(list(scores[largest].items())[:PUSHED_RESULTS])
    board, snap = key_of(f"d {busiest}"), model(largest, scores[largest])
    first = queries.leaderboard(db, see, board, "main", limit=100)
    print(f"leaderboard {busiest}: {first.total} models; model {largest}: {len(scores[largest])} results")
    measure("leaderboard, first 100", lambda: queries.leaderboard(db, see, board, "main", limit=100), times=50)
    measure("leaderboard, first 100, as a member", lambda: queries.leaderboard(db, member, board, "main", limit=100))
    measure(
        "leaderboard, next 100", lambda: queries.leaderboard(db, see, board, "main", limit=100, cursor=first.cursor)
    )
    measure(f"results of a model ({len(snap.results)})", lambda: queries.results_of_model(db, see, snap.key))
    measure("home page (totals, 12 benchmarks, 10 newest results)", lambda: list(home(hub)))
    measure("list of 50 models", lambda: queries.repos(db, see, type="model"))
    measure("search", lambda: queries.repos(db, see, search="multilingual small"))
    repo = push_model(hub, pushed)
    measure(
        f"sync of a model with {len(pushed)} result files, from git",
        lambda: indexing.sync_repo(hub, repo.key, force=True),
    )
    measure("sync of it when nothing changed", lambda: indexing.sync_repo(hub, repo.key))
    assert len(queries.results_of_model(db, see, repo.key)) == len(pushed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path)
    parser.add_argument("--models", type=int, default=10**9)
    parser.add_argument("--tasks", type=int, default=10**9)
    options = parser.parse_args()
    scores = load(options.scores, options.models, options.tasks)
    with tempfile.TemporaryDirectory() as folder:
        hub = open_hub(Settings(data=Path(folder) / "data"))
        start = time.perf_counter()
        tasks = fill(hub, scores)
        seconds = time.perf_counter() - start
        results = sum(map(len, scores.values()))
        size = hub.settings.index_path.stat().st_size / 1e6
        print(f"{len(scores)} models, {tasks} benchmarks, {results} results, {size:.0f} MB")
        print(f"filled in {seconds:.1f} s, {results / seconds:.0f} results/s")
        report(hub, scores)
        hub.close()


if __name__ == "__main__":
    main()
