"""Runners, their keys, and the public list of runs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from glasshub import runners, runs
from glasshub.runners import Runner
from glasshub.verify.keys import RunnerKey, to_jwks
from glasshub.web.api.arguments import limit, paged, skipped
from glasshub.web.api.json_body import json_body
from glasshub.web.context import actor, hub

bp = Blueprint("api_runners", __name__)
_ONE = "/api/runners/<name>"


@bp.get("/.well-known/jwks.json")
def key_set() -> Response:
    """The keys of all runners, those that were revoked included, as a JSON Web Key Set."""
    answer = jsonify(to_jwks(runners.keys(hub())))
    answer.mimetype = "application/jwk-set+json"
    return answer


@bp.get("/api/runners")
def listing() -> Response:
    """All runners with their keys."""
    keys = runners.keys(hub())
    return jsonify([_json(found, keys) for found in runners.listing(hub())])


@bp.post("/api/runners")
def register() -> Response:
    """Ask for a runner: ``name``, ``publicKey``."""
    body = json_body()
    return _answer(runners.register(hub(), actor(), body.text("name"), body.text("publicKey")))


@bp.get(_ONE)
def show(name: str) -> Response:
    """One of them."""
    return _answer(runners.find(hub(), name))


@bp.post(f"{_ONE}/approve")
def approve(name: str) -> Response:
    """Let it sign."""
    return _answer(runners.approve(hub(), actor(), name))


@bp.post(f"{_ONE}/retire")
def retire(name: str) -> Response:
    """Let it sign no more."""
    return _answer(runners.retire(hub(), actor(), name))


@bp.post(f"{_ONE}/keys")
def add_key(name: str) -> Response:
    """Give it a further key: ``publicKey``."""
    runners.add_key(hub(), actor(), name, json_body().text("publicKey"))
    return _answer(runners.find(hub(), name))


@bp.post(f"{_ONE}/keys/<kid>/revoke")
def revoke_key(name: str, kid: str) -> Response:
    """End a key's window: ``reason``, ``since``."""
    body = json_body()
    runners.revoke_key(hub(), actor(), kid, reason=body.text("reason"), since=body.text("since", ""))
    return _answer(runners.find(hub(), name))


def _answer(runner: Runner) -> Response:
    return jsonify(_json(runner, runners.keys(hub(), runner.name)))


def _json(runner: Runner, keys: list[RunnerKey]) -> dict[str, Any]:
    return {
        "name": runner.name,
        "owner": runner.owner,
        "state": runner.state,
        "createdAt": runner.created_at,
        "keys": to_jwks(key for key in keys if key.runner == runner.name)["keys"],
    }


@bp.get("/api/runs")
def list_runs() -> Response:
    """The acts on record, newest first; filters ``model``, ``dataset``, ``runner`` (``limit``, ``cursor``)."""
    most, skip = limit(100, 1_000), skipped()
    names = {name: request.args.get(name, "") for name in ("model", "dataset", "runner")}
    acts = runs.acts(hub(), actor(), **names, skip=skip, limit=most + 1)
    return paged([_act(act) for act in acts[:most]], str(skip + most) if len(acts) > most else None)


@bp.post("/api/runs/<run>/revoke")
def revoke_run(run: str) -> Response:
    """Take back what a run was issued for: ``reason``."""
    runs.revoke(hub(), actor(), run, reason=json_body().text("reason"))
    return jsonify({})


def _act(act: runs.Known) -> dict[str, Any]:
    return {
        "seq": act.place or None,
        "time": act.at,
        "kind": act.kind,
        "run": act.run,
        "runner": act.runner,
        "details": act.details,
    }
