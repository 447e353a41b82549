"""Jobs: asking for runs, deciding about them, and what runners do with them; ours."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from glasshub import completion, jobs, leases, repos
from glasshub.errors import Invalid
from glasshub.index.queries import cursor as cursors
from glasshub.jobs import Job, Shown, State
from glasshub.outcome import LOGS
from glasshub.web.api.arguments import limit, many, paged
from glasshub.web.api.json_body import json_body
from glasshub.web.body import counted_body
from glasshub.web.context import actor, hub, public_url

bp = Blueprint("api_verifications", __name__)
_ALL = "/api/verifications"
_ONE = f"{_ALL}/<id>"
_RUN = "/api/runs/<run>"
_CURSOR = "jobs"


@bp.get(_ALL)
def listing() -> Response:
    """Jobs, newest first; filters ``model``, ``dataset``, ``state`` (``limit``, ``cursor``)."""
    model, dataset = (_key(kind, request.args.get(kind, "")) for kind in ("model", "dataset"))
    most, after = limit(100, 1_000), None
    if cursor := request.args.get("cursor"):
        created_at, id = cursors.decode(cursor, _CURSOR, str, str)
        after = created_at, id
    states = _states()
    found = jobs.listing(hub(), actor(), model=model, dataset=dataset, states=states, limit=most + 1, after=after)
    last = found[most - 1].job if len(found) > most else None
    following = cursors.encode(_CURSOR, last.created_at, last.id) if last else None
    return paged([_json(shown) for shown in found[:most]], following)


@bp.post(_ALL)
def ask() -> Response:
    """Ask for a run: ``model``, ``dataset``, ``task``, ``modelRevision``, ``datasetRevision``, ``result``."""
    body = json_body()
    model, dataset = (_repo(kind, body.text(kind)) for kind in ("model", "dataset"))
    job = jobs.request(
        hub(), actor(), model, dataset, body.text("task"), model_revision=body.text("modelRevision", ""),
        dataset_revision=body.text("datasetRevision", ""), result=body.text("result", ""),
    )  # fmt: skip
    return _answer(job)


@bp.get(_ONE)
def show(id: str) -> Response:
    """One job with everything that was tried."""
    return jsonify(_json(jobs.show(hub(), actor(), id)))


@bp.post(f"{_ONE}/approve")
def approve(id: str) -> Response:
    """Queue it."""
    return _answer(jobs.approve(hub(), actor(), id))


@bp.post(f"{_ONE}/cancel")
def cancel(id: str) -> Response:
    """End it: ``reason``."""
    return _answer(jobs.cancel(hub(), actor(), id, reason=json_body().text("reason", "")))


@bp.post("/api/runners/<name>/lease")
def lease(name: str) -> ResponseReturnValue:
    """Take a job for a runner, the oldest or ``job``; 204 when there is none."""
    completion.recover(hub())
    given = leases.lease(hub(), actor(), name, address=public_url(), job=json_body().text("job", ""))
    return ("", 204) if given is None else jsonify(given.model_dump())


@bp.post(f"{_RUN}/progress")
def progress(run: str) -> Response:
    """Renew the lease: ``text``, ``logTail``; the answer says whether to go on."""
    body = json_body()
    job = leases.progress(hub(), actor(), run, text=body.text("text", ""), log_tail=body.text("logTail", ""))
    return jsonify({"state": job.state, "goOn": job.state == "running" and job.run == run, "reason": job.reason})


@bp.put(f"{_RUN}/log")
def receive_log(run: str) -> Response:
    """Keep the body, the log of a run that is under way."""
    return jsonify({"size": leases.receive_log(hub(), actor(), run, counted_body())})


@bp.get(f"{_RUN}/log")
def log(run: str) -> ResponseReturnValue:
    """The log of a run, where the hub keeps it."""
    path, commit = completion.log_place(hub(), actor(), run)
    return redirect(f"{path}/resolve/{commit}/{LOGS}/{run}.eval")


@bp.post(f"{_RUN}/finish")
def finish(run: str) -> Response:
    """End it with an outcome: ``token``."""
    return _answer(completion.finish(hub(), actor(), run, json_body().text("token"), address=public_url()))


@bp.post(f"{_RUN}/fail")
def fail(run: str) -> Response:
    """Give up: ``error``, ``logTail``."""
    body = json_body()
    return _answer(leases.fail(hub(), actor(), run, error=body.text("error"), log_tail=body.text("logTail", "")))


def _states() -> list[State]:
    asked = many("state")
    if unknown := [state for state in asked if state not in jobs.STATES]:
        raise Invalid(f"There is no state {unknown[0][:40]!r}. Jobs are {', '.join(jobs.STATES)}.")
    return [state for state in jobs.STATES if state in asked]


def _repo(kind: str, id: str) -> Any:
    namespace, slash, name = id.partition("/")
    if not slash:
        raise Invalid(f"Send {kind} as namespace/name.")
    return repos.find_readable(hub(), actor(), kind, namespace, name)  # type: ignore[arg-type]


def _key(kind: str, id: str) -> str:
    return str(_repo(kind, id).key) if id else ""


def _answer(job: Job) -> Response:
    return jsonify(_json(jobs.shown_to_all(hub(), job)))


def _json(shown: Shown) -> dict[str, Any]:
    job = shown.job
    return {
        "id": job.id,
        "state": job.state,
        "reason": job.reason,
        "model": shown.model.repo_id,
        "modelRevision": job.model_sha,
        "dataset": shown.dataset.repo_id,
        "datasetRevision": job.dataset_sha,
        "task": job.task,
        "result": job.result or None,
        "requester": job.requester,
        "runner": shown.runner or None,
        "leaseUntil": job.lease_until or None,
        "progress": job.progress,
        "logTail": job.log_tail,
        "pullRequest": job.pull or None,
        "createdAt": job.created_at,
        "updatedAt": job.updated_at,
        "attempts": [
            {
                "run": attempt.run,
                "runner": attempt.runner,
                "number": attempt.number,
                "state": attempt.state,
                "startedAt": attempt.started_at,
                "endedAt": attempt.ended_at or None,
                "error": attempt.error,
            }
            for attempt in shown.attempts
        ],
    }
