"""How fast the index answers and follows, without HTTP around it.

    python benchmarks/index.py mteb-scores.tsv.gz [--data DIR] [--quick]

On a filled hub (see hub.py): the queries behind pages and API, and the sync of a model with 500 result files that is
pushed for it and deleted afterwards.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import hub as hubs
import scores
import timing

from glasshub import accounts, indexing, receive, repos
from glasshub.access import Visibility
from glasshub.config import Settings
from glasshub.git import read
from glasshub.git.build import Put, Signature, build_commit
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefUpdate
from glasshub.hub import Hub, open_hub
from glasshub.identity import Actor, Repo
from glasshub.index import queries
from glasshub.index.rows import BenchmarkRow, RepoRow

FILES = 500
EVERYBODY = Visibility()
MEMBER = Visibility(namespaces=(scores.NAMESPACE, hubs.OWNER))


def asked(hub: Hub, board: BenchmarkRow, model: RepoRow) -> dict[str, Callable[[], object]]:
    """The queries, by what they are for."""
    db, task = hub.index.read(), board.tasks[0].task_id
    first = queries.leaderboard(db, EVERYBODY, board.key, task)
    return {
        f"leaderboard, first 100 of {first.total}": lambda: queries.leaderboard(db, EVERYBODY, board.key, task),
        "leaderboard, first 100, for a member": lambda: queries.leaderboard(db, MEMBER, board.key, task),
        "leaderboard, the next 100": lambda: queries.leaderboard(db, EVERYBODY, board.key, task, cursor=first.cursor),
        f"results of a model ({model.results:,})": lambda: queries.results_of_model(db, EVERYBODY, model.key),
        "home: totals": lambda: queries.totals(db, EVERYBODY),
        "home: newest results": lambda: queries.newest_results(db, EVERYBODY),
        "50 benchmarks": lambda: queries.benchmarks(db, EVERYBODY),
        "50 models": lambda: queries.repos(db, EVERYBODY, type="model"),
        "search": lambda: queries.repos(db, EVERYBODY, search="multilingual small"),
    }


def push(hub: Hub, actor: Actor) -> Repo:
    """A model with one result in each of many files, committed in three steps and pushed through the door."""
    repo = repos.create(hub, actor, "model", hubs.OWNER, "many")
    boards = queries.benchmarks(hub.index.read(), EVERYBODY, limit=FILES).items
    files = [
        Put(
            f".eval_results/{board.name}.yaml",
            f"- dataset: {{id: {board.dataset_id}, task_id: {board.tasks[0].task_id}}}\n  value: 0.5\n".encode(),
        )
        for board in boards
    ]
    parent = None
    with read.open_repo(hub.git_dir(repo)) as git, Quarantine(git) as incoming:
        for step in range(3):
            who = Signature(hubs.OWNER, "", hubs.BORN + step)
            parent = build_commit(incoming, parent, files[step::3], message="Add", author=who)
        assert parent is not None
        update = RefUpdate(ZERO, parent, hubs.MAIN)
        (done,) = receive.apply_ref_updates(hub, repo, [update], actor, incoming=incoming)
    assert done.ok, done.error
    return repo


def report(hub: Hub, times: int) -> None:
    """Measure and print."""
    db = hub.index.read()
    board = queries.benchmarks(db, EVERYBODY, limit=1).items[0]
    model = queries.repos(db, EVERYBODY, type="model", sort="results", limit=1).items[0]
    for name, action in asked(hub, board, model).items():
        (taken,) = timing.in_turns([action], times)
        timing.line(name, taken)
    actor = accounts.actor_for(hub, hubs.OWNER)
    repo = push(hub, actor)
    try:
        results = len(queries.results_of_model(db, EVERYBODY, repo.key))
        whole, nothing = timing.in_turns(
            [
                lambda: indexing.sync_repo(hub, repo.key, force=True),
                lambda: indexing.sync_repo(hub, repo.key),
            ],
            times,
        )
        timing.line(f"sync of a model with {results} result files", f"{whole}   {results / whole.p50 * 1000:,.0f}/s")
        timing.line("sync of it when nothing has changed", nothing)
    finally:
        repos.delete(hub, actor, repo)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    hubs.add_arguments(parser)
    options = parser.parse_args()
    timing.heading("the index")
    with hubs.filled_hub(options) as data:
        hub = open_hub(Settings(data=data))
        try:
            report(hub, 5 if options.quick else 50)
        finally:
            hub.close()


if __name__ == "__main__":
    main()
