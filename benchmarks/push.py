"""How long a push takes, how much of it is the index, and when the score can be seen.

    python benchmarks/push.py mteb-scores.tsv.gz [--pushes N] [--quick]

Fills a hub with 1,000 repos (400 models, 600 benchmarks; see hub.py) and serves it. Stock ``git`` then pushes commits
that change ten results of a model: in turns to the hub, to ``git http-backend`` behind the same web server
(http_backend.py), and into a bare repository on the same disk. As soon as the push to the hub has returned, the
leaderboard page is fetched once; the new score has to stand on it.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import hub as hubs
import process
import scores
import timing

from glasshub import accounts
from glasshub.config import Settings
from glasshub.hub import open_hub

HERE = Path(__file__).parent
RESULTS = 10
SIZE = {"models": 400, "benchmarks": 600}
MODEL = "pushed"


@dataclass(frozen=True)
class Clone:
    """A working copy with remotes to push to."""

    folder: Path
    remotes: Mapping[str, str]
    benchmarks: list[tuple[str, str]]

    def commit(self, number: int) -> str:
        """Change every result; returns the first one's value as written."""
        value = f"0.{number + 1:04d}1"
        target = self.folder / ".eval_results"
        target.mkdir(exist_ok=True)
        for place, (benchmark, task) in enumerate(self.benchmarks):
            written = value if not place else f"0.{number + 1:04d}{place + 1}"
            text = f"- dataset:\n    id: mteb/{benchmark}\n    task_id: {task}\n  value: {written}\n"
            (target / f"{benchmark}.yaml").write_text(text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", f"Measure again, {number}")
        return value

    def push(self, remote: str) -> str:
        """Push ``main``; what git said."""
        return self.git("push", self.remotes[remote], "main")

    def git(self, *words: str) -> str:
        """Run git here."""
        who = ["-c", "user.name=pusher", "-c", "user.email=pusher@users.noreply.localhost", "-c", "gc.auto=0"]
        done = subprocess.run(
            ["git", "-C", str(self.folder), *who, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr


@dataclass
class Measured:
    """Milliseconds, a value for each push: to the three remotes, and of the first look at the board."""

    hub: list[float]
    backend: list[float]
    local: list[float]
    look: list[float]
    seen: int = 0


def token(data: Path) -> str:
    """A token of the owner of the hub's repos."""
    hub = open_hub(Settings(data=data))
    try:
        return accounts.create_token(hub, hubs.OWNER, scope="write")[0]
    finally:
        hub.close()


def look(port: int, benchmark: str, task: str, value: str) -> bool:
    """Whether the leaderboard page shows ``value``, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/datasets/mteb/{benchmark}/leaderboard?task={task}&base_model=all")
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    assert answer.status == 200, body[:300]
    return MODEL in body and value in body


def run(clone: Clone, port: int, pushes: int) -> Measured:
    """Push again and again, to each remote in turns."""
    measured = Measured([], [], [], [])
    benchmark, task = clone.benchmarks[0]
    for number in range(pushes):
        value = clone.commit(number)
        measured.hub.append(timing.timed(lambda: clone.push("hub")))
        start = time.perf_counter()
        measured.seen += look(port, benchmark, task, value)
        measured.look.append((time.perf_counter() - start) * 1000)
        measured.backend.append(timing.timed(lambda: clone.push("backend")))
        measured.local.append(timing.timed(lambda: clone.push("local")))
    return measured


def report(measured: Measured, syncs: list[float]) -> None:
    """Print what was measured, without the first push, which warms up."""
    hub, backend, local, first_look = (
        timing.Durations(values[1:]) for values in (measured.hub, measured.backend, measured.local, measured.look)
    )
    timing.line("score on the page at the first look after the push", f"{measured.seen} of {len(measured.hub)} pushes")
    timing.line("that look (a page of the leaderboard)", first_look)
    timing.line(f"index sync within a push of {RESULTS} results", timing.Durations(syncs[-len(hub.values) :]))
    timing.line("push to the hub", hub)
    timing.line("the same push to git http-backend", f"{backend}   hub x{hub.over(backend):.2f}")
    timing.line("the same push into a bare repository (file://)", f"{local}   hub x{hub.over(local):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", type=Path, help="the table, mteb-scores.tsv.gz")
    parser.add_argument("--pushes", type=int, help="default: 60")
    parser.add_argument("--quick", action="store_true", help="a small hub and few pushes")
    options = parser.parse_args()
    pushes = options.pushes or (5 if options.quick else 60)
    table = scores.select(options.scores, **(hubs.QUICK if options.quick else SIZE))
    with tempfile.TemporaryDirectory(prefix="glasshub-bench-") as name:
        folder = Path(name)
        data, plain, log = folder / "data", folder / "plain", folder / "syncs"
        hubs.make(data, table)
        for bare in ("backend.git", "local.git"):
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(plain / bare)], check=True)
        subprocess.run(["git", "-C", str(plain / "backend.git"), "config", "http.receivepack", "true"], check=True)
        program = (str(HERE / "timed_hub.py"), str(log))
        with (
            process.hub_server(data, program=program) as server,
            process.server([str(HERE / "http_backend.py"), str(plain)]) as backend,
        ):
            remotes = {
                "hub": f"http://{hubs.OWNER}:{token(data)}@127.0.0.1:{server.port}/{hubs.OWNER}/{MODEL}",
                "backend": f"{backend.url}/backend.git",
                "local": f"file://{plain / 'local.git'}",
            }
            chosen = [(benchmark, ".".join(tasks[0])) for benchmark, tasks in list(table.tasks.items())[:RESULTS]]
            clone = Clone(folder / "clone", remotes, chosen)
            subprocess.run(["git", "init", "-q", "-b", "main", str(clone.folder)], check=True)
            measured = run(clone, server.port, pushes)
        report(measured, [float(line) for line in log.read_text().split()])


if __name__ == "__main__":
    main()
