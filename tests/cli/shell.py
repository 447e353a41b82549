"""The command line as people use it: a process of its own, with its words, its input and its answer."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """How a command ended, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[list[str]]:
        """The columns of each line on standard output."""
        return [line.split("\t") for line in self.out.splitlines()]


def glasshub(*words: str, stdin: str = "", cwd: Path | None = None, **environment: str) -> Answer:
    """Run ``glasshub`` with these words; ``stdin`` is not a terminal."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHUB_")}
    done = subprocess.run(
        [sys.executable, "-m", "glasshub", *words],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**known, **environment},
        timeout=60,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Shell:
    """The command line in front of one data folder."""

    data: Path

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        return glasshub("--data", str(self.data), *words, stdin=stdin)

    def says(self, *words: str, stdin: str = "") -> str:
        """What a command that works writes to standard output; what it says beside that is for people."""
        answer = self(*words, stdin=stdin)
        assert answer.code == 0, f"{words}: {answer}"
        return answer.out

    def all(self, *commands: tuple[str, ...]) -> list[Answer]:
        """Several commands, two at a time, since most of a short command is its start."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda words: self(*words), commands))
