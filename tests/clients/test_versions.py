"""Every version of the stock client that people have, with Xet and without, against one live hub."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Live
from tests.lfs.cutting_proxy import cutting
from tests.require import require

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).with_name("every_version.py")
VERSIONS = ("0.36.2", "1.19.0", "1.29.0", "newest")
FULL, LIGHT = (500, 300_000_000), (100, 15_000_000)  # files, and bytes of weights
ALL = os.environ.get("GLASSHUB_CLIENT_BYTES") == "all"  # else only the newest version sends the full folder
CUT_AFTER = 3_000_000


def make_folder(made: Path, files: int, size: int) -> Path:
    """Files of which four in five are texts, the others weights with so many bytes together."""
    chance, weights = random.Random(size), files // 5
    (made / "text").mkdir()
    (made / "weights").mkdir()
    for number in range(files - weights):
        (made / "text" / f"{number:03}.txt").write_text(f"Text {number}\n" * chance.randint(1, 500))
    for number in range(weights):
        (made / "weights" / f"{number:02}.bin").write_bytes(chance.randbytes(size // weights))
    return made


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("full"), *FULL)


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("light"), *LIGHT)


def run(live: Live, python: Path, folder: Path, work: Path, *, plain: bool) -> dict[str, dict]:
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


@pytest.mark.parametrize("plain", [False, True], ids=["Xet", "LFS"])
@pytest.mark.parametrize("version", VERSIONS)
def test_version(live: Live, full: Path, light: Path, tmp_path: Path, version: str, plain: bool):
    python = Path(require("client-envs")) / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python.parent.parent} is not there: make it as .ci/run does")
    folder = full if ALL or version == "newest" else light
    report = run(live, python, folder, tmp_path, plain=plain)
    print({name: said["seconds"] for name, said in report.items()})
    failed = {name: said["error"] for name, said in report.items() if said["error"]}
    assert not failed, "\n".join(f"{name}: {error}" for name, error in failed.items())
