"""Runs one version of the stock client, with Xet or without, against the live hub: 500 files, 300 MB of weights."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Live
from tests.lfs.cutting_proxy import cutting
from tests.require import require

VERSIONS = ("0.36.2", "1.19.0", "1.29.0", "newest")
SCRIPT = Path(__file__).with_name("every_version.py")
TEXTS, WEIGHTS, WEIGHT = 400, 100, 3_000_000
CUT_AFTER = 3_000_000


def make_folder(made: Path, seed: str) -> Path:
    """Texts, and weights that share no chunk with each other or with those of another seed: all of it is sent."""
    chance = random.Random(seed)
    for part in ("text", "weights"):
        (made / part).mkdir(parents=True)
    for number in range(TEXTS):
        (made / "text" / f"{number:03}.txt").write_text(f"Text {number}\n" * chance.randint(1, 500))
    noise, letters = chance.randbytes(WEIGHT), bytearray(range(256))
    for number in range(WEIGHTS):
        chance.shuffle(letters)  # far faster than fresh noise, and as new to who compares chunks
        (made / "weights" / f"{number:02}.bin").write_bytes(noise.translate(letters))
    return made


def check(live: Live, work: Path, version: str, *, plain: bool) -> None:
    """Fail with all that this version of the client could not do."""
    python = Path(require("client-envs")) / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python.parent.parent} is not there: make it as .ci/run does")
    folder = make_folder(work / "folder", version)
    try:
        report = _run(live, python, folder, work, plain=plain)
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(work / "home", ignore_errors=True)
    print({name: said["seconds"] for name, said in report.items()})
    failed = {name: said["error"] for name, said in report.items() if said["error"]}
    assert not failed, "\n".join(f"{name}: {error}" for name, error in failed.items())


def _run(live: Live, python: Path, folder: Path, work: Path, *, plain: bool) -> dict[str, dict]:
    """What each check said."""
    person, stranger = live.person("ada"), live.person("stranger")
    begin = f"GET /{person.name}/small/resolve/" if plain else "GET /cas/xorbs/"
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(work), "HF_HOME": str(work / "home"), "HF_ENDPOINT": live.url,
        "HF_TOKEN": person.token, "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1" if plain else "0",
    }  # fmt: skip
    with cutting(int(live.url.rpartition(":")[2]), begins_with=begin.encode(), after=CUT_AFTER) as proxy:
        asked = {"folder": str(folder), "work": str(work), "proxy": f"http://127.0.0.1:{proxy.port}",
                 "stranger": stranger.token, "plain": plain}  # fmt: skip
        done = subprocess.run(
            [python, SCRIPT], input=json.dumps(asked), env=environment, cwd=work, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-5000:]
        report = json.loads(done.stdout.splitlines()[-1])
        report["the connection was cut"] = {"error": "" if proxy.cuts == 0 else f"not cut: {proxy.seen}", "seconds": 0}
    return report
