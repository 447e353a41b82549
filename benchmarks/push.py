"""How long a push takes, how much of it is the index, and when the score can be seen.

    python benchmarks/push.py mteb-scores.tsv.gz [--data DIR] [--pushes N] [--quick]

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import hub as hubs
import process
import timing

from glasshub import accounts, repos
from glasshub.access import Visibility
from glasshub.config import Settings
from glasshub.hub import open_hub
from glasshub.index import queries

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
        value = f"1.{number + 1:04d}1"  # above every real score, so that it stands on the first page
        target = self.folder / ".eval_results"
        target.mkdir(exist_ok=True)
        for place, (benchmark, task) in enumerate(self.benchmarks):
            written = value if not place else f"1.{number + 1:04d}{place + 1}"
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


@contextmanager
def login(data: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A token of the owner of the hub's repos, and ten tasks with many models; what was pushed goes afterwards."""
    hub = open_hub(Settings(data=data))
    try:
        boards = queries.benchmarks(hub.index.read(), Visibility(), limit=RESULTS).items
        print(f"{len(repos.every(hub)):,} repos", flush=True)
        secret, info = accounts.create_token(hub, hubs.OWNER, scope="write")
        yield secret, [(board.name, board.tasks[0].task_id) for board in boards]
        actor = accounts.actor_for(hub, hubs.OWNER)
        repos.delete(hub, actor, repos.find(hub, "model", hubs.OWNER, MODEL))
        accounts.revoke_token(hub, hubs.OWNER, info.id)
    finally:
        hub.close()


def look(port: int, benchmark: str, task: str, value: str) -> bool:
    """Whether the leaderboard page shows ``value``, on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", f"/datasets/mteb/{benchmark}/leaderboard?task={quote(task)}")
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


def report(measured: Measured, syncs: list[tuple[float, ...]]) -> None:
    """Print what was measured, without the first push, which warms up."""
    hub, backend, local, first_look = (
        timing.Durations(values[1:]) for values in (measured.hub, measured.backend, measured.local, measured.look)
    )
    timing.line("score on the page at the first look after the push", f"{measured.seen} of {len(measured.hub)} pushes")
    timing.line("that look (a page of the leaderboard)", first_look)
    on_clock, worked = map(timing.Durations, zip(*syncs[-len(hub.values) :], strict=True))
    timing.line(f"index sync within a push of {RESULTS} results", f"{on_clock}   processor p50 {worked.p50:.2f} ms")
    timing.line("push to the hub", hub)
    timing.line("the same push to git http-backend", f"{backend}   hub x{hub.over(backend):.2f}")
    timing.line("the same push into a bare repository (file://)", f"{local}   hub x{hub.over(local):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    hubs.add_arguments(parser)
    parser.add_argument("--pushes", type=int, help="default: 60")
    parser.set_defaults(**SIZE)
    options = parser.parse_args()
    timing.heading("pushes")
    pushes = options.pushes or (5 if options.quick else 60)
    with (
        hubs.filled_hub(options) as data,
        tempfile.TemporaryDirectory(prefix="glasshub-bench-") as folder,
        login(data) as (secret, chosen),
    ):
        report(*against_peers(data, Path(folder), secret, chosen, pushes))


def against_peers(
    data: Path, folder: Path, secret: str, chosen: list[tuple[str, str]], pushes: int
) -> tuple[Measured, list[tuple[float, ...]]]:
    """Serve the hub and its peers, and push.

    Returns what was measured, and of every index sync the milliseconds on the clock and of the processor.
    """
    log, plain = folder / "syncs", folder / "plain"
    for bare in ("backend.git", "local.git"):
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(plain / bare)], check=True)
    subprocess.run(["git", "-C", str(plain / "backend.git"), "config", "http.receivepack", "true"], check=True)
    program = (str(HERE / "timed_hub.py"), str(log))
    with (
        process.hub_server(data, program=program) as server,
        process.server([str(HERE / "http_backend.py"), str(plain)]) as backend,
    ):
        remotes = {
            "hub": f"http://{hubs.OWNER}:{secret}@127.0.0.1:{server.port}/{hubs.OWNER}/{MODEL}",
            "backend": f"{backend.url}/backend.git",
            "local": f"file://{plain / 'local.git'}",
        }
        clone = Clone(folder / "clone", remotes, chosen)
        subprocess.run(["git", "init", "-q", "-b", "main", str(clone.folder)], check=True)
        measured = run(clone, server.port, pushes)
    return measured, [tuple(map(float, line.split())) for line in log.read_text().splitlines()]


if __name__ == "__main__":
    main()
