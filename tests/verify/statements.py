"""Statements for the tests: claims as a runner writes them, and keys to sign them with."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from glasshub.verify.claims import Claims, parse_claims
from glasshub.verify.keys import RunnerKey, load_private_key, new_private_key, public_bytes, thumbprint
from glasshub.verify.states import Claimed, Place

MODEL_SHA, DATASET_SHA = "a" * 40, "b" * 40
ISSUED = 1_790_000_000  # 2026-09-21
CLAIMED = Claimed("glasshub/desk-questions", "choice", DATASET_SHA, 0.75)
MODEL = Place(frozenset({"mara/tiny"}), True, "1" * 64)
DATASET = Place(frozenset({"glasshub/desk-questions"}), True, "2" * 64, "3" * 64)


def said(**changes: Any) -> dict[str, Any]:
    """Claims as JSON values; ``model__sha="..."`` changes a claim within another."""
    claims: dict[str, Any] = {
        "iss": "http://127.0.0.1:8000", "jti": "0" * 32, "iat": ISSUED, "sub": f"models/mara/tiny@{MODEL_SHA}",
        "schema": 1,
        "model": {"id": "mara/tiny", "sha": MODEL_SHA, "weights_sha256": "1" * 64, "served": "weights"},
        "dataset": {
            "id": "glasshub/desk-questions", "sha": DATASET_SHA, "eval_yaml_sha256": "4" * 64, "data_sha256": "2" * 64,
        },
        "task": {"id": "choice", "config": "choice", "split": "test", "spec_sha256": "3" * 64},
        "metric": {"name": "accuracy", "scorer": "choice", "reducer": "mean", "direction": "higher"},
        "value": 0.75, "stderr": 0.05, "n_items": 60, "n_expected": 60, "epochs": 1,
        "log": {"sha256": "5" * 64, "size": 1234, "uri": "http://127.0.0.1:8000/mara/tiny/resolve/x/.eval_logs/a.eval"},
        "framework": {"name": "inspect-ai", "version": "0.3.285", "lock_sha256": "6" * 64},
        "gen": {"temperature": 0.0, "max_tokens": None}, "runner": {"id": "bench-1", "engine": "vllm 0.12"},
        "attempt": 1, "started_at": "2026-09-21T14:00:00.000Z", "finished_at": "2026-09-21T14:10:00.000Z",
    }  # fmt: skip
    for name, value in changes.items():
        *path, last = name.split("__")
        place = claims
        for part in path:
            place = place[part]
        place[last] = value
    return claims


def claims(**changes: Any) -> Claims:
    """The same, read as the hub reads them."""
    return parse_claims(json.dumps(said(**changes)).encode())


def new_key(runner: str = "bench-1", **window: str) -> tuple[Ed25519PrivateKey, RunnerKey]:
    """A private key and how the hub knows it."""
    private = load_private_key(new_private_key())
    public = public_bytes(private)
    window.setdefault("not_before", "2026-01-01T00:00:00.000Z")
    return private, RunnerKey(thumbprint(public), runner, public, **window)
