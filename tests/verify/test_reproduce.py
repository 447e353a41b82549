"""The commands that stand beside results run as shown, from a clean environment, and tell whether the claim holds."""

from __future__ import annotations

import html
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from glasshub.evals import stock_commands
from tests.clients.conftest import model_url
from tests.push import gitclient
from tests.require import require

__all__ = ["model_url"]
SAMPLES = Path(__file__).parents[2] / "sample_repos"
SHA = "0123456789abcdef" * 2 + "01234567"


def test_a_task_is_named_so_that_inspect_finds_it():
    assert stock_commands.task_name("ada/quiz", "choice", SHA, tasks=2) == f"hf/ada/quiz/choice@{SHA}"
    assert stock_commands.task_name("ada/quiz", "ada/choice", SHA, tasks=1) == f"hf/ada/quiz@{SHA}"
    assert stock_commands.task_name("ada/quiz", "ada/choice", SHA, tasks=2) == ""
    assert stock_commands.task_name("myhf/quiz", "choice", SHA, tasks=1) == ""  # Inspect takes every "hf/" out


def test_commands_are_pinned_and_quoted():
    assert stock_commands.install("0.3.285").startswith("pip install inspect-ai==0.3.285 ")
    assert stock_commands.install("1; rm -rf /") == stock_commands.install()
    text = stock_commands.evaluate("http://h", "hf/a/b/it's@x", settings={"temperature": 0.0, "seed": "$(reboot)"})
    assert shlex.split(text)[3] == "hf/a/b/it's@x"
    assert "--temperature 0.0" in text
    assert "reboot" not in text


def publish(live, folder: Path, value: float) -> tuple[str, str]:
    """A benchmark and a model that claims a value; the ids of model and dataset."""
    person = live.person("asker")
    data = gitclient.init(folder / "data", live.git_url(f"datasets/{person.name}/desk-questions", person))
    shutil.copytree(SAMPLES / "datasets" / "glasshub" / "desk-questions", folder / "data", dirs_exist_ok=True)
    data.commit("Ask")
    data.git("push", "-q", "origin", "main")
    model = gitclient.init(folder / "model", live.git_url(f"{person.name}/first-option", person))
    (folder / "model" / ".eval_results").mkdir()
    (folder / "model" / ".eval_results" / "desk.yaml").write_text(
        f"- dataset: {{id: {person.name}/desk-questions, task_id: choice}}\n  value: {value}\n", "utf-8"
    )
    model.commit("Claim")
    model.git("push", "-q", "origin", "main")
    return f"{person.name}/first-option", f"{person.name}/desk-questions"


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def result_address(live, model: str) -> str:
    found = re.search(rf'href="(/{model}/results/[^"/]+)"', page(f"{live.url}/{model}/evaluations"))
    assert found
    return live.url + found[1]


@pytest.mark.slow
def test_the_shown_command_runs_as_shown_and_reproduce_compares(live, model_url, tmp_path):
    inspect = Path(require("inspect"))
    model, dataset = publish(live, tmp_path, 6 / 27)
    address = result_address(live, model)
    shown = html.unescape(re.search(r'<pre id="evaluate"[^>]*><code>(.*?)</code>', page(address), re.S)[1])
    assert shown.startswith(f"HF_ENDPOINT={live.url} inspect eval hf/{dataset}/choice@")
    assert shown in html.unescape(page(f"{live.url}/datasets/{dataset}"))  # the page of the task shows the same
    clean = {
        "PATH": f"{inspect.parent}:{os.environ['PATH']}", "HOME": str(tmp_path / "home"), "INSPECT_DISPLAY": "plain",
        "LOCAL_BASE_URL": model_url, "LOCAL_API_KEY": "none", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    (tmp_path / "home").mkdir()
    command = shown.replace("PROVIDER/MODEL", "openai-api/local/first-option")
    done = subprocess.run(["sh", "-c", command], env=clean, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0.222" in done.stdout

    glasshub = [sys.executable, "-m", "glasshub", "runner", "reproduce", address, "--inspect", str(inspect)]
    glasshub += ["--model", "openai-api/local/first-option"]
    done = subprocess.run(glasshub, env=clean, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "consistent\tyes" in done.stdout
    assert f"tolerance\t{1 / 27:.6g}" in done.stdout

    inflated, _ = publish(live, tmp_path / "second", 12 / 27)
    glasshub[5] = result_address(live, inflated)
    done = subprocess.run(glasshub, env=clean, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "consistent\tno" in done.stdout


@pytest.mark.slow
def test_what_is_no_result_is_a_wrong_command_line(live, tmp_path):
    base = [sys.executable, "-m", "glasshub", "runner", "reproduce"]
    for address in (f"{live.url}/nobody/nothing/results/1", f"{live.url}/models", "nowhere"):
        done = subprocess.run([*base, address, "--model", "x/y"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, done.stderr
