"""A large file is brought by those who may, and read only through a repo that has it; addresses cannot be bent."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from glasshub import repos
from glasshub.app import create_app
from glasshub.identity import Repo
from glasshub.web.signed import sign
from tests.api.lab import Lab
from tests.lfs import wire

pytestmark = pytest.mark.slow


def _repo(lab: Lab, repo_id: str) -> Repo:
    return next(repo for repo in repos.every(lab.live.hub) if repo.repo_id == repo_id)


def test_knowing_a_hash_gives_nothing(lab: Lab):
    secret, mine, data = lab.repo(private=True), lab.repo(), os.urandom(50_000)
    wire.bring(lab, "writer", secret, data)
    assert wire.has(lab, "reader", secret, data)
    for who in ("anonymous", "stranger"):
        assert not wire.has(lab, who, secret, data)
    assert not wire.has(lab, "writer", mine, data)
    asked = wire.batch(lab, "stranger", mine, "upload", data)
    upload = wire.action(asked, "upload")["href"]  # the bytes are asked for again
    text = wire.pointer(data).encode()
    with pytest.raises(Exception, match=r"content of large files is missing: x\.bin"):
        lab.api("writer").upload_file(path_or_fileobj=text, path_in_repo="x.bin", repo_id=mine)
    assert httpx2.post(f"{wire.action(asked, 'verify')['href']}", json={}).status_code == 404
    assert httpx2.put(upload, content=os.urandom(50_000)).status_code == 400
    assert not wire.has(lab, "writer", mine, data)
    assert httpx2.put(upload, content=data).status_code == 200
    assert wire.has(lab, "anonymous", mine, data)


def test_what_came_is_verified_by_hash_and_size(lab: Lab):
    repo, data = lab.repo(), os.urandom(5_000)
    asked = wire.batch(lab, "writer", repo, "upload", data)
    href, oid = wire.action(asked, "verify")["href"], wire.sha256(data)
    assert httpx2.post(href, json={"oid": oid, "size": 5_000}).status_code == 404
    assert httpx2.put(wire.action(asked, "upload")["href"], content=data).status_code == 200
    assert httpx2.post(href, json={"oid": oid, "size": 5_000}).status_code == 200
    for wrong in (4_999, 5_001, 0, -1, True, "5000", None):
        told = httpx2.post(href, json={"oid": oid, "size": wrong})
        assert (told.status_code, "has 5,000 bytes" in told.json()["message"]) == (400, True), wrong
        assert "has 5,000 bytes" in told.headers["X-Error-Message"]
    for body in ({"oid": "0" * 64, "size": 5_000}, {"size": 5_000}, {"oid": oid}, {}, []):
        assert httpx2.post(href, json=body).status_code == 400, body
    assert httpx2.post(href, content=b"not json").status_code == 400


def test_what_two_repos_have_is_stored_once_and_outlives_one_of_them(lab: Lab):
    first, second, data = lab.repo(), lab.repo(), os.urandom(50_000)
    for repo in (first, second):
        wire.commit(lab, "writer", repo, "m.bin", data)
    stored = list((lab.live.hub.settings.data / "blobs" / "files").rglob(wire.sha256(data)))
    assert len(stored) == 1
    lab.api("admin").delete_repo(first)
    assert lab.http("anonymous").get(f"/{second}/resolve/main/m.bin").content == data


def test_the_author_of_a_pull_request_brings_its_files(lab: Lab):
    repo, data = lab.repo(a="1"), os.urandom(50_000)
    wire.commit(lab, "author", repo, "m.bin", data, create_pr=True)
    number = next(iter(lab.api("author").get_repo_discussions(repo))).num
    assert lab.http("anonymous").get(f"/{repo}/resolve/refs%2Fpr%2F{number}/m.bin").content == data
    assert wire.batch(lab, "anonymous", repo, "upload", b"other").status_code == 401
    private = lab.repo(private=True)
    assert wire.batch(lab, "author", private, "upload", data).status_code == 404


def test_signed_addresses_stand_for_one_thing_and_expire(lab: Lab):
    repo, other, data = lab.repo(private=True), lab.repo(private=True), os.urandom(5_000)
    wire.bring(lab, "writer", repo, data)
    href = wire.action(wire.batch(lab, "reader", repo, "download", data), "download")["href"]
    assert httpx2.get(href).content == data
    assert httpx2.get(href, headers={"Range": "bytes=4990-"}).content == data[-10:]
    keys = _repo(lab, repo).key, _repo(lab, other).key
    query = parse_qs(urlsplit(href).query)
    bent = [
        href.replace(*keys),
        href.replace(wire.sha256(data), "0" * 64),
        href.replace(f"size={len(data)}", "size=1"),
        href.replace(f"expires={query['expires'][0]}", f"expires={int(query['expires'][0]) + 1}"),
        href.replace(f"signature={query['signature'][0]}", "signature="),
        href.replace("by=", "by=x"),
        href + "&more=1",
        href.partition("?")[0],
    ]
    for address in bent:
        assert address != href
        assert httpx2.get(address).status_code in (401, 403)
    assert httpx2.put(href, content=data).status_code in (401, 403)


def test_a_past_address_is_refused(lab: Lab):
    app = create_app(lab.live.hub)
    repo, data = lab.repo(), os.urandom(500)
    wire.bring(lab, "writer", repo, data)
    path = f"/lfs/{_repo(lab, repo).key}/{wire.sha256(data)}"
    with app.test_request_context(base_url=lab.live.url):
        fresh, past = (sign("GET", path, {"size": "500", "by": ""}, seconds=seconds) for seconds in (60, -1))
    assert httpx2.get(fresh).content == data
    assert httpx2.get(past).status_code in (401, 403)
    assert "expired" in httpx2.get(past).json()["message"]
