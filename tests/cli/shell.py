"""The command line as people use it: a process of its own, with its words, its input and its answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
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


FORK = """
import json, os, sys
from glasshub.cli import main
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if child == 0:
        for number, path in enumerate(job["files"]):
            os.dup2(os.open(path, os.O_RDWR), number)
        sys.argv = ["glasshub", *job["words"]]
        main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Starter:
    """Starts commands from a process that has loaded what they need: each is a process of its own, begun in no time."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / name for name in ("in", "out", "err")]
        known = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHUB_")}
        command = [sys.executable, "-c", FORK]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=known)

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        """As :func:`glasshub`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for path, text in zip(self._files, (stdin, "", ""), strict=True):
            path.write_text(text)
        job = {"words": words, "files": [str(path) for path in self._files]}
        print(json.dumps(job), file=self._process.stdin, flush=True)
        code = int(self._process.stdout.readline())
        return Answer(code, self._files[1].read_text(), self._files[2].read_text())

    def close(self) -> None:
        """End the process."""
        with self._process:
            pass


@dataclass(frozen=True)
class Shell:
    """The command line in front of one data folder; ``run`` starts commands."""

    data: Path
    run: Callable[..., Answer] = glasshub

    def __call__(self, *words: str, stdin: str = "") -> Answer:
        return self.run("--data", str(self.data), *words, stdin=stdin)

    def says(self, *words: str, stdin: str = "") -> str:
        """What a command that works writes to standard output; what it says beside that is for people."""
        answer = self(*words, stdin=stdin)
        assert answer.code == 0, f"{words}: {answer}"
        return answer.out
