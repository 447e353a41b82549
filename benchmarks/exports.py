"""How long the export of a whole hub takes, how large it is, and how much memory that needs.

    python benchmarks/exports.py mteb-scores.tsv.gz [--data DIR] [--quick]

On a filled hub (see hub.py), each format in a process of its own, without HTTP around it.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import hub as hubs
import timing

from glasshub.access import Visibility
from glasshub.config import Settings
from glasshub.exports import contents, formats
from glasshub.hub import open_hub


def measure(data: Path, name: str) -> str:
    """Write everything in one format to nowhere."""
    hub = open_hub(Settings(data=data))
    try:
        start, busy, size = time.perf_counter(), time.process_time(), 0
        with contents.moment(hub, Visibility()) as now:
            for block in formats.blocks(formats.find(name).write(now.everything())):
                size += len(block)
    finally:
        hub.close()
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"{size / 1e6:,.1f} MB in {seconds:.1f} s ({busy:.1f} s of processor time), peak memory {peak:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    hubs.add_arguments(parser)
    options = parser.parse_args()
    timing.heading("exports")
    with hubs.filled_hub(options) as data:
        for format in formats.offered():
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                print(f"{format.name}: {alone.submit(measure, data, format.name).result()}", flush=True)


if __name__ == "__main__":
    main()
