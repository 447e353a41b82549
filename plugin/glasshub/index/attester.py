"""What may be said about results that carry tokens, from what the index holds of keys, runs and contents."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from glasshub.errors import Invalid
from glasshub.evals.ranking import Tier
from glasshub.verify.digests import sha256, spec_sha256
from glasshub.verify.keys import RunnerKey
from glasshub.verify.rows import card_entry
from glasshub.verify.states import Claimed, Finding, Place, State, decide
from glasshub.verify.token import peek_dataset

_CARRIED = "verify_token, dataset_lower, task_id, dataset_revision, value, commit_known, dataset_key, model_key"
_WIDTH = len(_CARRIED.split(","))
_PLACE = "model_key = ? AND pull = ? AND path = ? AND position = ?"


@dataclass(frozen=True, slots=True)
class Carrier:
    """A result with a token: where it stands, what it says, and which dataset it means (``""``: none here)."""

    model_key: str
    token: str
    claimed: Claimed
    commit_known: bool
    dataset_key: str


class Attester:
    """Decides results by what the index has at this moment.

    Args:
        db: a connection; inside the transaction that writes the findings, if they are to be written.
        keys: the keys of runners by ``kid`` (those that the index knows by default).
    """

    def __init__(self, db: Database, keys: Mapping[str, RunnerKey] | None = None) -> None:
        self._db = db
        self._keys = keys

    def decide(self, carrier: Carrier) -> Finding:
        """The finding on one result."""
        issued = self._issued(carrier.token)
        return decide(
            carrier.token,
            carrier.claimed,
            keys=self._all_keys(),
            model=Place(self._names(carrier.model_key), carrier.commit_known, self._content(carrier.model_key)),
            dataset=self._dataset(carrier) if carrier.dataset_key else None,
            recorded=issued is not None,
            revoked=issued or "",
        )

    def decide_at(self, place: Sequence[Any]) -> Finding | None:
        """The finding on the result at a place (model, pull request, path, position); ``None``: it has no token now."""
        row = self._db.execute(
            f"SELECT {_CARRIED} FROM results WHERE {_PLACE} AND verify_token != ''", place
        ).fetchone()
        return self.decide(_carrier(row)) if row else None

    def _all_keys(self) -> Mapping[str, RunnerKey]:
        if self._keys is None:
            rows = self._db.execute("SELECT kid, runner, public, not_before, revoked_at, reason FROM runner_keys")
            self._keys = {
                kid: RunnerKey(kid, runner, bytes.fromhex(public), *window) for kid, runner, public, *window in rows
            }
        return self._keys

    def _issued(self, token: str) -> str | None:
        row = self._db.execute("SELECT revoked FROM issued_runs WHERE token = ?", [sha256(token.encode())]).fetchone()
        return None if row is None else str(row[0])

    def _dataset(self, carrier: Carrier) -> Place:
        key = carrier.dataset_key
        commit = self._db.execute(
            "SELECT 1 FROM commits WHERE key = ? AND id = ?", [key, peek_dataset(carrier.token)]
        ).fetchone()
        found = self._db.execute(
            "SELECT t.spec, t.config, r.card FROM tasks t JOIN repos r ON r.key = t.key "
            "WHERE t.key = ? AND t.task_id = ?",
            [key, carrier.claimed.task_id],
        ).fetchone()
        digest = _spec(*found) if found else ""
        return Place(self._names(key), commit is not None, self._content(key), digest)

    def _names(self, key: str) -> frozenset[str]:
        return frozenset(row[0] for row in self._db.execute("SELECT lower FROM names WHERE key = ?", [key]))

    def _content(self, key: str) -> str:
        row = self._db.execute("SELECT sha256 FROM contents WHERE key = ?", [key]).fetchone()
        return row[0] if row else ""


def _spec(spec: str, config: str, card: str) -> str:
    """The digest of a task as it is now; ``""`` where there is none, so that no token can be about it."""
    try:
        return spec_sha256(json.loads(spec) if spec else {}, card_entry(json.loads(card) if card else {}, config))
    except Invalid:
        return ""


def tier(state: str, pull: int) -> Tier:
    """How far a result is trusted for the headline rule, by the state of its token and where it stands."""
    if state == State.VERIFIED:
        return Tier.VERIFIED
    if state == State.ENDPOINT:
        return Tier.ENDPOINT
    return Tier.COMMUNITY if pull else Tier.AUTHOR


def decide_again(db: Database, names: Collection[str] | None = None) -> set[str]:
    """Decide results with tokens again; returns the datasets whose boards may differ now.

    Args:
        db: a connection inside a write transaction.
        names: only results that name a dataset so (lower-cased); all by default.
    """
    attester, changed, touched = Attester(db), [], set[str]()
    for carrier, before, place in _carriers(db, names):
        found = attester.decide(carrier)
        after = (found.state.value, found.reason, found.runner)
        if after != before:
            changed.append((*after, *place))
            touched.add(carrier.dataset_key)
    db.conn.executemany(f"UPDATE results SET badge = ?, badge_reason = ?, runner = ? WHERE {_PLACE}", changed)
    return touched - {""}


def _carriers(
    db: Database, names: Collection[str] | None
) -> Iterable[tuple[Carrier, tuple[str, ...], tuple[Any, ...]]]:
    condition = "" if names is None else " AND dataset_lower IN (SELECT value FROM json_each(?))"
    rows = db.execute(
        f"SELECT {_CARRIED}, badge, badge_reason, runner, pull, path, position "
        f"FROM results INDEXED BY results_with_token WHERE verify_token != ''{condition}",
        [] if names is None else [json.dumps(sorted(names))],
    ).fetchall()
    for row in rows:
        carrier, (badge, reason, runner, *place) = _carrier(row[:_WIDTH]), row[_WIDTH:]
        yield carrier, (badge, reason, runner), (carrier.model_key, *place)


def _carrier(row: Sequence[Any]) -> Carrier:
    token, dataset, task, revision, value, known, key, model = row
    return Carrier(model, token, Claimed(dataset, task, revision, value), bool(known), key)
