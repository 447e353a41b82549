"""The demo: filled in seconds, complete, safe to start again, and served with everything a newcomer needs."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from glasshub import accounts, check, clock, demo, demo_run, demo_story, repos, runs
from glasshub.access import Visibility
from glasshub.config import Settings
from glasshub.errors import Conflict
from glasshub.git import read
from glasshub.hub import open_hub
from glasshub.index import queries
from tests.conftest import free_port, stop_server
from tests.require import require

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def state(hub) -> dict[str, str]:
    """Every ref of every repo."""
    found = {}
    for repo in repos.every(hub):
        with read.open_repo(hub.git_dir(repo)) as git:
            found |= {f"{repo.path} {ref}": id for ref, id in read.list_refs(git).items()}
    return found


@pytest.fixture(scope="module")
def populated(tmp_path_factory):
    hub = open_hub(Settings(data=tmp_path_factory.mktemp("demo") / "data"))
    accounts.add_user(hub, demo.ADMIN, password="a long password", admin=True)
    started = time.monotonic()
    demo.populate(hub)
    assert time.monotonic() - started < 30
    yield hub
    hub.close()


def test_it_holds_every_sample_with_a_history(populated):
    found = {(repo.type, repo.namespace, repo.name) for repo in repos.every(populated)}
    kept_by_the_hub = {("dataset", "hub", "verification")}
    assert found - kept_by_the_hub == {(sample.type, sample.namespace, sample.name) for sample in demo.samples()}
    repo = repos.find(populated, "model", "BAAI", "bge-large-en-v1.5")
    with read.open_repo(populated.git_dir(repo)) as git:
        commits = read.history(git, read.resolve_revision(git, "main").commit)
    assert [commit.title for commit in commits] == ["Add the scores", "Write the card"]
    assert {commit.author_email for commit in commits} == {f"{name}@users.noreply.localhost" for name in demo.CURATORS}
    assert commits[1].date < commits[0].date <= clock.now()


def test_it_tells_of_proposed_merged_disputed_and_hidden_scores(populated):
    db = populated.index.read()
    model = repos.find(populated, "model", "mara", "first-option")
    shown = [row for row in queries.results_of_model(db, Visibility(), model.key) if row.task_id == "choice"]
    assert sorted((row.value, row.origin, row.submitter) for row in shown) == [
        (2 / 9, "author", "mara"),
        (1 / 3, "community", "noor"),
    ]
    (hidden,) = queries.hidden_results(db, model.key)
    assert (hidden.value_text, hidden.hidden_by) == ("0.25925925925925924", "mara")
    assert "Miscounted" in hidden.reason
    merged = repos.find(populated, "model", "thenlper", "gte-base")
    (arguana,) = [r for r in queries.results_of_model(db, Visibility(), merged.key) if r.task_id == "ArguAna"]
    assert (arguana.origin, arguana.submitter, arguana.via_pull, arguana.merged_by) == ("author", "noor", 1, "jonas")


def test_doing_it_again_changes_nothing(populated):
    before = state(populated)
    demo.populate(populated)
    assert state(populated) == before


def start(data: Path, port: int, log: Path, **options) -> subprocess.Popen:
    """Start ``glasshub demo`` and wait for what it says when it is ready."""
    command = [sys.executable, "-m", "glasshub", "--data", str(data), "demo", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **options)
    deadline = time.monotonic() + 90
    while "Ctrl-C" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return process


def test_killed_while_it_fills_the_hub_and_then_started_twice_at_once_it_fills_one_hub(tmp_path):
    data, ports = tmp_path / "data", [free_port(), free_port()]
    command = [sys.executable, "-m", "glasshub", "--data", str(data), "demo", "--port", str(ports[0])]
    with (tmp_path / "first.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        while len(list(data.glob("repos/*/*.git"))) < 5:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    password = (data / demo.LOGIN_FILE).read_text()
    with ThreadPoolExecutor(2) as pool:
        started = list(pool.map(lambda port: start(data, port, tmp_path / f"{port}.log"), ports))
    for process in started:
        stop_server(process)
    shown = [(tmp_path / f"{port}.log").read_text().split("Sign in at")[1].split("kept in")[0] for port in ports]
    assert shown[0].replace(str(ports[0]), "") == shown[1].replace(str(ports[1]), "")
    assert (data / demo.LOGIN_FILE).read_text().startswith(password)
    hub = open_hub(Settings(data=data))
    assert {f"{repo.path} refs/heads/main" for repo in repos.every(hub)} <= set(state(hub))
    assert sum("refs/pr/" in ref for ref in state(hub)) == len([*demo_story.stories(), *demo_run.every()])
    assert len(repos.every(hub)) == len(list(demo.samples())) + 1  # and the hub's own list of runs
    assert [info.name for info in accounts.tokens(hub, demo.ADMIN)] == ["demo"]
    assert check.run(hub) == []
    hub.close()


def test_ctrl_c_ends_it_quietly(tmp_path, populated):
    port, log = free_port(), tmp_path / "log"
    demo._write_login(populated.settings.data / demo.LOGIN_FILE, demo.Login("a long password", "hf_x", "hf_y"))
    process = start(populated.settings.data, port, log, start_new_session=True)
    get(f"http://127.0.0.1:{port}/login")
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all processes
    assert process.wait(15) == 0
    said = log.read_text()
    assert said.rstrip().endswith(f"its data stays in {populated.settings.data}")
    assert "(revoked since" in said


def commands_shown(log: str) -> str:
    """The block of commands that people copy."""
    _, _, rest = log.partition("Push a changed score")
    lines = [line for line in rest.splitlines() if line.startswith("  ")]
    return "\n".join(line.strip() for line in lines)


def test_a_newcomer_can_follow_what_it_prints(tmp_path):
    require("git")
    port, log = free_port(), tmp_path / "log"
    process = start(tmp_path / "data", port, log)
    try:
        board = f"http://127.0.0.1:{port}/api/datasets/glasshub/desk-questions/leaderboard?task_id=choice"
        assert "0.2222222222222222" in get(board)
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "HOME": str(tmp_path)}
        submits_a_score(tmp_path, port, environment)
        script = commands_shown(log.read_text())
        assert "git push" in script
        shell = ["bash", "-euc", script]
        done = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "0.25" in get(board)
        login = (tmp_path / "data" / demo.LOGIN_FILE).read_text()
        password = login.split("password: ")[1].splitlines()[0]
        assert password in log.read_text()
    finally:
        stop_server(process)
    again_changes_nothing(tmp_path, port)


def submits_a_score(tmp_path: Path, port: int, environment: dict[str, str]) -> None:
    """What README says of submitting a score with git, word for word."""
    section = (ROOT / "README.md").read_text("utf-8").split("## Submit a score")[1].split("\n## ")[0]
    (script,) = re.findall(r"^```\n(.*?)^```", section, re.M | re.S)
    (said,) = re.findall(r"^```text\n(.*?)^```", section, re.M | re.S)
    token = (tmp_path / "data" / demo.LOGIN_FILE).read_text().split("guest token: ")[1].split()[0]
    script = script.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("TOKEN", token)
    name = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
    (tmp_path / "reader").mkdir()
    done = subprocess.run(
        ["bash", "-euc", script],
        cwd=tmp_path / "reader",
        env={**environment, **name},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    shown = [line.rstrip() for line in done.stderr.splitlines()]
    assert [
        line for line in said.replace("127.0.0.1:8000", f"127.0.0.1:{port}").splitlines() if line not in shown
    ] == []
    results = get(f"http://127.0.0.1:{port}/api/models/mara/first-option/eval-results")
    assert "counted again by me" in results
    refused = subprocess.run(
        ["git", "push", "origin", "HEAD:refs/heads/main"],
        cwd=tmp_path / "reader" / "first-option",
        env={**environment, **name},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode != 0
    assert "You may not push" in refused.stderr


def again_changes_nothing(tmp_path: Path, port: int) -> None:
    hub = open_hub(Settings(data=tmp_path / "data"))
    before = state(hub)
    login = (tmp_path / "data" / demo.LOGIN_FILE).read_text()
    process = start(tmp_path / "data", port, tmp_path / "second.log")
    try:
        assert login.split("token: ")[1].split()[0] in (tmp_path / "second.log").read_text()
        assert state(hub) == before
    finally:
        stop_server(process)
        hub.close()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_the_login_file_is_for_its_owner_only(tmp_path):
    demo._write_login(tmp_path / demo.LOGIN_FILE, demo.Login("secret", "hf_x", "hf_y"))
    mode = stat.S_IMODE((tmp_path / demo.LOGIN_FILE).stat().st_mode)
    assert mode == 0o600
    assert demo._read_login(tmp_path / demo.LOGIN_FILE) == demo.Login("secret", "hf_x", "hf_y")


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"{port}.*--port"):
            demo.run(Settings(data=tmp_path / "data"), port=port)
    assert not (tmp_path / "data").exists()


def test_a_hub_that_is_no_demo_is_left_alone(hub):
    accounts.add_user(hub, "ada", password="a long password")
    repos.create(hub, accounts.actor_for(hub, "ada"), "model", "ada", "m")
    with pytest.raises(Conflict, match="not a demo"):
        demo.run(hub.settings, port=free_port())
    assert not (hub.settings.data / demo.LOGIN_FILE).exists()


def test_it_holds_a_result_that_was_honestly_verified(populated):
    """If this fails since a sample was changed: python tools/demo_run.py makes the run again."""
    model = repos.find(populated, "model", "mara", "longest-option")
    (found,) = queries.results_of_model(populated.index.read(), Visibility(everything=True), model.key)
    assert (found.badge, found.runner, found.value) == ("verified-endpoint", "demo-runner", 3 / 27)
    assert (found.origin, found.submitter, found.merged_by) == ("author", "demo", "mara")
    assert [line.kind.value for line in runs.lines(populated)] == ["issued"]
    assert not list(populated.settings.data.rglob("*.pem"))  # its key was forgotten
    for run in demo_run.every():  # again, as after a crash
        demo_run.bring(populated, run, accounts.actor_for(populated, demo.ADMIN))
    assert len(runs.lines(populated)) == 1
