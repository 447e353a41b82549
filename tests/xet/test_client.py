"""Xet with the stock client: what it uploads comes back byte for byte, through Xet, plain HTTP and git-lfs."""

from __future__ import annotations

import hashlib
import os
import random
import secrets
import shutil
import struct
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from glasshub.blobs.xet.content import chunks_of
from tests.conftest import Live, Person
from tests.lfs.cutting_proxy import cutting
from tests.push import gitclient
from tests.require import require

pytestmark = pytest.mark.slow
SIZE = 24 * 1024**2


@pytest.fixture
def ada(live: Live) -> Person:
    return live.person("ada")


def _python(live: Live, who: Person | None, code: str, tmp_path: Path, **env: str) -> str:
    """Run code with the stock client in a process of its own, with a home of its own."""
    environment = {
        **os.environ, "HF_ENDPOINT": live.url, "HF_HOME": str(tmp_path / f"home-{who.name if who else 'nobody'}"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **env,
    }  # fmt: skip
    environment.pop("HF_TOKEN", None)
    if who:
        environment["HF_TOKEN"] = who.token
    program = f"from huggingface_hub import *\napi = HfApi()\n{code}"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip()


def _weights(path: Path, seed: int = 1) -> bytes:
    """Random bytes, which stay as they are, text, which is compressed, and floats, of which bytes are grouped first."""
    chance = random.Random(seed)
    text = b"".join(b"%d is a number\n" % chance.randrange(10**6) for _ in range(50_000))
    floats = struct.pack("<1000000f", *(chance.gauss(0, 0.02) for _ in range(1_000_000)))
    data = chance.randbytes(SIZE - len(text) - len(floats)) + text + floats
    path.write_bytes(data)
    return data


def _reading(repo: str) -> str:
    """Code that prints the SHA-256 of what is downloaded."""
    return (
        f"import hashlib; print(hashlib.sha256(open(hf_hub_download({repo!r}, 'model.bin'), 'rb').read()).hexdigest())"
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_an_upload_comes_back_by_every_way(live: Live, ada: Person, tmp_path: Path):
    data, before = _weights(tmp_path / "model.bin", secrets.randbits(32)), _xorbs(live)
    repo = f"{ada.name}/m"
    _python(live, ada, f"api.create_repo({repo!r}); api.upload_file(path_or_fileobj={str(tmp_path / 'model.bin')!r}, "
            f"path_in_repo='model.bin', repo_id={repo!r})", tmp_path)  # fmt: skip
    fresh = _xorbs(live) - before
    assert {chunk.scheme for xorb in fresh for chunk in chunks_of(live.hub.blobs, xorb)} == {0, 1, 2}
    _snapshot_goes_straight_to_the_chunks(live, repo, data, tmp_path)
    read = _reading(repo)
    assert _python(live, None, read, tmp_path / "plain", HF_HUB_DISABLE_XET="1") == _digest(data)
    require("git-lfs")
    clone = gitclient.clone(live.git_url(repo), tmp_path / "clone")
    clone.git("lfs", "install", "--local")
    clone.git("lfs", "pull")
    assert _digest((clone.path / "model.bin").read_bytes()) == _digest(data)
    assert not list((live.hub.settings.data / "blobs" / "files").rglob(_digest(data)))


def _snapshot_goes_straight_to_the_chunks(live: Live, repo: str, data: bytes, tmp_path: Path) -> None:
    listed = _python(live, None, f"print(api.model_info({repo!r}).sha)", tmp_path)
    commit = listed.splitlines()[-1]
    code = (
        f"import hashlib; folder = snapshot_download({repo!r}, revision={commit!r}); "
        "print(hashlib.sha256(open(folder + '/model.bin', 'rb').read()).hexdigest())"
    )
    with cutting(int(live.url.rpartition(":")[2]), begins_with=b"", after=0, cuts=0) as proxy:
        through = replace(live, url=f"http://127.0.0.1:{proxy.port}")
        assert _python(through, None, code, tmp_path / "xet") == _digest(data)
    assert [line for line in proxy.seen if line.startswith(b"HEAD") and b"model.bin" in line] == []
    assert any(b"xet-read-token" in line for line in proxy.seen)


def _xorbs(live: Live) -> set[str]:
    return {path.name for path in (live.hub.settings.data / "blobs" / "xorbs").glob("*/*/*")}


def _upload(live: Live, who: Person, repo: str, path: Path, tmp_path: Path) -> None:
    upload = f"api.upload_file(path_or_fileobj={str(path)!r}, path_in_repo='model.bin', repo_id={repo!r})"
    _python(live, who, f"api.create_repo({repo!r}, exist_ok=True); {upload}", tmp_path)


def _stored(live: Live, kind: str) -> int:
    return sum(path.stat().st_size for path in (live.hub.settings.data / "blobs" / kind).rglob("*") if path.is_file())


def test_a_small_change_sends_few_bytes_and_other_repos_share_chunks(live: Live, ada: Person, tmp_path: Path):
    data = bytearray(_weights(tmp_path / "model.bin", seed=2))
    _upload(live, ada, f"{ada.name}/m", tmp_path / "model.bin", tmp_path)
    before = _stored(live, "xorbs")
    at = len(data) // 2
    data[at : at + 10_000] = random.Random(3).randbytes(10_000)
    (tmp_path / "model.bin").write_bytes(data)
    _upload(live, ada, f"{ada.name}/m", tmp_path / "model.bin", tmp_path)
    assert _stored(live, "xorbs") - before < SIZE * 0.03
    _upload(live, ada, f"{ada.name}/other", tmp_path / "model.bin", tmp_path)
    assert _stored(live, "xorbs") - before < SIZE * 0.03
    read = _reading(f"{ada.name}/other")
    assert _python(live, None, read, tmp_path / "x") == _digest(bytes(data))


def test_a_file_that_repeats_itself_comes_back(live: Live, ada: Person, tmp_path: Path):
    """Overlapping runs of one xorb made the client fall over."""
    data = bytes(range(256)) * 50_000
    (tmp_path / "model.bin").write_bytes(data)
    _upload(live, ada, f"{ada.name}/m", tmp_path / "model.bin", tmp_path)
    assert _python(live, None, _reading(f"{ada.name}/m"), tmp_path / "x") == _digest(data)


def test_ranges_and_files_pushed_by_git_lfs_reach_every_client(live: Live, ada: Person, tmp_path: Path):
    data = _weights(tmp_path / "model.bin", seed=4)
    _upload(live, ada, f"{ada.name}/m", tmp_path / "model.bin", tmp_path)
    address = f"{live.url}/{ada.name}/m/resolve/main/model.bin"
    for start, end in ((0, 9), (SIZE // 3, SIZE // 3 + 300_000), (SIZE - 5, SIZE - 1)):
        asked = urllib.request.Request(address, headers={"Range": f"bytes={start}-{end}"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 206
            assert answer.read() == data[start : end + 1]
    require("git-lfs")
    tree = gitclient.init(tmp_path / "lfs", live.git_url(f"{ada.name}/pushed", ada))
    tree.git("lfs", "install", "--local")
    tree.git("lfs", "track", "*.bin")
    tree.write("model.bin", data[:3_000_000])
    tree.commit("Add weights")
    tree.git("push", "-q", "origin", "main")
    read = _reading(f"{ada.name}/pushed")
    assert _python(live, None, read, tmp_path / "x") == _digest(data[:3_000_000])


def test_whoever_has_a_fresh_cache_sends_only_what_the_hub_does_not_know(live: Live, ada: Person, tmp_path: Path):
    """Another person, another repo, another HF_HOME: they learn from the hub what they need not send."""
    eve, data = live.person("eve"), bytearray(_weights(tmp_path / "model.bin", seed=6))
    _upload(live, ada, f"{ada.name}/m", tmp_path / "model.bin", tmp_path)
    before = _stored(live, "xorbs")
    at = len(data) // 3
    data[at : at + 10_000] = random.Random(7).randbytes(10_000)
    (tmp_path / "model.bin").write_bytes(data)
    with cutting(int(live.url.rpartition(":")[2]), begins_with=b"", after=0, cuts=0) as proxy:
        through = replace(live, url=f"http://127.0.0.1:{proxy.port}")
        _upload(through, eve, f"{eve.name}/m", tmp_path / "model.bin", tmp_path)
    assert any(line.startswith(b"GET /cas/v1/chunks/") for line in proxy.seen)
    assert 0 < _stored(live, "xorbs") - before < SIZE * 0.03
    assert _python(live, None, _reading(f"{eve.name}/m"), tmp_path / "x") == _digest(bytes(data))


def test_clients_ask_for_many_runs_of_chunks_at_once(live: Live, ada: Person, tmp_path: Path):
    data = _weights(tmp_path / "model.bin", seed=9)
    _upload(live, ada, f"{ada.name}/m", tmp_path / "model.bin", tmp_path)
    # Every other stretch of the first file: many runs of the same xorb, with holes between them.
    pieces = b"".join(data[at : at + 1_500_000] for at in range(0, SIZE - 5_000_000, 3_000_000))
    (tmp_path / "pieces.bin").write_bytes(pieces)
    _upload(live, ada, f"{ada.name}/pieces", tmp_path / "pieces.bin", tmp_path)
    read = _reading(f"{ada.name}/pieces")
    for several in ("false", "true"):
        env = {"HF_XET_CLIENT_RECONSTRUCTION_API_VERSION": "2", "HF_XET_CLIENT_ENABLE_MULTIRANGE_FETCHING": several}
        with cutting(int(live.url.rpartition(":")[2]), begins_with=b"", after=0, cuts=0) as proxy:
            through = replace(live, url=f"http://127.0.0.1:{proxy.port}")
            assert _python(through, None, read, tmp_path / several, **env) == _digest(pieces)
        ranges = [line for line in proxy.seen if line.startswith(b"GET /cas/xorbs/")]
        assert any(b"," in _range_asked(line) for line in ranges) is (several == "true")


def _range_asked(request: bytes) -> bytes:
    return next(line for line in request.lower().split(b"\r\n") if line.startswith(b"range:"))


def _age(live: Live, days: int) -> None:
    """Let all content be older by so many days than it was when this was called last."""
    for path in (live.hub.settings.data / "blobs").glob("*/*/*/*"):
        then = path.stat().st_mtime - days * 24 * 3600
        os.utime(path, (then, then))


def _maintain(live: Live, *options: str) -> dict[str, int]:
    """How much ``glasshub maintain`` finds (or, with ``--prune``, removes), in bytes by kind."""
    command = [sys.executable, "-m", "glasshub", "--data", str(live.hub.settings.data), "maintain", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = (line.split("\t") for line in done.stdout.splitlines())
    return {kind: int(size) for kind, _, size in rows}


def test_what_no_repo_has_goes_what_others_share_stays_and_old_clients_are_served(live: Live, tmp_path: Path):
    ada, eve, chance = live.person("ada"), live.person("eve"), random.Random(secrets.randbits(32))
    shared, own, path = chance.randbytes(6_000_000), chance.randbytes(3_000_000), tmp_path / "model.bin"
    path.write_bytes(own)
    before = _xorbs(live)
    _upload(live, ada, f"{ada.name}/alone", path, tmp_path)
    alone = _xorbs(live) - before
    (tmp_path / "shared.bin").write_bytes(shared)
    _upload(live, ada, f"{ada.name}/m", tmp_path / "shared.bin", tmp_path)
    theirs = shared + chance.randbytes(1_000_000)
    (tmp_path / "theirs.bin").write_bytes(theirs)
    before = _stored(live, "xorbs")
    _upload(live, eve, f"{eve.name}/m", tmp_path / "theirs.bin", tmp_path)
    assert _stored(live, "xorbs") - before < 2_000_000

    _age(live, 20)  # for three weeks a client remembers what it sent, and sends no more of it
    before = _xorbs(live)
    again = (
        f"api.delete_repo('{ada.name}/m'); api.delete_repo('{ada.name}/alone'); api.create_repo('{ada.name}/again')\n"
        f"api.upload_file(path_or_fileobj={str(path)!r}, path_in_repo='model.bin', repo_id='{ada.name}/again')\n"
        f"{_reading(f'{ada.name}/again')}; api.delete_repo('{ada.name}/again'); api.create_repo('{ada.name}/n')"
    )
    assert _python(live, ada, again, tmp_path) == _digest(own)
    assert _xorbs(live) == before

    _age(live, 181)
    found = _maintain(live)
    assert _xorbs(live) == before
    assert _maintain(live, "--prune") == found
    assert found["xorbs"] >= len(own)
    assert not _xorbs(live) & alone
    for turn, env in enumerate(({}, {"HF_HUB_DISABLE_XET": "1"})):
        assert _python(live, None, _reading(f"{eve.name}/m"), tmp_path / f"{turn}", **env) == _digest(theirs)
    _is_told_what_to_remove(live, ada, own, tmp_path)


def _is_told_what_to_remove(live: Live, ada: Person, data: bytes, tmp_path: Path) -> None:
    """A client that refers to what is gone for good."""
    code = (
        f"path = {str(tmp_path / 'model.bin')!r}\n"
        f"try: api.upload_file(path_or_fileobj=path, path_in_repo='model.bin', repo_id='{ada.name}/n')\n"
        "except Exception as error: print(type(error), error)"
    )
    said = _python(live, ada, code, tmp_path)
    assert "Remove the folder xet" in said
    shutil.rmtree(tmp_path / f"home-{ada.name}" / "xet")
    _upload(live, ada, f"{ada.name}/n", tmp_path / "model.bin", tmp_path)
    assert _python(live, None, _reading(f"{ada.name}/n"), tmp_path / "x") == _digest(data)


def test_a_large_file_comes_by_pull_request_from_a_stranger(live: Live, ada: Person, tmp_path: Path):
    eve = live.person("eve")
    _weights(tmp_path / "model.bin", seed=5)
    _python(live, ada, f"api.create_repo('{ada.name}/m')", tmp_path)
    code = (
        f"print(api.upload_file(path_or_fileobj={str(tmp_path / 'model.bin')!r}, path_in_repo='w.bin', "
        f"repo_id='{ada.name}/m', create_pr=True).pr_num)"
    )
    assert _python(live, eve, code, tmp_path) == "1"
    read = f"print(api.get_paths_info('{ada.name}/m', 'w.bin', revision='refs/pr/1')[0].lfs.size)"
    assert _python(live, None, read, tmp_path / "x") == str(SIZE)
