"""The verified result of the demo: a run that really was made, brought to the hub by the way of every runner.

Each folder of ``sample_repos/runs/`` is one run: ``run.json`` says what was run, when and on what, ``log.eval`` is the
log that stock Inspect wrote. The key of the demo's runner is made on the spot, signs once, and is forgotten.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glasshub import accounts, completion, jobs, leases, pulls, receive, repos, runners
from glasshub.desk import Desk, Move
from glasshub.errors import GlasshubError, NotFound
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.jobs import Attempt, Job
from glasshub.registry import jobs as rows
from glasshub.verify.assignment import Assignment, claims_of
from glasshub.verify.claims import Claims
from glasshub.verify.digests import sha256_of
from glasshub.verify.keys import encode_public, load_private_key, new_private_key, public_bytes
from glasshub.verify.logs.audit import audit
from glasshub.verify.logs.log import open_log
from glasshub.verify.logs.measured import measured
from glasshub.verify.token import sign

FOLDER = Path(__file__).with_name("sample_repos") / "runs"
RUNNER = "demo-runner"
ADDRESS = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its id, what was run at which commits, on what, who merges its outcome, and the log."""

    id: str
    model: str
    model_sha: str
    dataset: str
    dataset_sha: str
    task: str
    engine: str
    hardware: str
    lock_sha256: str
    merged_by: str
    log: Path


def every() -> Iterator[Run]:
    """The runs of the demo."""
    for path in sorted(FOLDER.glob("*/run.json")):
        yield Run(**json.loads(path.read_text("utf-8")), log=path.with_name("log.eval"))


def pinned() -> set[str]:
    """The repos whose commits runs name, as ``type ns/name``: the demo makes them with the same ids each time."""
    return {name for run in every() for name in (f"model {run.model}", f"dataset {run.dataset}")}


def bring(hub: Hub, run: Run, admin: Actor, *, address: str = ADDRESS) -> None:
    """Let a run happen as if it ended now, or what is missing of it after a crash.

    Raises:
        GlasshubError: the sample repos are not those that were run.
    """
    model, dataset = _repo(hub, "model", run.model), _repo(hub, "dataset", run.dataset)
    with hub.registry.read() as db:
        attempt = rows.attempt(db, run.id)
    if attempt is None:
        job = jobs.request(hub, admin, model, dataset, run.task)
        if (job.model_sha, job.dataset_sha) != (run.model_sha, run.dataset_sha):
            raise GlasshubError(
                f"The samples {run.model} and {run.dataset} were changed after the run {run.id}. Make it again: "
                "python tools/demo_run.py."
            )
    if attempt is None or attempt.state == "running":
        job = _finish(hub, run, admin, attempt, address=address)
    else:
        job = completion.settle(hub, attempt.job)
    _merge(hub, model, run, job)


def _finish(hub: Hub, run: Run, admin: Actor, attempt: Attempt | None, *, address: str) -> Job:
    key = load_private_key(new_private_key())
    public = encode_public(public_bytes(key))
    try:
        runners.find(hub, RUNNER)
        runners.add_key(hub, admin, RUNNER, public)
    except NotFound:
        runners.register(hub, admin, RUNNER, public)
    if attempt is None:
        given = leases.lease(hub, admin, RUNNER, address=address, run=run.id)
    else:
        given = leases.assignment(hub, jobs.shown_to_all(hub, jobs.find(hub, attempt.job)), attempt, address)
    assert given is not None
    with run.log.open("rb") as file:
        leases.receive_log(hub, admin, run.id, file)
    return completion.finish(hub, admin, run.id, sign(_claims(run, given), key), address=address)


def _claims(run: Run, given: Assignment) -> Claims:
    """What the log says, beside what ``run.json`` says of how it was run. The hub audits it all."""
    with run.log.open("rb") as file:
        log = open_log(file)
        said = claims_of(given, measured(log.header, audit(log, {}, None)))
        digest, size = sha256_of(file)
    said["model"]["served"] = "endpoint"
    said["log"] = {"sha256": digest, "size": size, "uri": given.log_uri}
    said["framework"]["lock_sha256"] = run.lock_sha256
    said["runner"] |= {"engine": run.engine, "hardware": run.hardware, "network": "proxies"}
    said["iat"] = int(time.time())
    return Claims.model_validate(said)


def _merge(hub: Hub, model: Repo, run: Run, job: Job) -> None:
    who = accounts.actor_for(hub, run.merged_by)

    def decision(desk: Desk) -> Move:
        if desk.record.pull(job.pull).status == "merged":
            return Move()
        return pulls.merge(desk, job.pull, how="merge")

    if job.pull:
        receive.decide(hub, model, who, decision)


def _repo(hub: Hub, type: str, id: str) -> Repo:
    namespace, _, name = id.partition("/")
    return repos.find(hub, "model" if type == "model" else "dataset", namespace, name)
