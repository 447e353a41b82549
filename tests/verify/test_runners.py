"""Runners and their record: who may sign, what the public list tells, and what it keeps to itself."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from functools import partial

import pytest

from glasshub import accounts, completion, repos, runners, runs
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from glasshub.git import read
from glasshub.hub import open_hub
from glasshub.identity import ANONYMOUS
from glasshub.registry import tables
from glasshub.registry.runners import NEVER
from glasshub.verify import record
from glasshub.verify.keys import parse_jwks, to_jwks
from glasshub.verify.record import Kind
from tests.push import gitclient
from tests.verify.statements import new_key

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(tmp_path):
    opened = open_hub(Settings(data=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def people(hub):
    accounts.add_user(hub, "ada", admin=True)
    accounts.add_user(hub, "mara")
    return {name: replace(accounts.actor_for(hub, name), scope="write") for name in ("ada", "mara")}


def public() -> str:
    return to_jwks([new_key()[1]])["keys"][0]["x"]


def act(hub, people, *, private: bool = False, kind: Kind = Kind.ISSUED, run: str = "1" * 32) -> runs.Act:
    made = [
        repos.find(hub, type, "mara", name)
        if name in {repo.name for repo in repos.every(hub)}
        else repos.create(hub, people["mara"], type, "mara", name, private=private)
        for type, name in (("model", "tiny-secret" if private else "tiny"), ("dataset", "quiz"))
    ]
    details = {"model": made[0].repo_id, "value": 0.75, "token_sha256": "5" * 64}
    return runs.Act(kind, run, "bench-1", made[0], made[1], details)


def published(hub) -> dict[str, bytes]:
    with read.open_repo(hub.git_dir(runs.repo(hub))) as git:
        main = read.list_refs(git)["refs/heads/main"]
        return {
            e.path: read.read_file(git, main, e.path)
            for e in read.list_tree(git, main, recursive=True)
            if e.kind == "file"
        }


def test_an_admins_runner_is_active_and_its_key_public_at_once(hub, people):
    runners.register(hub, people["ada"], "bench-1", public())
    (key,) = parse_jwks(published(hub)["keys.json"]).values()
    assert (key.runner, key.revoked_at) == ("bench-1", "")


def test_everybody_elses_waits_for_an_admin(hub, people):
    assert runners.register(hub, people["mara"], "bench-1", public()).state == "pending"
    assert runners.keys(hub) == []
    with pytest.raises(Forbidden):
        runners.approve(hub, people["mara"], "bench-1")
    runners.approve(hub, people["ada"], "bench-1")
    (key,) = parse_jwks(published(hub)["keys.json"]).values()
    assert key.not_before != NEVER
    with pytest.raises(Conflict):
        runners.approve(hub, people["ada"], "bench-1")


def test_who_may_not_register_is_told(hub, people):
    with pytest.raises(Unauthenticated):
        runners.register(hub, ANONYMOUS, "bench-1", public())
    with pytest.raises(Forbidden):
        runners.register(hub, replace(people["mara"], scope="read"), "bench-1", public())
    with pytest.raises(Invalid):
        runners.register(hub, people["mara"], "bench 1", public())
    with pytest.raises(Invalid):
        runners.register(hub, people["mara"], "bench-1", "AAAA")


def test_a_name_or_key_is_taken_once(hub, people):
    key = public()
    runners.register(hub, people["ada"], "bench-1", key)
    with pytest.raises(Conflict):
        runners.register(hub, people["ada"], "BENCH-1", public())
    with pytest.raises(Conflict):
        runners.register(hub, people["mara"], "bench-2", key)


def test_keys_rotate_and_are_revoked_but_never_vanish(hub, people):
    runners.register(hub, people["mara"], "bench-1", public())
    runners.approve(hub, people["ada"], "bench-1")
    (old,) = runners.keys(hub)
    new = runners.add_key(hub, people["mara"], "bench-1", public())
    runners.revoke_key(hub, people["mara"], old.kid, reason="lost", since="2026-01-01")
    keys = parse_jwks(published(hub)["keys.json"])
    assert (keys[old.kid].revoked_at, keys[old.kid].reason) == ("2026-01-01T00:00:00.000Z", "lost")
    assert keys[new.kid].revoked_at == ""
    with pytest.raises(Conflict):
        runners.revoke_key(hub, people["mara"], old.kid, reason="again")


def test_a_revocation_says_why_and_not_from_tomorrow_on(hub, people):
    runners.register(hub, people["ada"], "bench-1", public())
    (key,) = runners.keys(hub)
    for reason, since in (("", ""), ("lost", "2999-01-01"), ("lost", "yesterday"), ("x" * 501, "")):
        with pytest.raises(Invalid):
            runners.revoke_key(hub, people["ada"], key.kid, reason=reason, since=since)
    with pytest.raises(NotFound):
        runners.revoke_key(hub, people["ada"], "unknown", reason="lost")
    with pytest.raises(Forbidden):
        runners.revoke_key(hub, people["mara"], key.kid, reason="mine")


def test_a_retired_runner_signs_no_more(hub, people):
    runners.register(hub, people["ada"], "bench-1", public())
    assert runners.retire(hub, people["ada"], "bench-1").state == "retired"
    assert runners.keys(hub)[0].reason == "the runner was retired"
    with pytest.raises(Conflict):
        runners.add_key(hub, people["ada"], "bench-1", public())


def test_acts_make_a_chain_that_reads_back(hub, people):
    for number in range(3):
        runs.enter(hub, act(hub, people, run=f"{number}" * 32, kind=Kind.FAILED if number else Kind.ISSUED))
    lines = runs.lines(hub)
    assert [(line.seq, line.kind) for line in lines] == [(1, "issued"), (2, "failed"), (3, "failed")]
    assert lines[0].details["model"] == "mara/tiny"
    assert record.issued(lines) == {"5" * 64: ""}
    assert runs.faults(hub) == []


def test_an_act_that_the_registry_tells_otherwise_is_found(hub, people):
    runs.enter(hub, act(hub, people))
    with hub.registry.write() as db:
        (row,) = runs.rows.every_run(db)
        details = row.details["details"] | {"value": 0.9}
        db.execute(tables.runs.update().values(details=json.dumps({"details": details, "public": True})))
    assert runs.faults(hub) == ["list of runs: the registry has another act than line 1"]


def test_a_private_model_leaves_a_line_without_its_name(hub, people):
    runs.enter(hub, act(hub, people, private=True))
    (line,) = runs.lines(hub)
    assert line.details is None
    assert b"secret" not in b"".join(published(hub).values())
    assert runs.faults(hub) == []


def test_who_may_read_the_model_may_read_what_happened(hub, people):
    runs.enter(hub, act(hub, people, private=True))
    with hub.registry.read() as db:
        (row,) = runs.rows.every_run(db)
    assert runs.may_read(hub, row, people["mara"])
    assert not runs.may_read(hub, row, ANONYMOUS)


def test_an_act_that_died_before_its_line_is_written_later_and_once(hub, people, monkeypatch):
    monkeypatch.setattr(runs, "publish", lambda _hub: None)
    runs.enter(hub, act(hub, people))
    monkeypatch.undo()
    assert runs.lines(hub) == []
    runs.publish(hub)
    with hub.registry.write() as db:  # as if it had died after the commit, before the registry learnt of it
        runs.rows.set_place(db, runs.rows.every_run(db)[0].id, 0)
    runs.publish(hub)
    assert [line.seq for line in runs.lines(hub)] == [1]
    assert runs.faults(hub) == []


def test_keys_of_many_at_once_are_all_published(hub, people):
    runners.register(hub, people["ada"], "bench-1", public())
    first = runners.keys(hub)[0].kid
    chores = [partial(runners.add_key, hub, people["ada"], "bench-1", public()) for _ in range(6)]
    chores.insert(3, partial(runners.revoke_key, hub, people["ada"], first, reason="lost"))
    threads = [threading.Thread(target=chore) for chore in chores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert parse_jwks(published(hub)["keys.json"]) == {key.kid: key for key in runners.keys(hub)}


def test_a_revocation_whose_process_died_is_published_without_being_asked(hub, people, monkeypatch):
    runners.register(hub, people["ada"], "bench-1", public())
    (key,) = runners.keys(hub)
    monkeypatch.setattr(runs, "publish", lambda _hub: None)
    runners.revoke_key(hub, people["ada"], key.kid, reason="stolen")
    monkeypatch.undo()
    assert "revoked_at" not in published(hub)["keys.json"].decode()
    completion.recover(hub)  # what each process does now and then
    assert "stolen" in published(hub)["keys.json"].decode()


def test_a_late_publisher_does_not_bring_back_keys_of_before(hub, people, monkeypatch):
    runners.register(hub, people["ada"], "bench-1", public())
    (key,) = runners.keys(hub)
    decide = runs.receive.decide

    def revoked_meanwhile(*arguments, **options):
        monkeypatch.setattr(runs.receive, "decide", decide)
        runners.revoke_key(hub, people["ada"], key.kid, reason="stolen")
        return decide(*arguments, **options)

    monkeypatch.setattr(runs.receive, "decide", revoked_meanwhile)
    runners.add_key(hub, people["ada"], "bench-1", public())
    assert parse_jwks(published(hub)["keys.json"])[key.kid].reason == "stolen"


def test_a_run_is_revoked_once_by_an_admin_with_a_reason(hub, people):
    runs.enter(hub, act(hub, people, private=True))
    run = "1" * 32
    with pytest.raises(Forbidden):
        runs.revoke(hub, people["mara"], run, reason="no")
    for wrong, error in (("", Invalid), ("x" * 501, Invalid)):
        with pytest.raises(error):
            runs.revoke(hub, people["ada"], run, reason=wrong)
    with pytest.raises(NotFound):
        runs.revoke(hub, people["ada"], "2" * 32, reason="no")
    runs.revoke(hub, people["ada"], run, reason="The scorer was wrong.")
    assert record.issued(runs.lines(hub)) == {"5" * 64: "The scorer was wrong."}
    with pytest.raises(Conflict):
        runs.revoke(hub, people["ada"], run, reason="again")
    assert runs.faults(hub) == []
    assert b"secret" not in b"".join(published(hub).values())


def test_a_revocation_names_the_model_where_the_run_did(hub, people):
    runs.enter(hub, act(hub, people))
    runs.revoke(hub, people["ada"], "1" * 32, reason="wrong machine")
    told = runs.lines(hub)[-1].details
    assert (told["model"], told["reason"]) == ("mara/tiny", "wrong machine")
    assert runs.faults(hub) == []


def test_many_at_once_lose_nothing(hub, people):
    acts = [act(hub, people, run=f"{number:032x}", kind=Kind.FAILED) for number in range(8)]
    threads = [threading.Thread(target=runs.enter, args=(hub, one)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line.run for line in runs.lines(hub)) == [one.run for one in acts]
    assert runs.faults(hub) == []


def test_nobody_but_the_hub_writes_the_record(hub, people):
    runners.register(hub, people["ada"], "bench-1", public())
    found = runs.repo(hub)
    with pytest.raises(Forbidden):
        repos.configure(hub, people["ada"], found, private=True)
    with pytest.raises(Forbidden):
        repos.delete(hub, people["ada"], found)
    with pytest.raises(Invalid, match="reserved"):
        accounts.add_user(hub, "hub")


def chain(count: int) -> list[record.Line]:
    lines: list[record.Line] = []
    for seq in range(1, count + 1):
        details = {"n": seq}
        prev = lines[-1].digest if lines else record.START
        lines.append(
            record.Line(
                seq,
                "2026-11-01T00:00:00.000Z",
                prev,
                Kind.FAILED,
                "0" * 32,
                "b",
                record.digest_of(details),
                details=details,
            )
        )
    return lines


@pytest.mark.slow
def test_published_keys_that_were_changed_on_the_disk_are_found(hub, people, tmp_path):
    runners.register(hub, people["ada"], "bench-1", public())
    assert runs.faults(hub) == []
    tree = gitclient.clone(str(hub.git_dir(runs.repo(hub))), tmp_path / "record")
    keys = tmp_path / "record" / "keys.json"
    keys.write_text(keys.read_text().replace('"not_before": "20', '"not_before": "19'))
    tree.commit("Begin earlier")
    tree.git("push", "-q", "origin", "HEAD:main")
    assert runs.faults(hub) == ["list of runs: keys.json does not hold the keys that the registry has"]


def test_a_line_taken_out_or_changed_is_found():
    lines = chain(5)
    assert record.faults(lines) == []
    assert len(record.faults([*lines[:2], *lines[3:]])) == 2
    assert len(record.faults([*lines[:2], replace(lines[2], details={"n": 7}), *lines[3:]])) == 2
    assert record.faults(lines[1:])


@pytest.mark.parametrize("data", [b"{}", b"[]", b"x", b'{"seq":1}'])
def test_a_damaged_line_is_named(data):
    with pytest.raises(Invalid, match="Line 1"):
        record.parse(data)


def test_lines_read_back():
    lines = chain(3)
    assert record.parse(b"\n".join(line.to_bytes() for line in lines)) == lines
    said = json.loads(lines[0].to_bytes()) | {"more": 1}
    with pytest.raises(Invalid):
        record.parse(json.dumps(said).encode())


def test_the_api_tells_keys_to_everybody_and_runs_to_whom_they_concern(hub, people):
    runners.register(hub, people["ada"], "bench-1", public())
    runs.enter(hub, act(hub, people, private=True))
    client = create_app(hub).test_client()
    assert parse_jwks(client.get("/.well-known/jwks.json").data)
    assert client.get("/api/runners/bench-1").json["state"] == "active"
    (told,) = client.get("/api/runs").json
    assert (told["kind"], told["details"]) == ("issued", None)
    assert client.get("/api/runs?model=mara/tiny-secret").status_code == 404
    assert client.post("/api/runners", json={"name": "x", "publicKey": public()}).status_code == 401
    token, _ = accounts.create_token(hub, "mara", scope="write", name="t")
    (told,) = client.get("/api/runs?model=mara/tiny-secret", headers={"Authorization": f"Bearer {token}"}).json
    assert told["details"]["value"] == 0.75
