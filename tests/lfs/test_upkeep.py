"""Uploads that nobody finished go at the start; ``check`` names files whose content is missing."""

from __future__ import annotations

import os
import time

import pytest

from glasshub import check, large_files, serve
from glasshub.blobs.store import ABANDONED_SECONDS
from glasshub.hub import Hub
from tests.api.lab import Lab
from tests.lfs import wire


def test_the_start_removes_what_nobody_goes_on_with(hub: Hub):
    old, young = hub.blobs.begin(), hub.blobs.begin()
    incoming = hub.settings.data / "blobs" / "incoming"
    long_ago = time.time() - ABANDONED_SECONDS - 60
    os.utime(incoming / old, (long_ago, long_ago))
    serve.prepare(hub.settings)
    assert [path.name for path in incoming.iterdir()] == [young]


@pytest.mark.slow
def test_check_names_what_is_gone_and_it_can_be_brought_again(lab: Lab):
    repo, data, hub = lab.repo(), os.urandom(5_000), lab.live.hub
    wire.commit(lab, "writer", repo, "deep/m.bin", data)
    assert not [fault for fault in check.run(hub) if repo in fault]
    path = hub.blobs.local_path(large_files.FILES, wire.sha256(data))
    assert path is not None
    path.unlink()
    told = [fault for fault in check.run(hub) if repo in fault]
    assert any("deep/m.bin needs a large file" in fault for fault in told)
    assert any(wire.sha256(data) in fault and "restore" in fault for fault in told)
    assert lab.http("anonymous").get(f"/{repo}/resolve/main/deep/m.bin").status_code == 404
    wire.bring(lab, "writer", repo, data)
    assert lab.http("anonymous").get(f"/{repo}/resolve/main/deep/m.bin").content == data
    assert not [fault for fault in check.run(hub) if repo in fault]
