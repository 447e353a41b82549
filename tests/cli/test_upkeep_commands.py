"""``check`` names every damage, ``reindex`` mends the index under a running hub, ``serve`` starts and stops."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from glasshub import accounts, check, config, indexing, repos
from glasshub.hub import open_hub
from glasshub.serve import prepare
from tests.cli.shell import Shell, glasshub
from tests.conftest import free_port
from tests.index.town import Town, eval_yaml, result
from tests.push.gitclient import init

pytestmark = pytest.mark.slow


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with some repos that nobody serves."""
    hub = open_hub(config.load(tmp_path / "data"))
    built = Town(hub)
    accounts.add_user(hub, "ada")
    accounts.add_org(hub, "lab", admin="ada")
    built.dataset("lab/cap", eval_yaml("europe"))
    for number, name in enumerate(("ada/one", "ada/two", "ada/three", "ada/four")):
        built.model(name, result("lab/cap", "europe", 0.5 + number / 10), card=f"# {name}\n")
    yield built
    hub.close()


def folder(town: Town, name: str) -> Path:
    return town.hub.git_dir(repos.find(town.hub, "model", "ada", name))


def test_check_names_every_damage_and_ends_with_1(town: Town, starter):
    shell = Shell(town.hub.settings.data, starter)
    sound = shell("check")
    assert (sound.code, sound.out, sound.err) == (0, "", "Everything agrees.\n")

    broken = max((folder(town, "one") / "objects").glob("[0-9a-f][0-9a-f]/*"), key=lambda path: path.stat().st_size)
    broken.chmod(0o600)
    broken.write_bytes(b"\0" * 40)
    lost = folder(town, "two") / "refs" / "heads" / "lost"
    lost.write_text("1" * 40 + "\n")
    shutil.rmtree(folder(town, "three"))
    with town.hub.index.write() as db:
        db.execute("UPDATE results SET value = 0.99 WHERE value = 0.8")
    indexing.heal(town.hub)  # as the next start would
    answer = shell("check")
    assert answer.code == 1
    found = answer.out.splitlines()
    oid = broken.parent.name + broken.name
    assert any(line.startswith("model ada/one: ") and oid in line for line in found)
    assert any(line.startswith("model ada/two: ") and "refs/heads/lost" in line and "1" * 40 in line for line in found)
    missing = folder(town, "three")
    assert f"model ada/three: the registry has it, but {missing} is not there" in found
    assert any(line.startswith("index: results row only in the index: ") and "0.99" in line for line in found)
    assert any(line.startswith("index: results row missing from the index: ") and "0.8" in line for line in found)
    assert not any(line.startswith(("model ada/four", "dataset")) for line in found)
    assert answer.err == f"{len(found)} difference(s) found.\n"


def test_check_and_reindex_say_that_the_index_file_itself_is_damaged(town: Town, starter):
    path = town.hub.settings.index_path
    town.hub.index.close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 8)
    shell = Shell(path.parent, starter)
    checked, rebuilt = shell("check"), shell("reindex")
    assert checked.code == rebuilt.code == 1
    assert all(line.startswith("index: ") for line in checked.out.splitlines())
    assert "malformed" in checked.out
    assert len(rebuilt.err.splitlines()) == 1
    assert "remove index.sqlite*" in rebuilt.err
    for left in path.parent.glob("index.sqlite*"):
        left.unlink()
    prepare(town.hub.settings)  # the advice, followed: the next start
    mended = open_hub(town.hub.settings)
    assert check.run(mended) == []
    mended.close()


def test_reindex_mends_what_a_running_hub_shows(shell, served, http, tmp_path):
    ada = served.person("ada")
    owner = accounts.actor_for(served.hub, ada.name)
    data, model = (repos.create(served.hub, owner, type, ada.name, type) for type in ("dataset", "model"))
    repos.approve_benchmark(served.hub, data)
    scores = result(data.repo_id, "europe", 0.625)
    for repo, path, text in ((data, "eval.yaml", eval_yaml("europe")), (model, ".eval_results/own.yaml", scores)):
        tree = init(tmp_path / repo.type, served.git_url(repo.path.strip("/"), ada))
        tree.write(path, text)
        tree.commit()
        tree.git("push", "-q", "origin", "main")

    def shown() -> list[float]:
        return [row["value"] for row in http.get(f"/api/datasets/{data.repo_id}/leaderboard").json()]

    assert shown() == [0.625]
    with served.hub.index.write() as db:
        db.execute("UPDATE results SET value = 0.9 WHERE value = 0.625")
        db.execute("DELETE FROM repos WHERE key = ?", [model.key])
    assert shown() != [0.625]
    answer = shell("reindex")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err == f"Indexed {len(repos.every(served.hub))} repos.\n"
    assert shown() == [0.625]
    assert http.get(f"/{model.repo_id}").status_code == 200


def test_serve_starts_as_many_processes_as_asked_and_ends_well(tmp_path: Path):
    port = free_port()
    command = [sys.executable, "-m", "glasshub", "serve", "--workers", "3", "--port", str(port), "--data", "data"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == f"Glasshub serves {tmp_path}/data on http://127.0.0.1:{port}\n"
            assert processes_below(process.pid) == 3
            second = glasshub("serve", "--port", str(port), "--data", "other", cwd=tmp_path)
        finally:
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")
    assert (second.code, second.out, len(second.err.splitlines())) == (1, "", 1)
    assert f"Cannot listen on 127.0.0.1:{port}" in second.err
    assert "--port" in second.err
    assert not (tmp_path / "other").exists()


def processes_below(pid: int) -> int:
    """How many children a process has, once it has any."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        listing = subprocess.run(["ps", "-A", "-o", "ppid="], capture_output=True, text=True, check=True).stdout
        if (count := listing.split().count(str(pid))) > 2:
            return count
        time.sleep(0.1)
    return 0
