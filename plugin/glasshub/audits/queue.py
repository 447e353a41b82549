"""What is to be audited: found in the index, kept in the registry, taken by one process at a time.

Nothing is lost when a process dies: its lease ends, and another takes the audit. A log that keeps ending whoever
looks at it is given up after a few times.
"""

from __future__ import annotations

import logging
import secrets
import threading
from datetime import UTC, datetime, timedelta

from glasshub import clock
from glasshub.audits import attached, process
from glasshub.audits.examine import Examined
from glasshub.audits.references import Said, log_named
from glasshub.errors import GlasshubError, NotFound
from glasshub.hub import Hub
from glasshub.index.queries import logs
from glasshub.index.queries.logs import LoggedResult
from glasshub.registry import audits as rows
from glasshub.registry import repos as repo_rows
from glasshub.registry.audits import DONE, FAILED, WAITING, LogAudit

MOST_ATTEMPTS = 6
MOST_CRASHES = 3
PAUSES = (30.0, 300.0, 3_600.0, 6 * 3_600.0, 24 * 3_600.0)  # seconds, after the first attempt, the second, ...
_GIVEN_UP = "The audit ended several times without an answer."
_log = logging.getLogger(__name__)


def note(hub: Hub, key: str) -> None:
    """Put what the results of a model say of logs on the list. Raises ``Busy``; :func:`catch_up` makes up for it."""
    if hub.settings.audit_seconds:
        _add(hub, _wanted(hub, key), key)


def catch_up(hub: Hub) -> None:
    """Put everything on the list that is missing, and take off what no result says any more. Raises ``Busy``."""
    if not hub.settings.audit_seconds:
        return
    wanted, indexed = _wanted(hub), logs.indexed_keys(hub.index.read())
    _add(hub, wanted)
    with hub.registry.read() as db:
        known = rows.models(db)
        here = {repo.key for repo in repo_rows.every(db)}
    gone = [
        place for place, model in known.items() if place not in wanted and (model in indexed or model not in here)
    ]  # an index that is being made again knows little yet
    if gone:
        with hub.registry.write() as db:
            rows.forget(db, gone)


def take(hub: Hub) -> LogAudit | None:
    """Take the audit that has waited longest, if there is one; it is this process's until the lease ends."""
    now = datetime.now(UTC)
    with hub.registry.read() as db:
        if not hub.settings.audit_seconds or not rows.is_due(db, clock.iso(now)):
            return None
    until = now + timedelta(seconds=hub.settings.audit_seconds + 30)
    with hub.registry.write() as db:
        return rows.claim(db, now=clock.iso(now), until=clock.iso(until), lease=secrets.token_hex(8))


def work(hub: Hub, taken: LogAudit, stopping: threading.Event) -> None:
    """Make an audit that was taken, and write down what came of it. Raises ``Busy``: it is then made again."""
    if taken.attempts > MOST_ATTEMPTS:
        _finish(hub, taken, state=FAILED, reason=taken.reason or _GIVEN_UP)
        return
    try:
        found = process.run(hub.settings, Said.from_json(taken.said), stopping)
    except process.Stopped:
        _finish(hub, taken, state=WAITING, attempts=taken.attempts - 1)
        return
    except (GlasshubError, OSError) as error:
        _log.warning("an audit of a log ended without an answer: %s", error)
        found = Examined(reason=_GIVEN_UP, again=taken.attempts < MOST_CRASHES)
    conclude(hub, taken, found)


def conclude(hub: Hub, taken: LogAudit, found: Examined) -> None:
    """Write down what came of an audit that was taken. Raises ``Busy``."""
    values = {
        "log_repo": found.log_repo or _log_repo(hub, Said.from_json(taken.said)),
        "log_commit": found.log_commit,
        "log_path": found.log_path,
        "log_sha256": found.log_sha256,
        "log_size": found.log_size,
        "dataset_commit": found.dataset_commit,
        "basis": found.basis,
        "reason": found.reason,
        "report": found.key,
        "done_at": clock.now(),
    }
    if found.report:
        with hub.registry.write() as db:
            rows.keep_report(db, found.key, found.report, clock.now())
        _finish(hub, taken, state=DONE, **values)
    elif found.again and taken.attempts < MOST_ATTEMPTS:
        _finish(hub, taken, state=WAITING, next_at=_later(taken.attempts), **values)
    else:
        _finish(hub, taken, state=FAILED, **values)


def _log_repo(hub: Hub, said: Said) -> str:
    """The key of the repo that should have the log: who may see it may know what became of the audit."""
    try:
        return attached.repo_of(hub, said)[0].key
    except NotFound:
        return ""


def _finish(hub: Hub, taken: LogAudit, **values: object) -> None:
    with hub.registry.write() as db:
        rows.finish(db, taken.place, taken.lease, **values)


def _later(attempts: int) -> str:
    pause = PAUSES[min(attempts, len(PAUSES)) - 1]
    return clock.iso(datetime.now(UTC) + timedelta(seconds=pause))


def _wanted(hub: Hub, key: str = "") -> dict[str, Said]:
    """What results (of one model) say of logs, by place."""
    found = (_said(result, hub.settings.public_url) for result in logs.results_with_logs(hub.index.read(), key))
    return {said.place: said for said in found if said is not None}


def _said(row: LoggedResult, public_url: str) -> Said | None:
    log = log_named(row.extra, row.source_url, public_url)
    if not log:
        return None
    return Said(
        row.model_key, row.id, row.commit, log, row.dataset_key, row.task_id, row.dataset_revision, row.value_text
    )


def _add(hub: Hub, wanted: dict[str, Said], key: str = "") -> None:
    with hub.registry.read() as db:
        missing = wanted.keys() - rows.models(db, key).keys()
    if missing:
        with hub.registry.write() as db:
            rows.add(db, [(place, wanted[place].model, wanted[place].to_json()) for place in missing], clock.now())
