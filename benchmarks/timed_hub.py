"""The command line of the hub, noting how long every index sync takes.

    python benchmarks/timed_hub.py FILE [glasshub's arguments]

Appends a line for each :func:`glasshub.indexing.sync_repo` to the file: its milliseconds on the clock, and those of the
processor.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from glasshub import cli, indexing


def main() -> None:
    log = Path(sys.argv.pop(1))
    sync = indexing.sync_repo

    def timed(*args: Any, **options: Any) -> indexing.Outcome:
        start, worked = time.perf_counter(), time.thread_time()
        try:
            return sync(*args, **options)
        finally:
            taken = ((time.perf_counter() - start) * 1000, (time.thread_time() - worked) * 1000)
            with log.open("a") as file:
                file.write("{} {}\n".format(*taken))

    indexing.sync_repo = timed
    cli.main()


if __name__ == "__main__":
    main()
