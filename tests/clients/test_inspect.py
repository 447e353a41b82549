"""Stock Inspect runs our own benchmark from the hub, and measures what the sample baseline's record says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from glasshub.evals.eval_results import ResultEntry, parse_result_file
from tests.push import gitclient
from tests.require import require

SAMPLES = Path(__file__).parents[2] / "sample_repos"
QUESTIONS = SAMPLES / "datasets" / "glasshub" / "desk-questions"
BASELINE = SAMPLES / "models" / "mara" / "first-option" / ".eval_results" / "desk-questions.yaml"
pytestmark = pytest.mark.slow


def push_questions(live, folder: Path) -> str:
    """Copy the sample folder and push it with stock git; returns the id of the new repo."""
    person = live.person("asker")
    tree = gitclient.init(folder, live.git_url(f"datasets/{person.name}/desk-questions", person))
    shutil.copytree(QUESTIONS, folder, dirs_exist_ok=True)
    tree.commit("Ask")
    tree.git("push", "-q", "origin", "main")
    return f"{person.name}/desk-questions"


def run_inspect(live, repo_id: str, model_url: str, folder: Path) -> dict[str, dict]:
    """Logs of all tasks of the benchmark, by task id."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "HF_HOME": str(folder / "hf"),
        "HF_ENDPOINT": live.url,
        "LOCAL_BASE_URL": model_url,
        "LOCAL_API_KEY": "none",
        "INSPECT_DISPLAY": "plain",
        "NO_PROXY": "127.0.0.1",
    }
    command = [require("inspect"), "eval", f"hf/{repo_id}", "--model", "openai-api/local/first-option"]
    command += ["--log-format", "json", "--log-dir", str(folder / "logs")]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    logs = [json.loads(path.read_text("utf-8")) for path in (folder / "logs").glob("*.json")]
    return {log["eval"]["task"].split("/")[-1]: log for log in logs}


def measured(log: dict) -> dict[str, float]:
    return {name: metric["value"] for name, metric in log["results"]["scores"][0]["metrics"].items()}


def recorded() -> dict[str, ResultEntry]:
    parsed = parse_result_file(BASELINE.read_bytes(), ".eval_results/desk-questions.yaml")
    return {entry.task_id: entry for entry in parsed.entries}


def test_inspect_measures_what_the_baseline_records(live, model_url, tmp_path):
    inspect = require("inspect")
    assert inspect
    logs = run_inspect(live, push_questions(live, tmp_path / "repo"), model_url, tmp_path)
    assert {id: log["status"] for id, log in logs.items()} == {"choice": "success", "short": "success"}
    assert {id: log["eval"]["dataset"]["samples"] for id, log in logs.items()} == {"choice": 27, "short": 27}
    first_option = measured(logs["choice"])
    assert first_option["accuracy"] == pytest.approx(recorded()["choice"].value)
    assert first_option["stderr"] == pytest.approx(recorded()["choice"].extra["stderr"])
    assert measured(logs["short"])["accuracy"] == 1.0
