"""The runner as a process, with stock Inspect, on a live hub: it measures, signs, survives, leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from glasshub.config import Settings
from glasshub.errors import Invalid
from glasshub.hub import open_hub
from glasshub.registry import jobs as rows
from glasshub.runner.inspect_run import clean_environment
from glasshub.runner.settings import load
from tests.conftest import Live, free_port, start_server, stop_server
from tests.push import gitclient
from tests.require import require
from tests.verify.test_reproduce import SAMPLES

ENGINE = Path(__file__).with_name("first_letter.py")
GLASSHUB = [sys.executable, "-m", "glasshub"]


@dataclass
class Place:
    """A live hub with the sample benchmark and a model of one person, and a registered runner of an admin's."""

    live: object
    folder: Path
    owner: object
    author: object
    runner: str
    model: str
    dataset: str

    def api(self, path: str, *, by=None, **said):
        data = json.dumps(said).encode() if said else None
        headers = {"Authorization": f"Bearer {by.token}", "Content-Type": "application/json"} if by else {}
        request = urllib.request.Request(self.live.url + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def ask(self, task: str = "choice") -> str:
        said = {"model": self.model, "dataset": self.dataset, "task": task}
        return self.api("/api/verifications", by=self.author, **said)["id"]

    def job(self, id: str) -> dict:
        return self.api(f"/api/verifications/{id}", by=self.author)

    def wait(self, id: str, until, seconds: float = 90) -> dict:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.job(id)
            if until(job):
                return job
            time.sleep(0.3)
        raise AssertionError(f"in the end: {job}\n{self.said()}")

    def said(self) -> str:
        return (self.folder / "runner.txt").read_text() if (self.folder / "runner.txt").exists() else ""

    def settings(self, *, seconds: float = 0.0, engine: str = "") -> Path:
        kind = engine or (
            f'kind = "command"\nname = "first_letter.py"\n'
            f'command = ["{sys.executable}", "{ENGINE}", "{{model_dir}}", "{{port}}", "{seconds}"]\n'
        )
        (self.folder / "token").write_text(self.owner.token)
        path = self.folder / "runner.toml"
        path.write_text(
            f'hub = "{self.live.url}"\nname = "{self.runner}"\ntoken_file = "token"\nkey_file = "runner.pem"\n'
            f'inspect = "{require("inspect")}"\ninspect_options = ["--temperature", "0"]\n[engine]\n{kind}'
        )
        return path

    def start(self, **options) -> subprocess.Popen:
        with (self.folder / "runner.txt").open("ab") as file:
            return subprocess.Popen(
                [*GLASSHUB, "runner", "start", "--config", str(self.settings(**options))], stderr=file, stdout=file
            )


def register(live, folder: Path, owner) -> str:
    name = f"runner-{owner.name[-6:]}"
    command = [*GLASSHUB, "runner", "register", name, "--hub", live.url, "--key", str(folder / "runner.pem")]
    done = subprocess.run([*command, "--token-stdin"], input=owner.token + "\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return name


@pytest.fixture
def place(live, tmp_path):
    require("inspect")
    return settle(live, tmp_path)


def settle(live, tmp_path) -> Place:
    owner, author = live.person("keeper", admin=True), live.person("asker")
    data = gitclient.init(tmp_path / "data", live.git_url(f"datasets/{author.name}/desk-questions", author))
    shutil.copytree(SAMPLES / "datasets" / "glasshub" / "desk-questions", tmp_path / "data", dirs_exist_ok=True)
    data.commit("Ask")
    data.git("push", "-q", "origin", "main")
    model = gitclient.init(tmp_path / "model", live.git_url(f"{author.name}/first-letter", author))
    (tmp_path / "model" / "weights.txt").write_text("A\n")
    (tmp_path / "model" / "README.md").write_text("# first-letter\n")
    model.commit("Weights")
    model.git("push", "-q", "origin", "main")
    runner = register(live, tmp_path, owner)
    return Place(live, tmp_path, owner, author, runner, f"{author.name}/first-letter", f"{author.name}/desk-questions")


def processes_below(folder: Path) -> list[str]:
    """Commands of processes that work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder / "work"):
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def results(place: Place) -> list[dict]:
    return place.api(f"/api/models/{place.model}/eval-results", by=place.author)


@pytest.mark.slow
def test_a_runner_measures_the_weights_and_anybody_can_check_it(place):
    job = place.ask()
    process = place.start()
    done = place.wait(job, lambda j: j["state"] not in ("queued", "running"))
    assert done["state"] == "done", place.said()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    (found,) = [entry for entry in results(place) if entry.get("pullRequest") == done["pullRequest"]]
    assert found["verified"] is True
    assert found["verification"]["state"] == "verified"
    assert found["data"]["value"] == pytest.approx(6 / 27)
    assert not list((place.folder / "work" / "runs").iterdir())  # nothing is left behind
    (act,) = place.api(f"/api/runs?runner={place.runner}")
    network = "isolated" if "network of runs: isolated" in place.said() else "proxies"  # as this machine allows
    assert (act["kind"], act["details"]["served"], act["details"]["network"]) == ("issued", "weights", network)
    # offline, with nothing of the hub but what everybody may fetch
    entry = f"{place.live.url}/{place.model}/resolve/refs%2Fpr%2F{done['pullRequest']}/{found['filename']}"
    checked = subprocess.run([*GLASSHUB, "verify", entry], capture_output=True, text=True, timeout=120)
    assert checked.returncode == 0, checked.stdout + checked.stderr

    # the endpoint of somebody else proves less, and is called so
    number = free_port()
    endpoint = subprocess.Popen([sys.executable, str(ENGINE), str(place.folder / "model"), str(number)])
    try:
        second = place.ask("short")
        engine = f'kind = "endpoint"\nname = "an endpoint"\nbase_url = "http://127.0.0.1:{number}/v1"\n'
        command = [*GLASSHUB, "runner", "run", second, "--config", str(place.settings(engine=engine))]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    finally:
        endpoint.kill()
        endpoint.wait()
    assert ran.returncode == 0, ran.stderr
    number = place.job(second)["pullRequest"]
    (found,) = [entry for entry in results(place) if entry.get("pullRequest") == number]
    assert found["verification"]["state"] == "verified-endpoint"
    assert found["data"]["value"] == 0


@pytest.mark.slow
def test_a_killed_runner_leaves_no_process_and_its_job_is_run_again(place):
    job = place.ask()
    process = place.start(seconds=2)
    place.wait(job, lambda j: j["progress"] == "running Inspect")
    assert processes_below(place.folder)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while processes_below(place.folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_below(place.folder) == []
    process = place.start()
    time.sleep(1)
    with place.live.hub.registry.write() as db:  # as if two minutes had gone by
        rows.change(db, job, lease_until="2020-01-01T00:00:00.000Z")
    done = place.wait(job, lambda j: j["state"] not in ("queued", "running"))
    process.terminate()
    assert process.wait(30) == 0
    assert done["state"] == "done", place.said()
    assert [(a["number"], a["state"]) for a in done["attempts"]] == [(1, "failed"), (2, "issued")]
    acts = place.api(f"/api/runs?runner={place.runner}")
    assert sorted(act["kind"] for act in acts) == ["failed", "issued"]


@pytest.mark.slow
def test_a_cancelled_job_stops_at_once_and_a_stopped_runner_gives_up(place):
    job = place.ask()
    process = place.start(seconds=3)
    place.wait(job, lambda j: j["progress"] == "running Inspect")
    place.api(f"/api/verifications/{job}/cancel", by=place.author, reason="changed my mind")
    deadline = time.monotonic() + 30
    while processes_below(place.folder) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_below(place.folder) == []
    assert place.job(job)["attempts"][0]["state"] == "cancelled"
    second = place.ask()
    place.wait(second, lambda j: j["progress"] == "running Inspect")
    process.terminate()
    time.sleep(0.5)
    process.terminate()
    assert process.wait(30) == 0
    assert place.job(second)["state"] == "failed"
    assert "stopped" in place.job(second)["reason"]


@pytest.mark.slow
def test_data_from_elsewhere_is_refused_before_anything_is_run(place):
    card = place.folder / "data" / "README.md"
    card.write_text(card.read_text().replace("path: choice/test.jsonl", "path: [choice/test.jsonl, /etc/hosts]"))
    tree = gitclient.WorkTree(place.folder / "data")
    tree.commit("Take in a file of whoever runs it")
    tree.git("push", "-q", "origin", "main")
    job = place.ask()
    command = [*GLASSHUB, "runner", "run", job, "--config", str(place.settings())]
    assert subprocess.run(command, capture_output=True, text=True, timeout=120).returncode == 1
    found = place.job(job)
    assert (found["state"], found["logTail"]) == ("failed", "")
    assert "outside of the repo: /etc/hosts" in found["reason"]


@pytest.mark.slow
def test_a_runner_whose_log_fails_the_audit_signs_nothing(place):
    job = place.ask()
    path = place.settings()
    path.write_text(path.read_text().replace('"--temperature", "0"', '"--limit", "5"'))
    ran = subprocess.run([*GLASSHUB, "runner", "run", job, "--config", str(path)], capture_output=True, text=True)
    assert ran.returncode == 1
    found = place.job(job)
    assert found["state"] == "failed"
    assert "A3" in found["reason"]
    assert results(place) == []


@pytest.mark.slow
def test_a_hub_that_is_killed_in_between_gets_its_outcome_all_the_same(tmp_path):
    require("inspect")
    data, port = tmp_path / "hub", free_port()
    process = start_server(data, port, log=tmp_path / "server.log")
    hub = open_hub(Settings(data=data))
    live = Live(f"http://127.0.0.1:{port}", hub, process)
    try:
        place = settle(live, tmp_path)
        job = place.ask()
        runner = place.start(seconds=2)
        place.wait(job, lambda j: j["progress"] == "running Inspect")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(3)
        process = start_server(data, port, log=tmp_path / "server.log")
        done = place.wait(job, lambda j: j["state"] not in ("queued", "running"))
        runner.terminate()
        assert runner.wait(30) == 0
        assert done["state"] == "done", place.said()
        assert len(done["attempts"]) == 1
    finally:
        hub.close()
        stop_server(process)


@pytest.mark.slow
def test_registering_makes_a_key_for_its_owner_only_and_overwrites_none(live, tmp_path):
    person = live.person("keeper")
    name = register(live, tmp_path, person)
    key = tmp_path / "runner.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    again = [*GLASSHUB, "runner", "register", "other", "--hub", live.url, "--key", str(key), "--token-stdin"]
    done = subprocess.run(again, input=person.token, capture_output=True, text=True)
    assert done.returncode == 1
    assert "never overwritten" in done.stderr
    assert key.read_bytes() == before
    taken = [*GLASSHUB, "runner", "register", name, "--hub", live.url, "--key", str(tmp_path / "b"), "--token-stdin"]
    assert subprocess.run(taken, input=person.token, capture_output=True, text=True).returncode == 1
    assert not (tmp_path / "b").exists()
    (tmp_path / "token").write_text(person.token)
    (tmp_path / "r.toml").write_text(
        f'hub = "{live.url}"\nname = "{name}"\ntoken_file = "token"\nkey_file = "runner.pem"\n'
        '[engine]\nkind = "endpoint"\nname = "x"\nbase_url = "http://127.0.0.1:9/v1"\n'
    )
    done = subprocess.run(
        [*GLASSHUB, "runner", "start", "--config", str(tmp_path / "r.toml")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "pending" in done.stderr


@pytest.mark.slow
def test_an_owner_changes_the_key_of_a_runner_and_git_remembers(live, tmp_path):
    owner, stranger = live.person("keeper", admin=True), live.person("stranger")
    name = register(live, tmp_path, owner)

    def run(*words: str, by=owner) -> subprocess.CompletedProcess:
        command = [*GLASSHUB, "runner", *words, "--hub", live.url, "--token-stdin"]
        return subprocess.run(command, input=by.token, capture_output=True, text=True, timeout=60)

    new = str(tmp_path / "new.pem")
    refused = run("add-key", name, "--key", new, by=stranger)
    assert (refused.returncode, Path(new).exists()) == (1, False)
    added = run("add-key", name, "--key", new)
    assert added.returncode == 0, added.stderr
    assert stat.S_IMODE(Path(new).stat().st_mode) == 0o600
    with urllib.request.urlopen(f"{live.url}/api/runners/{name}", timeout=30) as answer:
        old, fresh = [key["kid"] for key in json.loads(answer.read())["keys"]]
    assert fresh == added.stdout.strip()
    shown = subprocess.run([*GLASSHUB, "runner", "show-key", new], capture_output=True, text=True, timeout=60)
    assert shown.stdout.split("\t")[0] == fresh
    assert run("revoke-key", old, "--reason", "rotated", by=stranger).returncode == 1
    assert run("revoke-key", "nonsense", "--reason", "rotated").returncode == 1
    revoked = run("revoke-key", old, "--reason", "rotated")
    assert "Revoked" in revoked.stderr
    gitclient.git("clone", "-q", f"{live.url}/datasets/hub/verification", "record", cwd=tmp_path)
    history = gitclient.git("log", "-p", "--", "keys.json", cwd=tmp_path / "record").out
    assert f'+      "kid": "{old}"' in history
    assert '+      "reason": "rotated"' in history


def test_settings_refuse_what_would_run_the_code_of_strangers(tmp_path):
    head = 'hub = "http://h"\nname = "n"\ntoken_file = "t"\nkey_file = "k"\n[engine]\nkind = "command"\nname = "e"\n'
    for command, said in (
        ('["vllm", "serve", "{model_dir}", "--port", "{port}", "--trust-remote-code"]', "never runs code"),
        ('["vllm", "serve", "other/model", "--port", "{port}"]', "model_dir"),
    ):
        (tmp_path / "r.toml").write_text(f"{head}command = {command}\n")
        with pytest.raises(Invalid, match=said):
            load(tmp_path / "r.toml")
    (tmp_path / "r.toml").write_text(head + 'command = ["{model_dir}", "{port}"]\nmodle = "x"\n')
    with pytest.raises(Invalid, match="modle"):
        load(tmp_path / "r.toml")


def test_the_environment_of_a_run_knows_nothing_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    found = clean_environment(tmp_path, "http://hub:8000", reach=["http://engine:9/v1"])
    assert "secret" not in found.values()
    assert found["HOME"] == str(tmp_path)
    assert found["NO_PROXY"] == "127.0.0.1,engine,hub,localhost"
    assert found["HTTPS_PROXY"].startswith("http://127.0.0.1")
