"""What listings, pages and clients tell of large files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download

from tests.api.lab import Lab
from tests.lfs import wire

pytestmark = pytest.mark.slow
DATA = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def repo(lab: Lab) -> str:
    made = lab.repo(a="1")
    wire.commit(lab, "writer", made, "deep/model.bin", DATA)
    wire.commit(lab, "writer", made, "plot.png", DATA[:5000])
    return made


def test_listings_tell_real_sizes_and_hashes(lab: Lab, repo: str):
    said = {"oid": wire.sha256(DATA), "size": len(DATA), "pointerSize": len(wire.pointer(DATA))}
    tree = {
        item["path"]: item for item in lab.http("anonymous").get(f"/api/models/{repo}/tree/main?recursive=1").json()
    }
    assert (tree["deep/model.bin"]["lfs"], tree["deep/model.bin"]["size"]) == (said, len(DATA))
    assert "lfs" not in tree["a"]
    api = lab.api("anonymous")
    (info,) = api.get_paths_info(repo, "deep/model.bin")
    siblings = {item.rfilename: item for item in api.model_info(repo, files_metadata=True).siblings or []}
    for found in (info, siblings["deep/model.bin"]):
        assert (found.size, found.lfs.sha256, found.lfs.pointer_size) == (len(DATA), said["oid"], said["pointerSize"])
    assert siblings["a"].lfs is None


def test_preupload_tells_the_hash_that_clients_compare(lab: Lab, repo: str):
    body = {"files": [{"path": "deep/model.bin", "size": len(DATA), "sample": ""}]}
    answer = lab.http("writer").post(f"/api/models/{repo}/preupload/main", json=body).json()
    assert answer["files"][0]["oid"] == wire.sha256(DATA)


def test_the_client_gets_the_content_in_whole_and_on_from_where_it_stopped(lab: Lab, repo: str, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    path = hf_hub_download(repo, "deep/model.bin", endpoint=lab.live.url, cache_dir=tmp_path, token=False)
    assert Path(path).read_bytes() == DATA
    address = f"/{repo}/resolve/main/deep/model.bin"
    rest = lab.http("anonymous").get(address, headers={"Range": "bytes=2999990-"})
    assert (rest.status_code, rest.content) == (206, DATA[-10:])
    assert rest.headers["ETag"] == f'"{wire.sha256(DATA)}"'


def test_pages_show_sizes_and_do_not_try_to_show_content(lab: Lab, repo: str):
    http = lab.http("anonymous")
    folder = http.get(f"/{repo}/tree/main/deep").text
    assert "LFS" in folder
    assert "134 B" not in folder
    page = http.get(f"/{repo}/blob/main/deep/model.bin").text
    assert "stored with Git LFS" in page
    assert "3,000,000 bytes" in page
    assert wire.sha256(DATA) in page
    assert f"/{repo}/resolve/main/deep/model.bin" in page
    assert "git-lfs.github.com/spec" not in page
    assert "<img" in http.get(f"/{repo}/blob/main/plot.png").text
    assert http.get(f"/{repo}/raw/main/deep/model.bin").text == wire.pointer(DATA)


def test_a_commit_tells_how_a_large_file_changed(lab: Lab):
    repo = lab.repo()
    wire.commit(lab, "writer", repo, "m.bin", DATA[:2_000_000])
    wire.commit(lab, "writer", repo, "m.bin", DATA)
    last = lab.api("writer").list_repo_commits(repo)[0].commit_id
    page = lab.http("anonymous").get(f"/{repo}/commit/{last}").text
    assert "Stored with Git LFS" in page
    assert wire.sha256(DATA)[:20] in page
