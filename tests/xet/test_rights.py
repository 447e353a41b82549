"""Nobody reaches chunks of a file that they may not read, and nothing wrong is taken in."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from glasshub import accounts, repos, xet
from glasshub.errors import Invalid, NotFound
from glasshub.hub import Hub
from glasshub.web.signed import seal, sign
from tests.xet.builder import CHUNKS, bring, person, repo, shard_of, xorb_of

pytestmark = pytest.mark.slow


def test_a_strangers_shard_over_a_private_repos_chunks_is_refused(town: Hub):
    private, own = repo(town, "ada", "private", private=True), repo(town, "eve", "own")
    name = bring(town, private, CHUNKS)
    with pytest.raises(Invalid, match="is not on the hub"):
        xet.register(town, own, person(town, "eve"), shard_of(CHUNKS))
    with pytest.raises(NotFound):
        xet.recipe_of(town, own, name)
    xet.add_xorb(
        town, own, person(town, own.namespace), *(lambda x: (x[0], io.BytesIO(x[1])))(xorb_of(CHUNKS))
    )  # who has the bytes may
    assert xet.register(town, own, person(town, "eve"), shard_of(CHUNKS)) == 1
    assert xet.recipe_of(town, own, name).size == sum(map(len, CHUNKS))


def test_chunks_of_public_repos_are_shared(town: Hub):
    bring(town, repo(town, "ada", "public"), CHUNKS)
    assert xet.register(town, repo(town, "eve", "own"), person(town, "eve"), shard_of(CHUNKS)) == 1


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
    xet.add_xorb(town, own, person(town, own.namespace), name, io.BytesIO(body))
    with pytest.raises(Invalid):
        xet.register(town, own, person(town, "ada"), shard)
    assert not (town.settings.data / "blobs" / "recipes").exists()


@pytest.mark.parametrize(
    "bend", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[:20] + b"y" + b[21:], lambda _: b"\1" * 50]
)
def test_damaged_xorbs_are_refused_and_nothing_is_kept(town: Hub, bend):
    own = repo(town, "ada", "m")
    name, body = xorb_of(CHUNKS)
    with pytest.raises(Invalid):
        xet.add_xorb(town, own, person(town, own.namespace), name, io.BytesIO(bend(body)))
    blobs = town.settings.data / "blobs"
    assert [path for path in blobs.rglob("*") if path.is_file()] == []


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
    assert client.get(f"/{address}", headers={"Range": f"bytes={first}-{last}"}, buffered=True).status_code == 206
    assert client.get(f"/{address}", headers={"Range": f"bytes={first}-{last + 1000}"}).status_code == 403
    bent = address.replace(f"-{last}&", f"-{last + 1}&")
    assert bent != address
    assert client.get(f"/{bent}").status_code == 403
    past = {**asked, "Range": "bytes=99999999-"}
    assert client.get(f"/cas/v1/reconstructions/{name}", headers=past).status_code == 416
    assert (
        hashlib.sha256(b"".join(CHUNKS)).hexdigest()
        == xet.recipe_of(town, repos.find(town, "model", "ada", "private"), name).sha256
    )
    assert not list(Path(town.settings.data / "blobs" / "incoming").iterdir())


def test_an_expired_token_or_address_serves_no_more(town: Hub, client: FlaskClient):
    own = repo(town, "ada", "m")
    name = bring(town, own, CHUNKS)
    with client.application.test_request_context():
        claims = {"repo": own.key, "by": "ada", "only": "*", "scope": "write"}
        fresh, late = seal(claims, seconds=60)[0], seal(claims, seconds=-1)[0]
        ranges = {"ranges": "0-9"}
        old = sign("GET", f"/cas/xorbs/{xorb_of(CHUNKS)[0]}", ranges, seconds=-1).split("localhost")[1]
    where = f"/cas/v2/reconstructions/{name}"
    assert client.get(where, headers={"Authorization": f"Bearer {fresh}"}).status_code == 200
    assert client.get(where, headers={"Authorization": f"Bearer {late}"}).status_code == 401
    assert client.get(old).status_code == 403


def test_a_token_is_worth_what_its_person_may_now(town: Hub, client: FlaskClient):
    own = repo(town, "ada", "m")
    name = bring(town, own, CHUNKS)
    asked = {"Authorization": f"Bearer {_token(town, client, 'eve', 'ada/m', 'write').json['accessToken']}"}
    where = f"/cas/v1/reconstructions/{name}"
    assert client.get(where, headers=asked).status_code == 200
    repos.configure(town, person(town, "ada"), own, private=True)
    assert client.get(where, headers=asked).status_code == 404
    assert client.post("/cas/v1/shards", data=shard_of(CHUNKS), headers=asked).status_code == 404


def test_a_token_limited_to_some_repos_does_not_reach_others_of_its_person(town: Hub, client: FlaskClient):
    bring(town, repo(town, "ada", "private", private=True), CHUNKS)
    own = repo(town, "ada", "own")
    secret = accounts.create_token(town, "ada", name="t", scope="write", only_repos=[own.key])[0]
    for token, status in ((secret, 400), (accounts.create_token(town, "ada", name="u", scope="write")[0], 200)):
        given = client.get("/api/models/ada/own/xet-write-token/main", headers={"Authorization": f"Bearer {token}"})
        asked = {"Authorization": f"Bearer {given.json['accessToken']}"}
        assert client.post("/cas/v1/shards", data=shard_of(CHUNKS), headers=asked).status_code == status


def test_whoever_sent_chunks_may_use_them_when_their_repo_is_gone(town: Hub):
    """Clients remember for weeks what they sent, and refused to send it again."""
    gone, own = repo(town, "ada", "gone", private=True), repo(town, "ada", "own")
    bring(town, gone, CHUNKS)
    repos.delete(town, person(town, "ada"), gone)
    limited = replace(person(town, "ada"), only_repos=frozenset({own.key}))
    for other, to in ((person(town, "eve"), repo(town, "eve", "own")), (limited, own)):
        with pytest.raises(Invalid, match="is not on the hub"):
            xet.register(town, to, other, shard_of(CHUNKS))
    assert xet.register(town, own, person(town, "ada"), shard_of(CHUNKS)) == 1


def test_only_the_chunks_that_came_to_a_public_repo_are_for_its_readers(town: Hub):
    """A xorb of a private repo holds two files, of which one is published."""
    private, public, own = repo(town, "ada", "p", private=True), repo(town, "ada", "public"), repo(town, "eve", "own")
    xorb, body = xorb_of(CHUNKS)
    xet.add_xorb(town, private, person(town, private.namespace), xorb, io.BytesIO(body))
    open_part = shard_of(CHUNKS[1:], xorb=xorb, start=1)
    xet.register(town, public, person(town, "ada"), open_part)
    with pytest.raises(Invalid, match="is not on the hub"):
        xet.register(town, own, person(town, "eve"), shard_of(CHUNKS[:1], xorb=xorb))
    with pytest.raises(Invalid, match="is not on the hub"):
        xet.register(town, own, person(town, "eve"), shard_of(CHUNKS))
    assert xet.register(town, own, person(town, "eve"), open_part) == 1


def test_bringing_what_a_private_repo_has_looks_like_bringing_something_new(town: Hub):
    name, body = xorb_of(CHUNKS)
    bring(town, repo(town, "ada", "p", private=True), CHUNKS)
    own = repo(town, "eve", "own")
    assert xet.add_xorb(town, own, person(town, own.namespace), name, io.BytesIO(body)) is True
    assert xet.add_xorb(town, own, person(town, own.namespace), name, io.BytesIO(body)) is False
