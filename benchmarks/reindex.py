"""How long ``glasshub reindex`` takes, and how much memory.

    python benchmarks/reindex.py mteb-scores.tsv.gz [--data DIR] [--times N] [--quick]

Runs the command on a filled hub (see hub.py) as a process of its own. Before each run, the result files of every
twentieth model are read with stock ``git`` and PyYAML's C loader, into plain lists: what reading alone costs.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from pathlib import Path

import hub as hubs
import process
import timing
import yaml

from glasshub import repos
from glasshub.config import Settings
from glasshub.hub import open_hub

SAMPLED = 20


def git_dirs(data: Path) -> list[Path]:
    """The repositories of every twentieth model, at least one."""
    hub = open_hub(Settings(data=data))
    try:
        return [hub.git_dir(repo) for repo in repos.every(hub) if repo.type == "model"][::SAMPLED]
    finally:
        hub.close()


def read_plainly(git_dir: Path) -> int:
    """Read the result files of one repository; the number of results in them."""
    listed = subprocess.run(
        ["git", "-C", str(git_dir), "ls-tree", "--format=%(objectname)", "main:.eval_results"],
        capture_output=True,
        check=True,
    )
    read = subprocess.run(
        ["git", "-C", str(git_dir), "cat-file", "--batch"], input=listed.stdout, capture_output=True, check=True
    )
    return sum(len(yaml.load(blob, yaml.CSafeLoader)) for blob in blobs(read.stdout))


def blobs(output: bytes) -> list[bytes]:
    """The objects in what ``git cat-file --batch`` wrote."""
    found, place = [], 0
    while place < len(output):
        end = output.index(b"\n", place)
        size = int(output[place:end].split()[2])
        found.append(output[end + 1 : end + 1 + size])
        place = end + 2 + size
    return found


def results_in(data: Path) -> int:
    """How many results the index holds."""
    hub = open_hub(Settings(data=data))
    try:
        return int(hub.index.read().execute("SELECT count(*) FROM results").fetchone()[0])
    finally:
        hub.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    hubs.add_arguments(parser)
    parser.add_argument("--times", type=int, help="how often (default: 3)")
    options = parser.parse_args()
    timing.heading("reindex")
    with hubs.filled_hub(options) as data:
        sampled, results = git_dirs(data), results_in(data)
        print(f"{results:,} results; read plainly: those of {len(sampled)} models")
        for _ in range(options.times or (1 if options.quick else 3)):
            start = time.perf_counter()
            plainly = sum(map(read_plainly, sampled)) / (time.perf_counter() - start)
            done = process.run(["-m", "glasshub", "--data", str(data), "reindex"])
            rate = results / done.seconds
            timing.line("reindex", f"{done}   {rate:,.0f} results/s   (read plainly: {plainly:,.0f}/s)")


if __name__ == "__main__":
    main()
