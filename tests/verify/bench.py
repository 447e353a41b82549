"""A hub with the sample benchmark, a model and a runner; and logs that stock Inspect wrote, made over for a run."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from glasshub import accounts, edits, leases, repos, runners
from glasshub.clock import now
from glasshub.edits import Edit
from glasshub.git.build import Put
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.verify.assignment import Assignment, claims_of
from glasshub.verify.claims import parse_claims
from glasshub.verify.digests import sha256
from glasshub.verify.keys import to_jwks
from glasshub.verify.logs.archive import open_archive
from glasshub.verify.logs.audit import audit
from glasshub.verify.logs.log import open_log
from glasshub.verify.logs.measured import mark_of, measured
from glasshub.verify.token import sign
from tests.verify.statements import new_key

ADDRESS = "http://hub.test"
LOG = Path(__file__).parent / "logs" / "desk-questions-choice.eval"
QUESTIONS = Path(__file__).parents[2] / "sample_repos" / "datasets" / "glasshub" / "desk-questions"
VALUE = 7 / 27


@dataclass
class Bench:
    """Who and what there is; ``key`` signs for the runner ``bench-1`` of ``ada``, who is an admin."""

    hub: Hub
    people: dict[str, Actor]
    model: Repo
    dataset: Repo
    key: Ed25519PrivateKey


def make(hub: Hub, *, private: bool = False) -> Bench:
    for name in ("ada", "mara", "stranger"):
        accounts.add_user(hub, name, admin=name == "ada")
    people = {name: replace(accounts.actor_for(hub, name), scope="write") for name in ("ada", "mara", "stranger")}
    dataset = repos.create(hub, people["mara"], "dataset", "mara", "desk-questions", private=private)
    files = [
        Put(path.relative_to(QUESTIONS).as_posix(), path.read_bytes())
        for path in QUESTIONS.rglob("*")
        if path.is_file()
    ]
    edits.commit(hub, dataset, people["mara"], Edit(files, "Ask"), ref="refs/heads/main")
    model = repos.create(hub, people["mara"], "model", "mara", "first-option")
    text = "- dataset: {id: mara/desk-questions, task_id: choice}\n  value: 0.9\n"
    files = [Put("weights.txt", b"A\n"), Put(".eval_results/claim.yaml", text.encode())]
    edits.commit(hub, model, people["mara"], Edit(files, "Claim"), ref="refs/heads/main")
    private_key, public = new_key("bench-1")
    runners.register(hub, people["ada"], "bench-1", to_jwks([public])["keys"][0]["x"])
    return Bench(hub, people, model, dataset, private_key)


def log_for(given: Assignment, *, change=None, samples=None) -> bytes:
    """The log as if Inspect had written it for this run; ``change`` takes the header, ``samples`` each sample."""
    out = io.BytesIO()
    with LOG.open("rb") as file, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        old = open_archive(file)
        for name in old.names:
            data = old.read(name)
            if name == "header.json":
                header = json.loads(data)
                header["eval"]["task"] = given.name
                header["eval"]["metadata"] = {"hub_run": mark_of(given.run)}
                if change:
                    change(header)
                data = json.dumps(header).encode()
            elif samples and name.startswith("samples/"):
                sample = json.loads(data)
                samples(sample)
                data = json.dumps(sample).encode()
            new.writestr(name, data)
    return out.getvalue()


def send(bench: Bench, given: Assignment, log: bytes, *, by: str = "ada") -> None:
    leases.receive_log(bench.hub, bench.people[by], given.run, io.BytesIO(log))


def token_for(bench: Bench, given: Assignment, log: bytes, *, key=None, issued: int = 0, **changes) -> str:
    """What an honest runner signs, with claims changed."""
    opened = open_log(io.BytesIO(log))
    report = audit(opened, {}, None)
    said = claims_of(given, measured(opened.header, report))
    said["model"]["served"] = "weights"
    said["log"] = {"sha256": sha256(log), "size": len(log), "uri": given.log_uri}
    said["framework"]["lock_sha256"] = "6" * 64
    said["runner"]["engine"] = "a test"
    said["iat"] = issued or int(datetime.fromisoformat(now()).timestamp())
    for name, value in changes.items():
        *path, last = name.split("__")
        place = said
        for part in path:
            place = place[part]
        place[last] = value
    return sign(parse_claims(json.dumps(said).encode()), key or bench.key)
