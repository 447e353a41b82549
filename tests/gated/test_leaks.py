"""Every address of the hub is asked for the files of a gated repo, in the name of everybody."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from glasshub import accounts, gates, repos, xet
from glasshub.blobs.xet.hashes import chunk_hash, to_text
from glasshub.errors import Invalid
from glasshub.web.signed import sign
from tests.gated.conftest import CHUNKS, INSIDERS, LARGE, OUTSIDERS, SIGN, Vault
from tests.people.addresses import VALUES, _any_value
from tests.xet.test_rights import shard_of, xorb_of

pytestmark = pytest.mark.slow

# The routes that give the content of files. Another one that does is found below, and is to be gated and named here.
GIVE_CONTENT = {
    "files.resolve", "files.raw", "file_pages.blob_model", "history.commit_model", "pull_requests.files_model",
    "edit.edit_model", "api_discussions.details",
}  # fmt: skip
FILES = ("secret.txt", "secret.md", "large.bin", "chunked.bin", "secret.png", ".eval_results/a.yaml", "README.md")
BODY = {
    "operation": "download", "paths": list(FILES), "files": [{"path": "secret.txt", "size": 1}], "title": "Title",
    "description": "Text", "comment": "Text", "diff": True, "expand": True, "content": "x",
}  # fmt: skip
QUERY = {
    "diff": "1",
    "expand": "true",
    "blobs": "true",
    "recursive": "true",
    "view": "source",
}


def _bytes(client: FlaskClient, path: str, headers: dict[str, str] | None = None) -> bytes:
    """The body of an answer, which is closed."""
    answer = client.get(path, headers=headers or {})
    data = answer.data
    answer.close()
    return data


def _paths(vault: Vault, rule) -> Iterator[str]:
    for file in FILES:
        for revision in ("main", f"refs/pr/{vault.pull}", vault.commits[0]):
            known = {
                **VALUES, "kind": "models", "ns": "lab", "name": "vault", **(rule.defaults or {}), "number": vault.pull,
                "rest": f"{revision}/{file}", "path": f"{revision}/{file}", "revision": revision,
                "id": vault.commits[1], "key": vault.repo.key, "sha256": vault.lfs.sha256, "file": vault.xet_hash,
                "xorb": vault.xorb,
            }  # fmt: skip
            values = {one: known.get(one, _any_value(rule.rule, one)) for one in rule.arguments}
            yield rule.build(values, append_unknown=False)[1]


def _rules(vault: Vault, verb: str) -> list:
    rules = [rule for rule in vault.site.app.url_map.iter_rules() if rule.endpoint != "static" and verb in rule.methods]
    return [rule for rule in rules if (rule.defaults or {}).get("type", "model") == "model"]


def _shown(vault: Vault, who: str) -> set[str]:
    """The endpoints that give this person something of what is in the files."""
    found = set()
    client = vault.site.app.test_client()
    for rule in _rules(vault, "GET"):
        for path in sorted(set(_paths(vault, rule))):
            answer = client.get(path, headers=vault.headers(who), query_string=QUERY)
            if SIGN in answer.get_data(as_text=True):
                found.add(rule.endpoint)
            answer.close()
    return found


@pytest.mark.parametrize("who", OUTSIDERS)
def test_no_address_gives_outsiders_what_is_in_the_files(vault: Vault, who: str):
    assert _shown(vault, who) == set()


@pytest.mark.parametrize("who", ["accepted", "writer"])
def test_the_same_addresses_give_it_to_those_who_were_let_in(vault: Vault, who: str):
    assert _shown(vault, who) == GIVE_CONTENT


@pytest.mark.parametrize("who", OUTSIDERS)
def test_what_is_sent_gives_nothing_back(vault: Vault, who: str):
    client = vault.site.app.test_client()
    for method in ("POST", "PUT"):
        for rule in _rules(vault, method):
            if rule.endpoint.startswith(("repo_settings", "api_repos", "sign_in", "access_requests", "api_access")):
                continue
            for path in sorted(set(_paths(vault, rule)))[:3]:
                answer = client.open(path, method=method, headers=vault.headers(who), json=BODY)
                assert SIGN not in answer.get_data(as_text=True), f"{method} {path}"


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("file", ["secret.txt", "chunked.bin", "README.md"])
@pytest.mark.parametrize("kind", ["resolve", "raw"])
def test_files_answer_as_clients_expect(vault: Vault, who: str, file: str, kind: str):
    client, path = vault.site.app.test_client(), f"/lab/vault/{kind}/main/{file}"
    for method, headers in (
        ("GET", {}),
        ("HEAD", {}),
        ("GET", {"Range": "bytes=0-3"}),
        ("GET", {"If-None-Match": "*"}),
    ):
        answer = client.open(path, method=method, headers={**vault.headers(who), **headers})
        assert answer.status_code == (401 if who == "anonymous" else 403), (method, headers)
        assert answer.headers["X-Error-Code"] == "GatedRepo"
        said = answer.headers["X-Error-Message"]
        assert said.startswith("Access to model lab/vault is restricted and you are not in the authorized list.")
        assert not {"ETag", "X-Linked-Etag", "X-Xet-Hash", "Content-Range"} & set(answer.headers.keys())
        assert method == "HEAD" or answer.json["error"] == said


@pytest.mark.parametrize("who", INSIDERS)
def test_insiders_read_them_in_every_way(vault: Vault, who: str):
    client, headers = vault.site.app.test_client(), vault.headers(who)
    assert _bytes(client, "/lab/vault/resolve/main/large.bin", headers) == LARGE
    assert _bytes(client, "/lab/vault/resolve/main/chunked.bin", headers) == b"".join(CHUNKS)
    part = client.get("/lab/vault/resolve/main/secret.txt", headers={**headers, "Range": "bytes=0-2"})
    assert (part.status_code, part.text) == (206, SIGN[:3])
    head = client.head("/lab/vault/resolve/main/chunked.bin", headers=headers)
    assert head.headers["X-Xet-Hash"] == vault.xet_hash
    assert client.get("/api/models/lab/vault/auth-check", headers=headers).status_code == 200
    assert client.get("/api/models/lab/vault/xet-read-token/main", headers=headers).status_code == 200


@pytest.mark.parametrize("who", OUTSIDERS)
def test_what_is_public_stays_so(vault: Vault, who: str):
    client, headers = vault.site.app.test_client(), vault.headers(who)
    info = client.get("/api/models/lab/vault", headers=headers).json
    assert info["gated"] == "manual"
    assert {"rfilename": "secret.txt"} in info["siblings"]
    assert info["cardData"]["license"] == "mit"
    for path in (
        "tree/main", "commits/main", "refs", "discussions", f"discussions/{vault.pull}", "eval-results",
    ):  # fmt: skip
        assert client.get(f"/api/models/lab/vault/{path}", headers=headers).status_code == 200, path
    for path in ("", "/tree/main", "/commits/main", "/discussions", f"/discussions/{vault.pull}", "/evaluations"):
        assert client.get(f"/lab/vault{path}", headers=headers).status_code == 200, path
    assert "All may read this." in client.get("/lab/vault", headers=headers).text
    listed = client.get("/api/models?gated=true", headers=headers).json
    assert [repo["id"] for repo in listed] == ["lab/vault"]
    assert "lab/vault" not in client.get("/api/models?gated=false", headers=headers).text


def test_pages_say_what_to_do(vault: Vault):
    client = vault.site.app.test_client()
    anonymous = client.get("/lab/vault/blob/main/secret.txt")
    assert anonymous.status_code == 302
    assert anonymous.headers["Location"].startswith("/login?next=/lab/vault/blob/main/secret.txt")
    page = client.get("/lab/vault/blob/main/secret.txt", headers=vault.headers("rejected"))
    assert page.status_code == 403
    assert "Your request for access was rejected: Not you." in page.text
    assert 'href="/lab/vault"' in page.text


def test_addresses_that_were_given_out_end_with_the_access(vault: Vault):
    client, headers, hub = vault.site.app.test_client(), vault.headers("accepted"), vault.site.hub
    body = {"operation": "download", "objects": [{"oid": vault.lfs.sha256, "size": vault.lfs.size}]}
    batch = client.post("/lab/vault.git/info/lfs/objects/batch", json=body, headers=headers).json
    large = batch["objects"][0]["actions"]["download"]["href"].removeprefix("http://hub.example")
    token = client.get("/api/models/lab/vault/xet-read-token/main", headers=headers).json["accessToken"]
    asked = {"Authorization": f"Bearer {token}"}
    plan = client.get(f"/cas/v1/reconstructions/{vault.xet_hash}", headers=asked).json
    piece = plan["fetch_info"][vault.xorb][0]["url"].removeprefix("http://hub.example")
    assert _bytes(client, large) == LARGE
    assert _bytes(client, piece)
    admin = accounts.actor_for(hub, "boss")
    gates.handle(hub, admin, vault.repo, "pending", user="accepted")
    for path in (large, piece, f"/cas/v1/reconstructions/{vault.xet_hash}"):
        answer = client.get(path, headers=asked if "recon" in path else {})
        assert answer.status_code == 403, path
        assert SIGN not in answer.get_data(as_text=True)
    assert client.head(large).status_code == 403
    gates.handle(hub, admin, vault.repo, "accepted", user="accepted")
    assert _bytes(client, piece)
    bent = piece.replace("by=accepted", "by=boss")
    assert client.get(bent).status_code == 403


@pytest.mark.parametrize("who", ["stranger", "pending", "rejected"])
def test_whoever_may_bring_content_does_not_read_with_that(vault: Vault, who: str):
    client, headers = vault.site.app.test_client(), vault.headers(who)
    token = client.get("/api/models/lab/vault/xet-write-token/main", headers=headers).json["accessToken"]
    asked = {"Authorization": f"Bearer {token}"}
    for version in (1, 2):
        answer = client.get(f"/cas/v{version}/reconstructions/{vault.xet_hash}", headers=asked)
        assert (answer.status_code, answer.headers["X-Error-Code"]) == (403, "GatedRepo")
    chunk = f"/cas/v1/chunks/default/{to_text(chunk_hash(CHUNKS[0]))}"
    assert client.get(chunk, headers=asked).status_code == 404
    own = client.get("/api/models/lab/vault/xet-write-token/main", headers=vault.headers("writer")).json["accessToken"]
    assert client.get(chunk, headers={"Authorization": f"Bearer {own}"}).status_code == 200


@pytest.mark.parametrize("who", [*OUTSIDERS, *INSIDERS])
def test_listings_lead_to_chunks_only_those_who_read(vault: Vault, who: str):
    listed = vault.site.app.test_client().get("/api/models/lab/vault/tree/main", headers=vault.headers(who)).json
    (found,) = [item for item in listed if item["path"] == "chunked.bin"]
    assert ("xetHash" in found) is (who in INSIDERS)


def test_chunks_of_a_gated_repo_make_no_file_elsewhere(vault: Vault):
    hub = vault.site.hub
    own = repos.create(hub, accounts.actor_for(hub, "stranger"), "model", "stranger", "own")
    with pytest.raises(Invalid, match="is not on the hub"):
        xet.register(hub, own, accounts.actor_for(hub, "stranger"), shard_of(CHUNKS))
    assert xet.register(hub, own, accounts.actor_for(hub, "accepted"), shard_of(CHUNKS)) == 1


@pytest.mark.parametrize("who", OUTSIDERS)
def test_git_neither_reads_nor_pushes(vault: Vault, who: str):
    client, headers = vault.site.app.test_client(), vault.headers(who)
    for path in ("/lab/vault", "/lab/vault.git"):
        for service in ("git-upload-pack", "git-receive-pack"):
            answer = client.get(f"{path}/info/refs?service={service}", headers=headers)
            assert answer.status_code in (401, 403), service
            answer = client.post(f"{path}/{service}", headers=headers, data=b"0000")
            assert answer.status_code in (401, 403), service
    large = {"operation": "download", "objects": [{"oid": vault.lfs.sha256, "size": vault.lfs.size}]}
    assert client.post("/lab/vault/info/lfs/objects/batch", json=large, headers=headers).status_code in (401, 403)


def test_nobody_makes_their_own_address(vault: Vault):
    path = f"/lfs/{vault.repo.key}/{vault.lfs.sha256}"
    with vault.site.app.test_request_context():
        href = sign("GET", path, {"size": str(vault.lfs.size), "by": "stranger"}).removeprefix("http://hub.example")
    assert vault.site.app.test_client().get(href).status_code == 403  # even one that the hub had signed


@pytest.mark.parametrize("who", ["stranger", "pending", "rejected"])
def test_who_may_not_read_learns_by_no_upload_which_chunks_there_are(vault: Vault, who: str):
    """Regression: a shard over chunks that the repo has was taken from anybody who may open a pull request."""
    hub, boss = vault.site.hub, accounts.actor_for(vault.site.hub, "boss")
    actor, other = (accounts.actor_for(hub, name) for name in (who, "pending" if who == "stranger" else "stranger"))
    here, nowhere = [f"{SIGN} for {who}".encode() * 900], [f"not for {who}".encode() * 900]
    (name, body), never = xorb_of(here), xorb_of(nowhere)[0]
    xet.add_xorb(hub, vault.repo, boss, name, io.BytesIO(body))
    xet.register(hub, vault.repo, boss, shard_of(here))
    with pytest.raises(Invalid) as known:
        xet.register(hub, vault.repo, actor, shard_of(here))
    with pytest.raises(Invalid) as unknown:
        xet.register(hub, vault.repo, actor, shard_of(nowhere))
    assert str(known.value).replace(name, "X") == str(unknown.value).replace(never, "X")
    assert xet.add_xorb(hub, vault.repo, actor, name, io.BytesIO(body)) is True  # as if nobody had it
    assert xet.register(hub, vault.repo, actor, shard_of(here)) == 1  # who has the bytes may
    with pytest.raises(Invalid):
        xet.register(hub, vault.repo, other, shard_of(here))
