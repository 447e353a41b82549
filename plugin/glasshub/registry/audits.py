"""Audits of logs in the registry: what is to be audited, who is at it, and what was found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select

from glasshub.registry.tables import log_audits, log_reports

WAITING, DONE, FAILED = "waiting", "done", "failed"
_NEW: Mapping[str, Any] = {
    "attempts": 0, "lease": "", "lease_until": "", "report": "", "reason": "", "log_repo": "", "log_commit": "",
    "log_path": "", "log_sha256": "", "log_size": 0, "dataset_commit": "", "basis": "", "done_at": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogAudit:
    """The audit of what one result says of its log (``said``, JSON), by its ``place``.

    ``report`` is the key of the report, ``reason`` why there is none. ``log_repo`` is a repo key, ``basis`` what told
    the commit of the benchmark: ``result``, ``log`` or ``main``.
    """

    place: str
    model: str
    said: str
    state: str
    attempts: int
    next_at: str
    lease: str
    lease_until: str
    report: str
    reason: str
    log_repo: str
    log_commit: str
    log_path: str
    log_sha256: str
    log_size: int
    dataset_commit: str
    basis: str
    created_at: str
    done_at: str


def find(db: Connection, place: str) -> LogAudit | None:
    """The audit of that place."""
    row = db.execute(select(log_audits).where(log_audits.c.place == place)).one_or_none()
    return None if row is None else _audit(row)


def models(db: Connection, model: str = "") -> dict[str, str]:
    """The places of all audits (of one model), each with its model's key."""
    wanted = select(log_audits.c.place, log_audits.c.model)
    rows = db.execute(wanted.where(log_audits.c.model == model) if model else wanted)
    return {row.place: row.model for row in rows}


def add(db: Connection, wanted: Collection[tuple[str, str, str]], now: str) -> None:
    """Insert audits that are to be made, as (place, model, said); those that are known stay as they are."""
    concerned = {model for _, model, _ in wanted}
    known = models(db, *concerned) if len(concerned) == 1 else models(db)
    fresh = {
        place: {
            "place": place,
            "model": model,
            "said": said,
            "state": WAITING,
            "next_at": now,
            "created_at": now,
            **_NEW,
        }
        for place, model, said in wanted
        if place not in known
    }
    if fresh:
        db.execute(log_audits.insert(), list(fresh.values()))


def forget(db: Connection, gone: Collection[str]) -> None:
    """Remove audits of what no result says any more, and reports that none needs."""
    for place in gone:
        db.execute(delete(log_audits).where(log_audits.c.place == place))
    if gone:
        needed = select(log_audits.c.report)
        db.execute(delete(log_reports).where(log_reports.c.key.not_in(needed)))


def is_due(db: Connection, now: str) -> bool:
    """Whether there may be something to audit."""
    return db.scalar(select(log_audits.c.place).where(_due(now)).limit(1)) is not None


def claim(db: Connection, *, now: str, until: str, lease: str) -> LogAudit | None:
    """Take the audit that has waited longest. Until ``until`` nobody else takes it; taking counts as an attempt."""
    query = select(log_audits).where(_due(now)).order_by(log_audits.c.next_at, log_audits.c.place).limit(1)
    row = db.execute(query).one_or_none()
    if row is None:
        return None
    values = {"lease": lease, "lease_until": until, "attempts": row.attempts + 1}
    db.execute(log_audits.update().where(log_audits.c.place == row.place).values(**values))
    return _audit(db.execute(select(log_audits).where(log_audits.c.place == row.place)).one())


def finish(db: Connection, place: str, lease: str, **values: object) -> bool:
    """Write down how it went, and give up the lease; whether it was still held."""
    held = (log_audits.c.place == place) & (log_audits.c.lease == lease)
    return db.execute(log_audits.update().where(held).values(lease="", lease_until="", **values)).rowcount > 0


def report(db: Connection, key: str) -> str:
    """A report as JSON (``""``: there is none)."""
    return db.scalar(select(log_reports.c.report).where(log_reports.c.key == key)) or ""


def keep_report(db: Connection, key: str, report: str, now: str) -> None:
    """Insert a report; one that is known stays."""
    if not db.scalar(select(log_reports.c.key).where(log_reports.c.key == key)):
        db.execute(log_reports.insert().values(key=key, report=report, made_at=now))


def _due(now: str) -> ColumnElement[bool]:
    return (log_audits.c.state == WAITING) & (log_audits.c.next_at <= now) & (log_audits.c.lease_until <= now)


def _audit(row: Row[tuple[object, ...]]) -> LogAudit:
    return LogAudit(**row._asdict())
