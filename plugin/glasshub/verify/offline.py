"""Checking a result away from the hub: what was proved, what was not, and what could not be checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from glasshub.errors import GlasshubError, Invalid
from glasshub.evals.eval_results import ResultEntry
from glasshub.verify import record
from glasshub.verify.digests import sha256
from glasshub.verify.keys import RunnerKey
from glasshub.verify.logs.audit import audit
from glasshub.verify.logs.log import open_log
from glasshub.verify.logs.report import Check, Outcome
from glasshub.verify.record import Line
from glasshub.verify.rows import Row
from glasshub.verify.token import Attestation, Unknown, check

_OF_THE_LOG = ("A1", "A2", "A4")  # checks that need nothing else
PASSED, FAILED, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is at hand beside the result.

    Attributes:
        keys: the trusted keys by ``kid``.
        model_id: the repo that the result stands in (``""``: unknown).
        log: the log of the run.
        log_digest: its SHA-256, and ``log_size`` its size in bytes.
        spec: the task's entry in ``eval.yaml`` at the claimed commit, with the digest of that file and of the data.
        rows: the rows of the split there.
        lines: the public list of runs, and ``damage`` why it cannot be read as one.
        missing: why something of this is not at hand, by name (``log``, ``dataset``, ``runs``).
    """

    keys: Mapping[str, RunnerKey]
    model_id: str = ""
    log: BinaryIO | None = None
    log_digest: str = ""
    log_size: int = 0
    spec: Mapping[str, object] | None = None
    digests: tuple[str, str, str] = ("", "", "")
    rows: Sequence[Row] | None = None
    lines: Sequence[Line] | None = None
    damage: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proof:
    """The checks of one result, in order."""

    checks: tuple[Check, ...]
    attestation: Attestation | None = None

    @property
    def failed(self) -> bool:
        """Whether something is wrong."""
        return any(check.outcome is FAILED for check in self.checks)

    @property
    def complete(self) -> bool:
        """Whether everything could be checked, and nothing is wrong."""
        return all(check.outcome in (PASSED, Outcome.APART) for check in self.checks)


def prove(entry: ResultEntry, evidence: Evidence) -> Proof:
    """Check a result with everything that is at hand."""
    try:
        attestation = check(entry.verify_token, evidence.keys)
    except Unknown as error:
        return Proof((Check("signature", "Signed by a known runner", UNKNOWN, error.message),))
    except Invalid as error:
        return Proof((Check("signature", "Signed by a known runner", FAILED, error.message),))
    key = attestation.key
    checks = [
        Check("signature", "Signed by a known runner", PASSED, f"{key.runner}, key {key.kid}"),
        _window(attestation),
        _row(entry, attestation, evidence.model_id),
        _recorded(entry, attestation, evidence),
        _log(attestation, evidence),
        _data(attestation, evidence),
        *_arithmetic(attestation, evidence),
    ]
    return Proof(tuple(checks), attestation)


def _window(attestation: Attestation) -> Check:
    title, key, issued = "Signed while the key counted", attestation.key, attestation.issued_at
    if attestation.claims.runner.id != key.runner:
        return Check("key", title, FAILED, "the token names another runner than the holder of its key")
    if key.covers(issued):
        return Check("key", title, PASSED, f"signed {issued}")
    return Check("key", title, FAILED, f"signed {issued}; {key.reason or 'outside the window of the key'}")


def _row(entry: ResultEntry, attestation: Attestation, model_id: str) -> Check:
    title, claims = "The result says what was signed", attestation.claims
    pairs = [
        ("dataset", claims.dataset.id.lower(), entry.dataset_id.lower()),
        ("task", claims.task.id, entry.task_id),
        ("value", repr(claims.value), repr(entry.value)),
    ]
    if entry.dataset_revision:
        revision = entry.dataset_revision.lower()
        pairs.append(("dataset commit", claims.dataset.sha[: len(revision)], revision))
    if model_id:
        pairs.append(("model", claims.model.id.lower(), model_id.lower()))
    wrong = [f"{name}: signed {signed}, the result says {said}" for name, signed, said in pairs if signed != said]
    if wrong:
        return Check("row", title, FAILED, "; ".join(wrong))
    where = f"{claims.model.id}@{claims.model.sha[:7]} on {claims.dataset.id}@{claims.dataset.sha[:7]}/{claims.task.id}"
    return Check("row", title, PASSED, f"{where}: {claims.value!r}")


def _recorded(entry: ResultEntry, attestation: Attestation, evidence: Evidence) -> Check:
    title = "On the hub's public list of runs, whose chain holds"
    if evidence.lines is None:
        return Check("runs", title, UNKNOWN, evidence.missing.get("runs", ""))
    if evidence.damage:
        return Check("runs", title, FAILED, evidence.damage)
    if broken := record.faults(evidence.lines):
        return Check("runs", title, FAILED, broken[0])
    issued = record.issued(evidence.lines)
    reason = issued.get(sha256(entry.verify_token.encode()))
    if reason is None:
        return Check("runs", title, FAILED, "the list does not hold this token")
    if reason:
        return Check("runs", title, FAILED, f"the run was revoked: {reason}")
    attempts = [line for line in evidence.lines if line.runner == attestation.key.runner]
    return Check("runs", title, PASSED, f"one of {len(attempts):,} acts of {attestation.key.runner}")


def _log(attestation: Attestation, evidence: Evidence) -> Check:
    title, claimed = "The log is the one that was signed", attestation.claims.log
    if evidence.log is None:
        return Check("log", title, UNKNOWN, evidence.missing.get("log", ""))
    if (evidence.log_digest, evidence.log_size) != (claimed.sha256, claimed.size):
        return Check("log", title, FAILED, f"its SHA-256 is {evidence.log_digest}, signed was {claimed.sha256}")
    return Check("log", title, PASSED, claimed.sha256)


def _data(attestation: Attestation, evidence: Evidence) -> Check:
    title, claims = "Data and task are those that were signed", attestation.claims
    if evidence.spec is None:
        return Check("dataset", title, UNKNOWN, evidence.missing.get("dataset", ""))
    signed = (claims.dataset.eval_yaml_sha256, claims.dataset.data_sha256, claims.task.spec_sha256)
    names = ("eval.yaml", "the data", "the task")
    wrong = [name for name, one, other in zip(names, signed, evidence.digests, strict=True) if one != other]
    if wrong:
        return Check("dataset", title, FAILED, f"other digests: {', '.join(wrong)}")
    return Check("dataset", title, PASSED, f"data {claims.dataset.data_sha256}")


def _arithmetic(attestation: Attestation, evidence: Evidence) -> list[Check]:
    title, claims = "The number follows from the samples of the log", attestation.claims
    if evidence.log is None:
        return [Check("value", title, UNKNOWN, evidence.missing.get("log", ""))]
    missing = evidence.missing.get("dataset", "")
    try:
        report = audit(open_log(evidence.log), evidence.spec or {}, evidence.rows, unknown=missing)
    except GlasshubError as error:
        return [Check("value", title, FAILED, error.message)]
    if report.value != claims.value:
        value = Check("value", title, FAILED, f"the samples give {report.value!r}, signed was {claims.value!r}")
    else:
        value = Check("value", title, PASSED, f"{claims.value!r} from {claims.n_items:,} items")
    if evidence.spec is None:
        return [value, *(_without_data(check, missing) for check in report.checks)]
    return [value, *report.checks]


def _without_data(check: Check, missing: str) -> Check:
    """A check that needs what the task asks, which is not at hand: that is why it is unknown, whatever it says."""
    return check if check.id in _OF_THE_LOG else replace(check, outcome=UNKNOWN, detail=missing)
