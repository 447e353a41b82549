"""The command line of the hub, noting how long every index sync takes.

    python benchmarks/timed_hub.py FILE [glasshub's arguments]

Appends the milliseconds of each :func:`glasshub.indexing.sync_repo` to the file, a line each.
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
        start = time.perf_counter()
        try:
            return sync(*args, **options)
        finally:
            taken = (time.perf_counter() - start) * 1000
            with log.open("a") as file:
                file.write(f"{taken}\n")

    indexing.sync_repo = timed
    cli.main()


if __name__ == "__main__":
    main()
