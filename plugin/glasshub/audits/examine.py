"""Auditing the log that a result names: find it, read what it was asked, check. Runs in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO

from glasshub import benchmark_data, repos
from glasshub.audits import attached
from glasshub.audits.attached import AttachedLog
from glasshub.audits.references import RULES, Said
from glasshub.errors import GlasshubError, Invalid, NotFound
from glasshub.evals import eval_yaml
from glasshub.evals.eval_yaml import Task, parse_eval_yaml
from glasshub.git import read
from glasshub.git.read import open_repo
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.index.queries import logs
from glasshub.registry import audits as rows
from glasshub.verify.digests import sha256
from glasshub.verify.logs import subject
from glasshub.verify.logs.archive import Limits
from glasshub.verify.logs.audit import audit
from glasshub.verify.logs.log import Header, open_log
from glasshub.verify.logs.report import Report
from glasshub.verify.rows import Row

LIMITS = Limits(file=512 * 1024**2, total=2 * 1024**3, members=100_000)
_MOST_DETAIL = 600


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of it: a report, or the reason why there is none (``again``: it may do later).

    The other fields are those of :class:`glasshub.registry.audits.LogAudit`, as far as it came.
    """

    report: str = ""
    key: str = ""
    reason: str = ""
    again: bool = False
    log_repo: str = ""
    log_commit: str = ""
    log_path: str = ""
    log_sha256: str = ""
    log_size: int = 0
    dataset_commit: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The task at the commit: its entry, how many there are, its rows (or why they are unknown), and its dataset."""

    dataset: Repo
    commit: str
    task: Task
    tasks: int
    rows: Sequence[Row] | None
    unknown: str


def examine(hub: Hub, said: Said) -> Examined:
    """Audit what a result says of its log. Never raises for anything in the log or the data."""
    return _clean(_examine(hub, said))


def _examine(hub: Hub, said: Said) -> Examined:
    found = Examined()
    try:
        repo, commit, path = attached.repo_of(hub, said)
        found = replace(found, log_repo=repo.key)
        log = attached.locate(hub, repo, commit, path)
        found = replace(found, log_commit=log.commit, log_path=log.path, log_size=log.size)
        return _read(hub, said, log, found)
    except NotFound as error:
        return replace(found, reason=error.message[:_MOST_DETAIL], again=True)
    except GlasshubError as error:
        return replace(found, reason=error.message[:_MOST_DETAIL])


def _read(hub: Hub, said: Said, log: AttachedLog, found: Examined) -> Examined:
    with attached.opened(hub, log, limit=LIMITS.file) as file:
        found = replace(found, log_sha256=attached.digest(file))
        if log.pointer is not None and log.pointer.sha256 != found.log_sha256:
            return replace(found, reason="The log's content is damaged.", again=True)
        return _judge(hub, said, file, found)


def _judge(hub: Hub, said: Said, file: BinaryIO, found: Examined) -> Examined:
    try:
        log = open_log(file, LIMITS)
    except Invalid as error:
        return replace(found, reason=f"Only logs of Inspect are audited. {error.message}"[:_MOST_DETAIL])
    dataset, commit, basis, why_not = _commit(hub, said, log.header)
    if dataset is None or not commit:
        return replace(found, reason=why_not)
    found = replace(found, dataset_commit=commit, basis=basis)
    key = sha256(json.dumps([RULES, found.log_sha256, dataset.key, commit, said.task, said.value]).encode())
    with hub.registry.read() as db:
        known = rows.report(db, key)
    if known:
        return replace(found, key=key, report=known)
    asked = _asked(hub, dataset, commit, said.task)
    report = audit(log, asked.task.spec, asked.rows, unknown=asked.unknown)
    names = logs.names_of(hub.index.read(), dataset.key)
    report = replace(
        report,
        checks=(
            subject.of_result(log.header, names, said.task, asked.tasks, commit),
            *report.checks,
            subject.gives(report.value, said.value, asked.task.metric.unit),
        ),
    )
    return replace(found, key=key, report=json.dumps(_shortened(report)))


def _commit(hub: Hub, said: Said, header: Header) -> tuple[Repo | None, str, str, str]:
    """The benchmark, the commit to compare with, what told it, and why there is none."""
    if not said.dataset:
        return None, "", "", "The benchmark that the result names is not on this hub."
    dataset, index = repos.by_key(hub, said.dataset), hub.index.read()
    told = (("result", said.revision), ("log", subject.revision_of(header)))
    basis, revision = next(((basis, text) for basis, text in told if text), ("main", ""))
    if not revision:
        head = logs.head_of(index, dataset.key)
        return dataset, head, basis, "The benchmark has no commit on main."
    commit = logs.commit_on_branches(index, dataset.key, revision)
    return dataset, commit, basis, f"No branch or tag of the benchmark has the commit {revision[:40]}."


def _asked(hub: Hub, dataset: Repo, commit: str, task_id: str) -> _Asked:
    with open_repo(hub.git_dir(dataset)) as git:
        parsed = parse_eval_yaml(read.read_file(git, commit, eval_yaml.PATH, limit=eval_yaml.MAX_BYTES))
        tasks = parsed.spec.tasks if parsed.spec else ()
        task = next((task for task in tasks if task.id == task_id), None)
        if task is None:
            raise NotFound(f"The eval.yaml of commit {commit[:7]} has no task {task_id[:200]}.")
        try:
            content = benchmark_data.content(hub, dataset)
            data = benchmark_data.rows_of(git, commit, task.config, task.split, content)
        except GlasshubError as error:
            return _Asked(dataset, commit, task, len(tasks), None, error.message)
    return _Asked(dataset, commit, task, len(tasks), data, "")


def _clean(found: Examined) -> Examined:
    """Text that can be written and sent: what is quoted of a log may hold halves of characters."""
    texts: dict[str, Any] = {name: _sendable(text) for name, text in asdict(found).items() if isinstance(text, str)}
    return replace(found, **texts)


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _shortened(report: Report) -> dict[str, Any]:
    said = report.to_json()
    for check in said["checks"]:
        detail = _sendable(check["detail"])
        check["detail"] = detail if len(detail) <= _MOST_DETAIL else f"{detail[:_MOST_DETAIL]}…"
    return said
