"""What counts as a download: seen by the stock client and git on the live hub, and through a death of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi

from glasshub import accounts, indexing, popularity, repos
from glasshub.config import Settings
from glasshub.hub import Hub, open_hub
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.registry import db as registry_db
from glasshub.registry import popularity as rows
from glasshub.tally import Download, Tally
from tests.conftest import free_port, is_free, start_server, stop_server
from tests.push.gitclient import git

COUNTED = {"X-HF-Download-Counter": "1"}


def downloads(lab, repo: str, type: str = "model") -> tuple[int, int]:
    found = lab.api("anonymous").repo_info(repo, repo_type=type, expand=["downloads", "downloadsAllTime"])
    return found.downloads, found.downloads_all_time


def becomes(expected: object, look: Callable[[], object]) -> None:
    """Wait until the hub has written what it counted."""
    deadline = time.monotonic() + 15
    while (found := look()) != expected:
        assert time.monotonic() < deadline, f"{found} is not {expected}"
        time.sleep(0.2)


@pytest.mark.slow
def test_the_stock_client_counts_once_per_person_and_hour(lab, tmp_path: Path):
    files = {"a.txt": "a", "b.txt": "b"}
    repo, data = lab.repo(**files), lab.repo(type="dataset", **files)
    for turn in range(3):
        lab.api("anonymous").snapshot_download(repo, cache_dir=tmp_path / str(turn))
    lab.api("stranger").hf_hub_download(repo, "a.txt", cache_dir=tmp_path / "s")
    lab.api("stranger").hf_hub_download(data, "a.txt", repo_type="dataset", cache_dir=tmp_path / "s")
    becomes((2, 2), lambda: downloads(lab, repo))
    becomes((1, 1), lambda: downloads(lab, data, "dataset"))
    assert "2 in 30 days" in lab.http("anonymous").get(f"/{repo}").text
    assert "2 downloads" in lab.http("anonymous").get(f"/models?author={lab.org}&sort=downloads").text


@pytest.mark.slow
def test_looking_is_no_download_and_a_clone_is(lab, tmp_path: Path):
    repo, other, third = (lab.repo(**{"a.txt": "a"}) for _ in range(3))
    http = lab.http("anonymous")
    for path in (f"/{repo}", f"/{repo}/blob/main/a.txt", f"/{repo}/resolve/main/a.txt", f"/{repo}/raw/main/a.txt"):
        assert http.get(path).status_code == 200  # people, and pictures in cards
    assert http.get(f"/{repo}/resolve/main/none.txt", headers=COUNTED).status_code == 404
    lab.api("anonymous").model_info(repo)
    for version, cloned in (("0", other), ("2", third)):
        git("-c", f"protocol.version={version}", "clone", "-q", lab.live.git_url(cloned), version, cwd=tmp_path)
        becomes((1, 1), lambda: downloads(lab, cloned))  # noqa: B023
        git("fetch", "-q", cwd=tmp_path / version)
    assert downloads(lab, repo) == (0, 0)


@pytest.mark.slow
def test_files_that_come_by_xet_are_counted(lab, tmp_path: Path):
    repo = lab.repo()
    (tmp_path / "big.bin").write_bytes(os.urandom(64) * 200_000)
    lab.api("admin").upload_file(path_or_fileobj=tmp_path / "big.bin", path_in_repo="big.bin", repo_id=repo)
    lab.api("stranger").hf_hub_download(repo, "big.bin", cache_dir=tmp_path / "c")
    becomes((1, 1), lambda: downloads(lab, repo))


@pytest.mark.slow
def test_a_kill_loses_no_more_than_the_last_seconds_and_nothing_is_counted_twice(tmp_path: Path):
    data, port = tmp_path / "data", free_port()
    process = start_server(data, port, log=tmp_path / "log")
    hub = open_hub(Settings(data=data))
    try:
        accounts.add_user(hub, "ada")
        token, _ = accounts.create_token(hub, "ada")
        api = HfApi(f"http://127.0.0.1:{port}", token=token)
        api.create_repo("ada/net")
        url = f"http://127.0.0.1:{port}/ada/net/resolve/main/.gitattributes"
        with httpx2.Client(headers=COUNTED) as client:  # one connection each, so that both processes see them
            for _ in range(20):
                assert client.head(url, headers={"Connection": "close"}).status_code == 200
            client.head(url, headers={"Authorization": f"Bearer {token}"})
        time.sleep(popularity.FLUSH_SECONDS + 1)
        process.kill()
        process.wait()
        becomes(True, lambda: is_free(port))  # its processes notice and end
        process = start_server(data, port, log=tmp_path / "log")
        assert api.model_info("ada/net").downloads == 2
        httpx2.head(url, headers=COUNTED)  # the same reader in the same hour
        stop_server(process)  # writes what is left
        repo = repos.find(hub, "model", "ada", "net")
        with hub.registry.read() as db:
            found = rows.counts(db, datetime.now(UTC).date())[repo.key]
        assert found.downloads in (2, 3)  # 3 when an hour ended in between
    finally:
        if process.poll() is None:
            stop_server(process)
        hub.close()


@pytest.fixture
def net(hub: Hub) -> Repo:
    accounts.add_user(hub, "ada")
    return repos.create(hub, accounts.actor_for(hub, "ada"), "model", "ada", "net")


def row(hub: Hub, repo: Repo):
    return queries.repo(hub.index.read(), repo.key)


def test_processes_count_a_reader_once_between_them(hub, net):
    others = [open_hub(hub.settings) for _ in range(3)]
    for process in (hub, *others):
        process.tally.note(net.key, "eve")
        process.tally.note(net.key, "eve")
        process.tally.note("0" * 24, "eve")  # of a repo that was deleted meanwhile
    assert [popularity.flush(process) for process in (hub, *others)] == [1, 0, 0, 0]
    assert row(hub, net).downloads == 1
    for process in others:
        process.close()


def test_days_go_by(hub, net):
    now = datetime.now(UTC)
    marked = {}
    for days in (0, 1, 6, 7, 29, 30, 400):
        for reader in range(10):
            moment = now - timedelta(days=days)
            marked[f"{days} {reader}"] = Download(net.key, moment.strftime("%Y-%m-%dT%H"))
    with hub.registry.write() as db:
        rows.add_downloads(db, marked, hour=now.strftime("%Y-%m-%dT%H"), oldest_day="2000-01-01")
    popularity.like(hub, accounts.actor_for(hub, "ada"), net)
    assert popularity.refresh(hub) == 0  # liking brought all of it to the index
    found = row(hub, net)
    assert (found.downloads, found.downloads_all_time, found.likes) == (50, 70, 1)
    assert found.trending == 10 * (7 + 6 + 1) + 7 * 5
    with hub.registry.read() as db:
        later = rows.counts(db, (now + timedelta(days=7)).date())[net.key]
    assert (later.downloads, later.downloads_all_time, later.trending) == (40, 70, 0)
    hub.tally.note(net.key, "eve")
    popularity.flush(hub)  # forgets days that no list looks at, but not that they were
    assert row(hub, net).downloads_all_time == 71


def test_a_rebuilt_index_has_the_same_counts(hub, net):
    hub.tally.note(net.key, "eve")
    popularity.flush(hub)
    popularity.like(hub, accounts.actor_for(hub, "ada"), net)
    before = row(hub, net)
    hub.index.close()
    for left in hub.settings.data.glob("index.sqlite*"):
        left.unlink()
    again = open_hub(hub.settings)
    indexing.reindex(again)
    popularity.refresh(again)
    assert row(again, net) == before
    assert indexing.compare(again) == []
    again.close()


def test_what_cannot_be_written_now_is_written_later(hub, net, monkeypatch):
    monkeypatch.setattr(registry_db, "BUSY_SECONDS", 0)
    other = open_hub(hub.settings)
    other.tally.note(net.key, "eve")
    with hub.registry.write(), pytest.raises(popularity.Busy):
        popularity.flush(other)
    assert popularity.flush(other) == 1
    other.close()


def test_a_tally_forgets_readers_with_the_hour_and_never_grows_without_end(monkeypatch):
    tally, noon = Tally(), datetime(2026, 1, 1, 12, tzinfo=UTC)
    for minute in (0, 1, 60):
        tally.note("k", "eve", now=noon + timedelta(minutes=minute))
    assert sorted(found.hour for found in tally.take().values()) == ["2026-01-01T12", "2026-01-01T13"]
    monkeypatch.setattr("glasshub.tally.MOST_WAITING", 5)
    for reader in range(9):
        tally.note("k", str(reader), now=noon)
    assert len(tally.take()) == 5
