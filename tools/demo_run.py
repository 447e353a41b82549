"""Make the run of the demo again, after its samples were changed: ``python tools/demo_run.py INSPECT``.

Fills a hub with the samples, serves it and the model's program, lets stock Inspect (INSPECT is its command) measure
``choice`` of the desk questions, and writes ``sample_repos/runs/longest-option/``.
"""

from __future__ import annotations

import json
import platform
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from glasshub import accounts, demo, repos
from glasshub.config import Settings
from glasshub.git.read import open_repo, resolve_revision
from glasshub.hub import open_hub
from glasshub.identity import RepoType
from glasshub.runner.inspect_run import clean_environment, find_inspect, only_log
from glasshub.verify.logs.measured import mark_of

TARGET = demo.SAMPLES / "runs" / "longest-option"
MODEL, DATASET, TASK = "mara/longest-option", "glasshub/desk-questions", "choice"


def main(inspect_path: str) -> None:
    """Make it. Raises ``GlasshubError`` and ``CalledProcessError`` when something fails."""
    inspect, run = find_inspect(inspect_path), f"{secrets.token_hex(16)}"
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    said = {"id": run, "model": MODEL, "model_sha": "", "dataset": DATASET, "dataset_sha": "", "task": TASK,
            "engine": "serve.py of the model's repo", "hardware": f"{platform.machine()} CPU",
            "lock_sha256": inspect.lock(), "merged_by": "mara"}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        said |= _commits(Path(folder) / "hub")
        port, model_port = _free_port(), _free_port()
        serving = subprocess.Popen(
            [sys.executable, "-m", "glasshub", "--data", f"{folder}/hub", "serve", "--port", str(port)]
        )
        program = demo.SAMPLES / "models" / MODEL / "serve.py"
        model = subprocess.Popen([sys.executable, str(program), str(model_port)])
        try:
            time.sleep(5)
            home = Path(folder) / "home"
            home.mkdir()
            environment = clean_environment(home, f"http://127.0.0.1:{port}")
            environment |= {"ENGINE_BASE_URL": f"http://127.0.0.1:{model_port}/v1", "ENGINE_API_KEY": "none"}
            name = f"hf/{DATASET}/{TASK}@{said['dataset_sha']}"
            command = inspect.command(name, "openai-api/engine/longest-option", home / "logs", mark=mark_of(run))
            subprocess.run(command, env=environment, cwd=home, check=True)
            shutil.copyfile(only_log(home / "logs"), TARGET / "log.eval")
        finally:
            for process in (serving, model):
                process.terminate()
                process.wait()
    (TARGET / "run.json").write_text(json.dumps(said, indent=2) + "\n", "utf-8")


def _commits(data: Path) -> dict[str, str]:
    """Fill a hub with the two samples as the demo does, and tell the commits."""
    hub = open_hub(Settings(data=data))
    accounts.add_user(hub, demo.ADMIN, admin=True)
    found = [sample for sample in demo.samples() if f"{sample.namespace}/{sample.name}" in (MODEL, DATASET)]
    demo.add_accounts(hub, {sample.namespace for sample in found})
    for sample in found:
        demo.push(hub, sample, demo.MEASURED)
    try:
        return {"model_sha": _commit(hub, "model", MODEL), "dataset_sha": _commit(hub, "dataset", DATASET)}
    finally:
        hub.close()


def _commit(hub: demo.Hub, type: RepoType, id: str) -> str:
    namespace, _, name = id.partition("/")
    with open_repo(hub.git_dir(repos.find(hub, type, namespace, name))) as git:
        return resolve_revision(git, "main").commit


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "inspect")
