"""What reading a result file or an ``eval.yaml`` costs, sound or made to cost much.

    python benchmarks/parsing.py [--times N] [--only WORD]

Each file is read at 100 kB and at the largest size that is taken; the best of N is shown, in milliseconds of
processor time per 100 kB. The promise is 100 ms per 100 kB. Beside the sound files stands what PyYAML's C loader
takes for them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import timing
import yaml
from hostile_files import FILES

from glasshub.evals import eval_results, eval_yaml

PROMISED = 100.0
SMALL = 100_000


def cost(read: Callable[[bytes], object], data: bytes, times: int) -> float:
    """Milliseconds of processor time per 100 kB, the best of several."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        read(data)
        best = min(best, time.process_time() - start)
    return best * 1000 * SMALL / len(data)


def read_results(data: bytes) -> object:
    return eval_results.parse_result_file(data, "r.yaml")


def read_plainly(data: bytes) -> object:
    return yaml.load(data, yaml.CSafeLoader)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--only", default="", help="only files with this in their name")
    options = parser.parse_args()
    times = options.times
    timing.heading("Reading files")
    kinds = (
        ("result file", read_results, eval_results.MAX_BYTES),
        ("eval.yaml", eval_yaml.parse_eval_yaml, eval_yaml.MAX_BYTES),
    )
    worst = 0.0
    for name, make in ((name, make) for name, make in FILES.items() if options.only in name):
        costs = []
        for _, read, largest in kinds:
            for size in (SMALL, largest):
                costs.append(cost(read, make(size)[:largest], times))
        worst = max(worst, *costs)
        told = "   ".join(
            f"{kind} {costs[2 * at]:6.1f} {costs[2 * at + 1]:6.1f}" for at, (kind, _, _) in enumerate(kinds)
        )
        timing.line(name, told)
    for name in ("sound results", "a sound benchmark"):
        timing.line(f"{name}, with PyYAML alone", f"{cost(read_plainly, FILES[name](SMALL), times):6.1f}")
    timing.line("the worst of all, in ms per 100 kB", f"{worst:6.1f} (promised: {PROMISED:.0f})")


if __name__ == "__main__":
    main()
