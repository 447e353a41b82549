"""From a snapshot of one repo to its rows, and on to every row of others that depends on it. No git here.

Results are decided by what the index holds of the dataset they name; whenever that changes, the results
that name it are decided again. So every order of arrival ends with the same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from sqlite_utils import Database

from glasshub import clock
from glasshub.index import attester as attestations
from glasshub.index import boards, recorded, repo_rows, schema
from glasshub.index.alignments import ALIGNED, Aligner, Claim, Verdict, metric_of
from glasshub.index.attester import Attester, Carrier, tier
from glasshub.index.boards import Entrant, Report
from glasshub.index.replace import Row, replace
from glasshub.index.repo_rows import to_json
from glasshub.index.snapshot import FileResult, RepoSnapshot
from glasshub.verify.states import Claimed, Finding

_ATTESTED = frozenset({schema.CONTENTS.name, schema.COMMITS.name})
_RECORD = frozenset({schema.RUNNER_KEYS.name, schema.ISSUED.name})
_TASKS = frozenset({schema.BENCHMARKS.name, schema.TASKS.name})


def write(db: Database, snap: RepoSnapshot) -> bool:
    """Bring all rows up to date with one repo; whether any changed."""
    changed = repo_rows.write(db, snap)
    names = repo_rows.write_names(db, snap)
    if snap.observed.facts.type == "model":
        return _write_results(db, snap) or bool(changed or names)
    mine = names | recorded.names(db, snap.key)
    if names or changed & _TASKS:
        _decide_again(db, snap.key, mine, rebuild=True)
    elif schema.COMMITS.name in changed:
        _decide_again(db, snap.key, mine, only_with_revision=True)
    if names or changed & (_TASKS | _ATTESTED):
        _attest_again(db, mine)
    if changed & _RECORD:
        _attest_again(db)
    return bool(changed or names)


def remove(db: Database, key: str) -> bool:
    """Remove a repo that is gone; whether there was anything of it."""
    changed = repo_rows.remove(db, key)
    names = repo_rows.remove_names(db, key)
    changed |= replace(db, schema.RESULTS, (), "model_key = ?", [key]).changed
    changed |= boards.replace_of_model(db, key, ())
    _decide_again(db, key, names, rebuild=True)
    _attest_again(db, names)
    return changed or bool(names)


def instant(date: str, default: str) -> str:
    """An ISO-8601 date in the hub's UTC form, comparable as text; ``default`` when it is none."""
    try:
        moment = datetime.fromisoformat(date)
        return clock.iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return default


def _write_results(db: Database, snap: RepoSnapshot) -> bool:
    aligner = Aligner(db, {result.entry.dataset_id.lower() for result in snap.results})
    attester = Attester(db)
    rows, reports = [], []
    for result in snap.results:
        entry = result.entry
        claim = Claim(entry.dataset_id.lower(), entry.task_id, entry.value, entry.dataset_revision)
        verdict = aligner.decide(claim)
        finding = attester.decide(_carrier(snap.key, result, verdict)) if entry.verify_token else None
        rows.append(_result(snap.key, result, verdict, finding))
        if verdict.state == ALIGNED:
            reports.append(_report(result, verdict, finding))
    changed = replace(db, schema.RESULTS, rows, "model_key = ?", [snap.key]).changed
    facts = snap.observed.facts
    entrant = Entrant(snap.key, facts.repo_id.lower(), facts.scope, int(bool(snap.card.base_models)))
    return boards.replace_of_model(db, snap.key, boards.headlines(entrant, reports)) or changed


def _carrier(model_key: str, result: FileResult, verdict: Verdict) -> Carrier:
    entry = result.entry
    claimed = Claimed(entry.dataset_id.lower(), entry.task_id, entry.dataset_revision, entry.value)
    return Carrier(model_key, entry.verify_token, claimed, result.commit_known, verdict.dataset_key)


def _result(model_key: str, result: FileResult, verdict: Verdict, finding: Finding | None) -> Row:
    entry, source = result.entry, result.entry.source
    return (
        model_key, result.pull, entry.path, entry.position, entry.line, entry.dataset_id, entry.dataset_id.lower(),
        entry.task_id, entry.value, entry.value_text, entry.date or result.committed_at, _instant(result),
        entry.dataset_revision, source.url if source else "", source.name if source else "",
        source.user if source else "", source.org if source else "", entry.notes, entry.verify_token,
        to_json(dict(entry.extra)), to_json(dict(entry.unknown)), "community" if result.pull else "author",
        result.commit, result.committed_at, result.submitter, result.id, result.via_pull, result.merged_by,
        result.git_author, *_badge(finding), int(result.commit_known), verdict.dataset_key, verdict.state,
    )  # fmt: skip


def _badge(finding: Finding | None) -> tuple[str, str, str]:
    return (finding.state.value, finding.reason, finding.runner) if finding else ("", "", "")


def _instant(result: FileResult) -> str:
    return instant(result.entry.date or result.committed_at, result.committed_at)


def _report(result: FileResult, verdict: Verdict, finding: Finding | None) -> Report:
    entry = result.entry
    return Report(
        verdict.dataset_key, entry.task_id, entry.value, _instant(result), entry.notes, result.pull, entry.path,
        entry.position, verdict.metric.higher_is_better, tier(_badge(finding)[0], result.pull),
    )  # fmt: skip


def _decide_again(
    db: Database, key: str, names: Collection[str], *, rebuild: bool = False, only_with_revision: bool = False
) -> None:
    """Decide the results that name a dataset by one of ``names`` and rebuild the boards they enter or leave.

    ``rebuild`` does so for the dataset's own in any case, ``only_with_revision`` passes by results without one.
    """
    touched = {key} if rebuild else set()
    aligner = Aligner(db, names)
    condition = "AND dataset_revision != ''" if only_with_revision else ""
    for name in names:
        touched |= _decide_name(db, aligner, name, condition)
    for dataset_key in sorted(touched - {""}):
        _rebuild_board(db, dataset_key)


def _attest_again(db: Database, names: Collection[str] | None = None) -> None:
    """Decide results with tokens again (those that name a dataset so, or all), and rebuild the boards concerned."""
    for dataset_key in sorted(attestations.decide_again(db, names)):
        _rebuild_board(db, dataset_key)


def _decide_name(db: Database, aligner: Aligner, name: str, condition: str) -> set[str]:
    """Decide the results that name ``name``; returns the datasets they leave and join."""
    touched: set[str] = set()
    changed = []
    rows = db.execute(
        "SELECT task_id, value, dataset_revision, dataset_key, state, model_key, pull, path, position "
        f"FROM results WHERE dataset_lower = ? {condition}",
        [name],
    )
    for task_id, value, revision, dataset_key, state, *place in rows:
        verdict = aligner.decide(Claim(name, task_id, value, revision))
        if (verdict.dataset_key, verdict.state) != (dataset_key, state):
            changed.append((verdict.dataset_key, verdict.state, *place))
            touched |= {dataset_key, verdict.dataset_key}
    db.conn.executemany(
        "UPDATE results SET dataset_key = ?, state = ? WHERE model_key = ? AND pull = ? AND path = ? AND position = ?",
        changed,
    )
    return touched


def _rebuild_board(db: Database, dataset_key: str) -> None:
    rows: list[Row] = []
    reports: dict[Entrant, list[Report]] = {}
    for entrant, report in _reports_on(db, dataset_key):
        reports.setdefault(entrant, []).append(report)
    for entrant, group in reports.items():
        rows += boards.headlines(entrant, group)
    boards.replace_of_dataset(db, dataset_key, rows)


def _reports_on(db: Database, dataset_key: str) -> Iterable[tuple[Entrant, Report]]:
    found = db.query(
        "SELECT r.model_key, m.lower, m.scope, m.derived, r.task_id, r.value, r.instant, r.notes, r.pull, r.path, "
        "r.position, r.badge, t.metric_name, t.higher_is_better, t.unit, t.minimum, t.maximum "
        "FROM names n JOIN results r ON r.dataset_lower = n.lower JOIN repos m ON m.key = r.model_key "
        "JOIN tasks t ON t.key = n.key AND t.task_id = r.task_id "
        "WHERE n.key = ? AND r.dataset_key = n.key AND r.state = 'aligned'",
        [dataset_key],
    )
    for row in found:
        entrant = Entrant(row["model_key"], row["lower"], row["scope"], row["derived"])
        yield (
            entrant,
            Report(
                dataset_key, row["task_id"], row["value"], row["instant"], row["notes"], row["pull"], row["path"],
                row["position"], metric_of(row).higher_is_better, tier(row["badge"], row["pull"]),
            ),
        )  # fmt: skip
