"""Nobody reaches chunks of a file that they may not read, and nothing wrong is taken in."""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from glasshub import accounts, repos, xet
from glasshub.app import create_app
from glasshub.blobs.xet.hashes import chunk_hash, file_hash, from_text, merkle_root, to_text, verification_hash
from glasshub.blobs.xet.shard import TAG
from glasshub.errors import Invalid, NotFound
from glasshub.hub import Hub
from glasshub.identity import Repo

CHUNKS = [b"secret weights" * 800, b"and more of them" * 900]


def xorb_of(chunks: list[bytes]) -> tuple[str, bytes]:
    """The hash and the bytes of a xorb."""
    body = b"".join(b"\0" + len(c).to_bytes(3, "little") + b"\0" + len(c).to_bytes(3, "little") + c for c in chunks)
    return to_text(merkle_root([(chunk_hash(c), len(c)) for c in chunks])), body


def shard_of(
    chunks: list[bytes], *, xorb: str = "", proof: bytes = b"", name: bytes = b"", sha256: bytes = b""
) -> bytes:
    """A shard with one file of one term."""
    hashes = [chunk_hash(c) for c in chunks]
    raw = from_text(xorb or xorb_of(chunks)[0])
    found = name or file_hash([(chunk_hash(c), len(c)) for c in chunks])
    flags = 1 << 31 | (1 << 30 if sha256 else 0)
    bookend = b"\xff" * 32 + bytes(16)
    return b"".join(
        [
            struct.pack("<32sQQ", TAG, 2, 0),
            struct.pack("<32sII8x", found, flags, 1),
            struct.pack("<32sIIII", raw, 0, sum(map(len, chunks)), 0, len(chunks)),
            struct.pack("<32s16x", proof or verification_hash(hashes)),
            struct.pack("<32s16x", sha256) if sha256 else b"",
            bookend,
            bookend,
        ]
    )


@pytest.fixture
def town(hub: Hub) -> Hub:
    for name in ("ada", "eve"):
        accounts.add_user(hub, name)
    return hub


def repo(hub: Hub, owner: str, name: str, *, private: bool = False) -> Repo:
    return repos.create(hub, accounts.actor_for(hub, owner), "model", owner, name, private=private)


def bring(hub: Hub, to: Repo, chunks: list[bytes]) -> str:
    name, body = xorb_of(chunks)
    xet.add_xorb(hub, to, name, io.BytesIO(body))
    xet.register(hub, to, to.namespace, shard_of(chunks))
    return to_text(file_hash([(chunk_hash(c), len(c)) for c in chunks]))


def test_a_strangers_shard_over_a_private_repos_chunks_is_refused(town: Hub):
    private, own = repo(town, "ada", "private", private=True), repo(town, "eve", "own")
    name = bring(town, private, CHUNKS)
    with pytest.raises(Invalid, match="is not on the hub"):
        xet.register(town, own, "eve", shard_of(CHUNKS))
    with pytest.raises(NotFound):
        xet.recipe_of(town, own, name)
    xet.add_xorb(town, own, *(lambda x: (x[0], io.BytesIO(x[1])))(xorb_of(CHUNKS)))  # who has the bytes may
    assert xet.register(town, own, "eve", shard_of(CHUNKS)) == 1
    assert xet.recipe_of(town, own, name).size == sum(map(len, CHUNKS))


def test_chunks_of_public_repos_are_shared(town: Hub):
    bring(town, repo(town, "ada", "public"), CHUNKS)
    assert xet.register(town, repo(town, "eve", "own"), "eve", shard_of(CHUNKS)) == 1


@pytest.mark.parametrize(
    "shard",
    [
        shard_of(CHUNKS, proof=b"x" * 32), shard_of(CHUNKS, name=b"x" * 32), shard_of(CHUNKS, sha256=b"x" * 32),
        shard_of(CHUNKS, xorb="0" * 64), shard_of(CHUNKS)[:-100], b"", b"x" * 200,
    ],
    ids=["proof", "name", "sha256", "xorb", "short", "empty", "noise"],
)  # fmt: skip
def test_false_shards_are_refused_and_nothing_is_noted(town: Hub, shard: bytes):
    own = repo(town, "ada", "m")
    name, body = xorb_of(CHUNKS)
    xet.add_xorb(town, own, name, io.BytesIO(body))
    with pytest.raises(Invalid):
        xet.register(town, own, "ada", shard)
    assert not (town.settings.data / "blobs" / "recipes").exists()


@pytest.mark.parametrize(
    "bend", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[:20] + b"y" + b[21:], lambda _: b"\1" * 50]
)
def test_damaged_xorbs_are_refused_and_nothing_is_kept(town: Hub, bend):
    own = repo(town, "ada", "m")
    name, body = xorb_of(CHUNKS)
    with pytest.raises(Invalid):
        xet.add_xorb(town, own, name, io.BytesIO(bend(body)))
    blobs = town.settings.data / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()] == []


@pytest.fixture
def client(town: Hub) -> FlaskClient:
    return create_app(town).test_client()


def _token(town: Hub, client: FlaskClient, who: str, path: str, kind: str = "read"):
    secret = accounts.create_token(town, who, name="t", scope="write")[0]
    return client.get(f"/api/models/{path}/xet-{kind}-token/main", headers={"Authorization": f"Bearer {secret}"})


def test_tokens_are_for_one_repo_and_one_purpose(town: Hub, client: FlaskClient):
    name = bring(town, repo(town, "ada", "private", private=True), CHUNKS)
    repo(town, "eve", "own")
    assert _token(town, client, "eve", "ada/private").status_code == 404
    theirs = _token(town, client, "eve", "eve/own").json["accessToken"]
    mine = _token(town, client, "ada", "ada/private").json["accessToken"]
    where = f"/cas/v1/reconstructions/{name}"
    assert client.get(where, headers={"Authorization": f"Bearer {theirs}"}).status_code == 404
    assert client.get(where, headers={"Authorization": f"Bearer {mine[:-4]}0000"}).status_code == 401
    assert client.get(where).status_code == 401
    body = xorb_of(CHUNKS)
    refused = client.post(f"/cas/v1/xorbs/default/{body[0]}", data=body[1], headers={"Authorization": f"Bearer {mine}"})
    assert refused.status_code == 403


def test_signed_ranges_give_no_more_than_they_say(town: Hub, client: FlaskClient):
    name = bring(town, repo(town, "ada", "private", private=True), CHUNKS)
    token = _token(town, client, "ada", "ada/private").json["accessToken"]
    asked = {"Authorization": f"Bearer {token}", "Range": "bytes=0-9"}
    found = client.get(f"/cas/v1/reconstructions/{name}", headers=asked).json
    (info,) = next(iter(found["fetch_info"].values()))
    address = info["url"].split("://", 1)[1].partition("/")[2]
    first, last = info["url_range"]["start"], info["url_range"]["end"]
    assert client.get(f"/{address}", headers={"Range": f"bytes={first}-{last}"}).status_code == 206
    greedy = client.get(f"/{address}", headers={"Range": f"bytes={first}-{last + 1000}"})
    assert len(greedy.data) == last + 1 - first
    bent = address.replace(f"to={last}", f"to={last + 1}")
    assert client.get(f"/{bent}").status_code == 403
    past = {**asked, "Range": "bytes=99999999-"}
    assert client.get(f"/cas/v1/reconstructions/{name}", headers=past).status_code == 416
    assert (
        hashlib.sha256(b"".join(CHUNKS)).hexdigest()
        == xet.recipe_of(town, repos.find(town, "model", "ada", "private"), name).sha256
    )
    assert not list(Path(town.settings.data / "blobs" / "incoming").iterdir())
