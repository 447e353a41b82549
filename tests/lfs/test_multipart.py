"""Uploads in parts, as ``huggingface_hub`` makes them, and what goes wrong on the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.api.lab import Lab
from tests.lfs import wire

pytestmark = pytest.mark.slow
CHUNK = 64 * 1024**2
DATA = os.urandom(1024**2) * 150  # three parts
FIRST, LAST = DATA[:CHUNK], DATA[2 * CHUNK :]
# What the client does with files that are not for Xet, without asking the hub how it is to be sent.
SCRIPT = """
import sys
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.lfs import lfs_upload, post_lfs_batch_info
url, token, repo, path = sys.argv[1:]
operation = CommitOperationAdd("big.bin", path)
(answer,), errors, _ = post_lfs_batch_info(
    upload_infos=[operation.upload_info], token=token, repo_type="model", repo_id=repo, endpoint=url,
    transfers=["basic", "multipart"],
)
assert not errors
if "actions" in answer:
    assert "chunk_size" in answer["actions"]["upload"]["header"]
lfs_upload(operation, answer, token=token, endpoint=url)
print("actions" in answer)
"""


def _ask(lab: Lab, repo: str) -> dict:
    answer = wire.batch(lab, "writer", repo, "upload", DATA, wire.MULTIPART)
    assert answer.json()["transfer"] == "multipart"
    return wire.action(answer, "upload")


def _put(href: str, data: bytes) -> httpx2.Response:
    return httpx2.put(href, content=data, timeout=120)


def _finish(upload: dict, tags: dict[int, str]) -> httpx2.Response:
    parts = [{"partNumber": number, "etag": tag} for number, tag in tags.items()]
    return httpx2.post(upload["href"], json={"oid": wire.sha256(DATA), "parts": parts}, timeout=120)


def test_the_client_uploads_in_parts_once(lab: Lab, tmp_path: Path):
    repo, file = lab.repo(), tmp_path / "big.bin"
    file.write_bytes(DATA)
    command = [sys.executable, "-c", SCRIPT, lab.live.url, lab.people["writer"].token, repo, str(file)]
    env = {**os.environ, "HF_HUB_DISABLE_XET": "1"}
    said = [subprocess.run(command, env=env, capture_output=True, text=True, check=False) for _ in range(2)]
    assert [done.stdout.strip() for done in said] == ["True", "False"], said[0].stderr[-2000:]
    assert wire.has(lab, "anonymous", repo, DATA)


def test_parts_in_any_order_again_and_wrong(lab: Lab):
    repo = lab.repo()
    upload = _ask(lab, repo)
    header, tags = upload["header"], {}
    assert (header["chunk_size"], sorted(header)) == (str(CHUNK), ["1", "2", "3", "chunk_size"])
    assert _put(header["3"], FIRST).status_code in (400, 413)  # more than the last part has
    assert _put(header["1"], FIRST[:-1]).status_code == 400
    assert _put(header["3"].replace("/parts/3", "/parts/2"), LAST).status_code in (401, 403)
    for number, data in ((3, LAST), (1, FIRST), (1, FIRST)):
        tags[number] = _put(header[str(number)], data).headers["ETag"]
    assert _finish(upload, tags).status_code == 400
    wrong = bytes(len(FIRST))
    tags[2] = _put(header["2"], wrong).headers["ETag"]
    answer = _finish(upload, tags)
    assert (answer.status_code, "SHA-256" in answer.json()["message"]) == (400, True)
    assert not wire.has(lab, "writer", repo, DATA)
    tags[2] = _put(header["2"], DATA[CHUNK : 2 * CHUNK]).headers["ETag"]
    assert _finish(upload, {**tags, 1: '"' + "0" * 32 + '"'}).status_code == 400
    assert [_finish(upload, tags).status_code for _ in range(2)] == [200, 200]  # an answer that was lost is asked again
    assert wire.has(lab, "anonymous", repo, DATA)
    assert list((lab.live.hub.settings.data / "blobs" / "incoming").iterdir()) == []
