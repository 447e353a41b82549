"""The server is killed (-9) in the middle of a push by stock git; what it left is right as soon as it runs again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from glasshub import accounts
from glasshub.config import Settings
from glasshub.hub import open_hub
from tests.conftest import free_port, start_server, stop_server
from tests.push.gitclient import ENVIRONMENT, WorkTree, clone, init

pytestmark = pytest.mark.slow

# Where it dies, and whether the push has happened then.
STEPS = {
    "glasshub.git.quarantine:Quarantine.receive/after": False,
    "glasshub.git.quarantine:Quarantine.migrate/after": False,
    "glasshub.git.refs:set_refs/before": True,  # the note of what is to move has been written
    "glasshub.git.refs:apply_updates/after": True,
    "glasshub.index.sync:write/after": True,
}
EVAL_YAML = "name: Quiz\nevaluation_framework: custom\ntasks:\n  - id: t\n"
HERE = Path(__file__).parents[2]


@dataclass
class Shop:
    """A data folder with a benchmark and a model, and the model's work tree."""

    data: Path
    port: int
    tree: WorkTree
    owner: str
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def report(self, value: float) -> None:
        """Commit a result."""
        text = f"- dataset: {{id: {self.owner}/quiz, task_id: t}}\n  value: {value}\n"
        self.tree.commit(f"Report {value}", **{".eval_results/own.yaml": text})

    def board(self) -> list[float]:
        """The values on the leaderboard."""
        with urllib.request.urlopen(f"{self.url}/api/datasets/{self.owner}/quiz/leaderboard", timeout=10) as answer:
            return [row["value"] for row in json.load(answer)]

    @contextmanager
    def serving(self, step: str = "") -> Iterator[subprocess.Popen]:
        """A server; with ``step`` one that dies there."""
        process = self._deadly(step) if step else start_server(self.data, self.port, log=self.log)
        try:
            yield process
        finally:
            stop_server(process)

    def _deadly(self, step: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.push.deadly_server", str(self.data), str(self.port), step]
        with self.log.open("ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=HERE)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/", timeout=10):
                    return process
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    data, port = tmp_path / "data", free_port()
    hub = open_hub(Settings(data=data))
    accounts.add_user(hub, "ada")
    token, _ = accounts.create_token(hub, "ada", scope="write")
    hub.close()
    url = f"http://ada:{token}@127.0.0.1:{port}"
    made = Shop(data, port, init(tmp_path / "model", f"{url}/ada/net"), "ada", tmp_path / "log")
    quiz = init(tmp_path / "quiz", f"{url}/datasets/ada/quiz")
    quiz.commit("Ask", **{"eval.yaml": EVAL_YAML})
    made.report(0)
    with made.serving():
        quiz.git("push", "-q", "origin", "main")
        made.tree.git("push", "-q", "origin", "main")
        assert made.board() == [0]
    return made


def test_killed_at_any_step_it_has_all_or_nothing_after_the_next_start(shop: Shop, tmp_path: Path):
    shown = 0.0
    for number, (step, moved) in enumerate(STEPS.items(), start=1):
        value = number / 8
        shop.report(value)
        with shop.serving(step) as server:
            assert shop.board() == [shown], f"before {step}"
            refused = shop.tree.git("push", "origin", "main", check=False)
            assert not refused.ok
            assert server.wait(10) == -signal.SIGKILL
        shown = value if moved else shown
    with shop.serving():
        assert shop.board() == [shown]
        assert not list(shop.data.glob("repos/*/*/quarantine"))
        shop.report(1)
        shop.tree.git("push", "-q", "origin", "main")
        assert shop.board() == [1]
        assert clone(f"{shop.url}/ada/net", tmp_path / "copy").head() == shop.tree.head()
        check = [sys.executable, "-m", "glasshub", "--data", str(shop.data), "check"]
        done = subprocess.run(check, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, ""), done


def test_a_worker_that_dies_alone_is_replaced_by_one_that_finishes_its_work(shop: Shop):
    shop.report(0.5)
    with shop.serving("glasshub.git.refs:apply_updates/after/alone") as server:
        assert not shop.tree.git("push", "origin", "main", check=False).ok
        deadline = time.monotonic() + 10
        while shop.board() != [0.5] and time.monotonic() < deadline:
            time.sleep(0.05)
        assert shop.board() == [0.5]
        assert server.poll() is None


def test_killed_while_a_large_push_comes_in_it_takes_the_push_again(shop: Shop, tmp_path: Path):
    shop.tree.write("weights.bin", os.urandom(8_000_000))
    shop.tree.commit("Weights")
    pushing = ["git", "-c", "http.postBuffer=65536", "push", "-q", "origin", "main"]
    server = start_server(shop.data, shop.port, log=shop.log, workers=1)
    with (tmp_path / "said").open("wb") as said:
        push = subprocess.Popen(pushing, cwd=shop.tree.path, stderr=said, env={**os.environ, **ENVIRONMENT})
    deadline = time.monotonic() + 20
    while not list(shop.data.glob("repos/*/*/quarantine/*/pack/incoming.tmp")) and time.monotonic() < deadline:
        time.sleep(0.001)
    workers = subprocess.run(["pgrep", "-P", str(server.pid)], capture_output=True, text=True).stdout.split()
    for pid in (server.pid, *map(int, workers)):
        os.kill(pid, signal.SIGKILL)
    server.wait(10)
    assert push.wait(30) != 0
    with shop.serving():
        assert not list(shop.data.glob("repos/*/*/quarantine"))
        shop.tree.git("push", "-q", "origin", "main")
        copy = clone(f"{shop.url}/ada/net", tmp_path / "copy")
        assert (copy.path / "weights.bin").read_bytes() == (shop.tree.path / "weights.bin").read_bytes()
