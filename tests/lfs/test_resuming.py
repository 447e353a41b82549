"""Downloads that were cut go on where they stopped."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.api.lab import Lab
from tests.lfs import wire
from tests.lfs.cutting_proxy import cutting
from tests.push import gitclient
from tests.require import require

pytestmark = pytest.mark.slow
DATA = os.urandom(8_000_000)


@pytest.fixture(scope="module")
def repo(lab: Lab) -> str:
    made = lab.repo(a="1")
    wire.commit(lab, "writer", made, "m.bin", DATA)
    return made


def _port(lab: Lab) -> int:
    return urlsplit(lab.live.url).port or 0


def test_git_lfs_goes_on_after_a_cut(lab: Lab, repo: str, tmp_path: Path):
    require("git-lfs")
    with cutting(_port(lab), begins_with=b"GET /lfs/", after=3_000_000) as proxy:
        tree = gitclient.clone(f"http://127.0.0.1:{proxy.port}/{repo}", tmp_path / "tree")
        tree.git("lfs", "install", "--local")
        tree.git("config", "lfs.transfer.maxretrydelay", "1")
        pulled = tree.git("lfs", "pull", "--include", "m.bin", check=False)
        if not pulled.ok:
            tree.git("lfs", "pull", "--include", "m.bin")
        assert proxy.cuts == 0
        asked = [head.lower() for head in proxy.seen if head.startswith(b"GET /lfs/")]
        assert any(b"range: bytes=" in head for head in asked[1:])
    assert (tree.path / "m.bin").read_bytes() == DATA


def test_curl_goes_on_after_a_cut(lab: Lab, repo: str, tmp_path: Path):
    curl, target = require("curl"), tmp_path / "m.bin"
    with cutting(_port(lab), begins_with=b"GET ", after=3_000_000) as proxy:
        command = [
            curl,
            "-sfL",
            "-C",
            "-",
            "-o",
            str(target),
            f"http://127.0.0.1:{proxy.port}/{repo}/resolve/main/m.bin",
        ]
        assert subprocess.run(command, check=False, timeout=30).returncode != 0
        assert 0 < target.stat().st_size < len(DATA)
        assert subprocess.run(command, check=False, timeout=30).returncode == 0
        assert b"Range: bytes=" in proxy.seen[-1]
    assert target.read_bytes() == DATA
