"""What a reader may know of the audit of a result's log: the badge, the report, and whether they may read the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glasshub import access, gates, repos
from glasshub.audits.references import said_of
from glasshub.errors import RepoNotFound
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo
from glasshub.index.rows import ResultRow
from glasshub.registry import audits as rows
from glasshub.registry.audits import DONE, LogAudit

_UNSEEN = "The log that the result names cannot be read here."
_BASIS = {"result": "named by the result", "log": "named by the log", "main": "on main at the time of the audit"}


@dataclass(frozen=True, slots=True)
class Shown:
    """The audit of one result's log, for one reader.

    Attributes:
        audited: whether the log may be called audited.
        summary: a sentence that says what is so, or why it is not.
        checks: the checks as in :meth:`glasshub.verify.logs.report.Report.to_json`; without their details for those
            who may not read the log.
        value: the number that the samples give.
        audit: the row of the registry (``None``: nothing is known yet).
        log: the repo of the log, ``None`` when the reader may not see it.
        dataset: the benchmark's repo, ``None`` when it is not on this hub or not for the reader.
        basis: what told the commit of the benchmark, in words.
        may_read: whether the reader gets at the log and the data: what is in the items is for them.
    """

    audited: bool
    summary: str
    checks: Sequence[Mapping[str, str]] = ()
    value: float | None = None
    stderr: float | None = None
    audit: LogAudit | None = None
    log: Repo | None = None
    dataset: Repo | None = None
    basis: str = ""
    may_read: bool = False


def shown(hub: Hub, actor: Actor, result: ResultRow) -> Shown | None:
    """What the reader of a result may know of its log; ``None`` when it names none."""
    said = said_of(result, hub.settings.public_url)
    if said is None:
        return None
    with hub.registry.read() as db:
        audit = rows.find(db, said.place)
        text = rows.report(db, audit.report) if audit is not None and audit.report else ""
    if audit is None:
        return Shown(False, _waiting(hub))
    log, dataset = _readable(hub, actor, audit.log_repo), _readable(hub, actor, said.dataset)
    if log is None:
        return Shown(False, _UNSEEN if audit.log_repo or audit.done_at else _waiting(hub))
    may_read = dataset is not None and all(gates.may_read_files(hub, actor, repo) for repo in (log, dataset))
    if audit.state != DONE or not text:
        reason = audit.reason or _waiting(hub)
        return Shown(False, reason, audit=audit, log=log, dataset=dataset, may_read=may_read)
    report = json.loads(text)
    return Shown(
        bool(report["audited"]), summary(report), _checks(report, details=may_read), report["value"],
        report["stderr"], audit, log, dataset, _BASIS.get(audit.basis, ""), may_read,
    )  # fmt: skip


def summary(report: Mapping[str, Any]) -> str:
    """One sentence on a report."""
    if report["audited"]:
        return (
            "The log is whole, adds up, is of this task and data, and gives this number. "
            "It does not show which model gave the answers."
        )
    by_outcome = {
        outcome: [check["id"] for check in report["checks"] if check["outcome"] == outcome]
        for outcome in ("failed", "unknown")
    }
    parts = [f"{what} {', '.join(ids)}" for what, ids in by_outcome.items() if ids]
    return f"The log is attached, and not audited: {'; '.join(parts)}."


def _checks(report: Mapping[str, Any], *, details: bool) -> list[dict[str, str]]:
    return [{**check, "detail": check["detail"] if details else ""} for check in report["checks"]]


def _waiting(hub: Hub) -> str:
    if not hub.settings.audit_seconds:
        return "A log is attached. This hub audits none."
    return "A log is attached. It waits to be audited."


def _readable(hub: Hub, actor: Actor, key: str) -> Repo | None:
    if not key:
        return None
    try:
        repo = repos.by_key(hub, key)
    except RepoNotFound:
        return None
    return repo if access.may_read(actor, repo) else None
