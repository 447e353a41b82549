"""What may be said about a result that carries a token: one state, and one sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from glasshub.errors import Invalid
from glasshub.verify.keys import RunnerKey
from glasshub.verify.token import Attestation, Unknown, check


class State(StrEnum):
    """The states people can see. Values are stored in the index and the API."""

    VERIFIED = "verified"
    ENDPOINT = "verified-endpoint"
    OLDER_WEIGHTS = "verified-older-weights"
    OLDER_BENCHMARK = "verified-older-benchmark"
    MISMATCH = "token-mismatch"
    REVOKED = "key-revoked"
    UNRECORDED = "not-recorded"
    INVALID = "token-invalid"
    FOREIGN = "issued-elsewhere"

    @property
    def counts(self) -> bool:
        """Whether the result is shown and ranked as verified."""
        return self in (State.VERIFIED, State.ENDPOINT)


_NETWORKS = {"isolated": "a network of hub and model only", "proxies": "the network not enforced"}


@dataclass(frozen=True, slots=True)
class Finding:
    """A state, the sentence that explains it, and the runner that signed (``""`` when nobody known did)."""

    state: State
    reason: str
    runner: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the row says that carries the token. ``dataset_id`` is compared without regard to case."""

    dataset_id: str
    task_id: str
    dataset_revision: str
    value: float


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a repo that the claims name.

    Attributes:
        names: its present and former names, lower-cased.
        has_commit: whether the claimed commit is in its history.
        content: the digest of its content now.
        spec: of a dataset, the digest of the task's entry now (``""``: the task is gone).
    """

    names: frozenset[str]
    has_commit: bool
    content: str
    spec: str = ""


def decide(
    token: str,
    claimed: Claimed,
    *,
    keys: Mapping[str, RunnerKey],
    model: Place,
    dataset: Place | None,
    recorded: bool,
    revoked: str = "",
) -> Finding:
    """The state of a result with a token.

    Args:
        token: the untrusted text of ``verifyToken``.
        claimed: the row it stands in.
        keys: the runners' keys by ``kid``.
        model: the repo that the row stands in, seen from the claimed commit.
        dataset: the dataset that the row names, likewise (``None``: not here).
        recorded: whether the hub's list of runs holds this very token as issued.
        revoked: why the run was revoked since (``""``: it was not).
    """
    try:
        attestation = check(token, keys)
    except Unknown as error:
        return Finding(State.FOREIGN, f"Issued elsewhere, not checkable here. {error.message}")
    except Invalid as error:
        return Finding(State.INVALID, error.message)
    key, runner = attestation.key, attestation.key.runner
    if attestation.claims.runner.id != runner:
        return Finding(State.INVALID, "The token names another runner than the holder of its key.", runner)
    if not key.covers(attestation.issued_at):
        return Finding(State.REVOKED, _revoked(key, attestation), runner)
    if reason := mismatch(attestation, claimed, model, dataset):
        return Finding(State.MISMATCH, reason, runner)
    if not recorded:
        return Finding(State.UNRECORDED, "The hub's list of runs does not hold this token as issued.", runner)
    if revoked:
        return Finding(State.REVOKED, f"The run was revoked: {revoked}.", runner)
    return _current(attestation, model, dataset)


def mismatch(attestation: Attestation, claimed: Claimed, model: Place, dataset: Place | None) -> str:
    """Why the token does not speak of this row (``""`` when it does)."""
    claims = attestation.claims
    if claims.model.id.lower() not in model.names:
        return f"The token is about another model, {claims.model.id}."
    if not model.has_commit:
        return f"The token is about commit {claims.model.sha[:7]}, which is not in this model's history."
    if dataset is None or claims.dataset.id.lower() not in dataset.names:
        return f"The token is about another dataset, {claims.dataset.id}."
    if not dataset.has_commit:
        return f"The token is about commit {claims.dataset.sha[:7]}, which is not in the dataset's history."
    if claims.task.id != claimed.task_id:
        return f"The token is about another task, {claims.task.id}."
    if claimed.dataset_revision and not claims.dataset.sha.startswith(claimed.dataset_revision.lower()):
        return f"The token is about commit {claims.dataset.sha[:7]} of the dataset, not {claimed.dataset_revision[:7]}."
    if claims.value != claimed.value:
        return f"The token says {claims.value!r}, and the result {claimed.value!r}."
    return ""


def _revoked(key: RunnerKey, attestation: Attestation) -> str:
    if attestation.issued_at < key.not_before:
        return f"The token was signed before the key of {key.runner} counted ({key.not_before})."
    why = f": {key.reason}" if key.reason else ""
    return f"The key of {key.runner} was revoked as of {key.revoked_at}{why}."


def _current(attestation: Attestation, model: Place, dataset: Place | None) -> Finding:
    claims, runner = attestation.claims, attestation.key.runner
    assert dataset is not None  # a token about another dataset is a mismatch
    if claims.model.weights_sha256 != model.content:
        reason = (
            f"Verified for an earlier revision of the model, {claims.model.sha[:7]}: its content has changed since."
        )
        return Finding(State.OLDER_WEIGHTS, reason, runner)
    if claims.dataset.data_sha256 != dataset.content or claims.task.spec_sha256 != dataset.spec:
        reason = (
            f"Verified on an older revision of the benchmark, {claims.dataset.sha[:7]}: its data or task has changed."
        )
        return Finding(State.OLDER_BENCHMARK, reason, runner)
    measured = f"{claims.n_items:,} of {claims.n_expected:,} items, {claims.framework.name} {claims.framework.version}"
    if claims.runner.network:
        measured += f", {_NETWORKS[claims.runner.network]}"
    if claims.model.served == "endpoint":
        reason = f"{runner} ran the task against an endpoint and signed what it measured ({measured})."
        return Finding(State.ENDPOINT, f"{reason} An endpoint proves less than weights: it may serve anything.", runner)
    return Finding(
        State.VERIFIED, f"{runner} ran the task on the weights and signed what it measured ({measured}).", runner
    )
