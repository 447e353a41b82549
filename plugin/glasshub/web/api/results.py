"""Results as JSON: the shape stock clients parse, with what this hub knows beyond it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from glasshub.evals.eval_results import FOLDER
from glasshub.evals.numbers import as_written
from glasshub.index.rows import HiddenRow, LeaderboardRow, ProblemRow, ResultRow
from glasshub.web.log_audits import summary_json


def eval_results_json(results: Iterable[ResultRow], problems: Iterable[ProblemRow]) -> list[dict[str, Any]]:
    """``evalResults`` of a model: its results, then ``{filename, error}`` for each file with errors."""
    files: dict[str, list[str]] = {}
    for problem in problems:
        if problem.severity == "error" and problem.path.startswith(f"{FOLDER}/"):
            files.setdefault(problem.path, []).append(f"{problem.line}:{problem.column}: {problem.message}")
    broken = [{"filename": path, "error": "; ".join(lines)} for path, lines in sorted(files.items())]
    return [*(result_json(result) for result in results), *broken]


def result_json(result: ResultRow) -> dict[str, Any]:
    """One result in the hub form: ``data`` as in the file, beside it where it stands and what it counts."""
    found: dict[str, Any] = {
        "id": result.id,
        "filename": result.path,
        "verified": result.verified,
        "data": _data(result),
        "line": result.line,
        "origin": result.origin,
        "commit": result.commit,
        "state": result.state,
        "reason": result.reason,
        "headline": result.headline,
        "rank": result.rank or None,
        "of": result.of or None,
        **_by(result),
        **summary_json(result),
    }
    if result.badge:
        found["verification"] = verification_json(result)
    if result.pull:
        found["pullRequest"] = result.pull
    if result.via_pull:
        found["viaPullRequest"] = result.via_pull
        found["mergedBy"] = result.merged_by
    return found


def hidden_json(result: HiddenRow) -> dict[str, Any]:
    """A result that stands in the files and is hidden by those who may write to the model."""
    found: dict[str, Any] = {
        "id": result.id,
        "filename": result.path,
        "line": result.line,
        "state": "hidden",
        "reason": result.reason,
        "hiddenBy": result.hidden_by,
        "hiddenAt": result.hidden_at,
        **_by(result),
        "data": {"dataset": {"id": result.dataset_id, "task_id": result.task_id}, "value": _value(result)},
    }
    if result.pull:
        found["pullRequest"] = result.pull
    return found


def leaderboard_json(row: LeaderboardRow) -> dict[str, Any]:
    """One leaderboard entry; the first keys are the contract, the rest ours."""
    result = row.result
    namespace = result.model_id.split("/")[0]
    entry: dict[str, Any] = {
        "rank": row.rank,
        "modelId": result.model_id,
        "value": number(result),
        "filename": result.path,
        "verified": result.verified,
        "author": {
            "type": row.namespace_kind,
            "name": namespace,
            "fullname": row.namespace_full_name or namespace,
            "avatarUrl": "",
        },
        "task_id": result.task_id,
        "date": result.date,
        "origin": result.origin,
        "commit": result.commit,
        "line": result.line,
        "reports": row.reports,
        "low": row.low,
        "high": row.high,
        "derived": row.derived,
        "parameters": row.parameters,
        "id": result.id,
        **_by(result),
        **summary_json(result),
    }
    if result.badge:
        entry["verification"] = verification_json(result)
    # Versions of the client before 1.29 fall over where there is no source key.
    entry["source"] = {**_source(result), "isExternal": True} if result.source_url else None
    if result.notes:
        entry["notes"] = result.notes
    if result.pull:
        entry["pullRequest"] = result.pull
    if result.extra:
        entry["extra"] = dict(result.extra)
    return entry


def verification_json(result: ResultRow) -> dict[str, str | None]:
    """What may be said about a result that carries a token: ``state`` as docs/verification.md lists them."""
    return {"state": result.badge, "runner": result.runner or None, "reason": result.badge_reason}


def number(result: ResultRow) -> int | float:
    """The value as it was written: a whole number stays one."""
    return as_written(result.value_text, result.value)


def _by(result: ResultRow | HiddenRow) -> dict[str, str | None]:
    """The account that brought it; where no record tells that, ``gitAuthor`` is whom the commit names."""
    known = {"gitAuthor": result.git_author} if result.git_author else {}
    return {"submitter": result.submitter or None, **known}


def _value(result: HiddenRow) -> int | float | str:
    try:
        value = float(result.value_text)
    except ValueError:
        return result.value_text
    return as_written(result.value_text, value) if math.isfinite(value) else result.value_text


def _data(result: ResultRow) -> dict[str, Any]:
    dataset = {"id": result.dataset_id, "task_id": result.task_id}
    if result.dataset_revision:
        dataset["revision"] = result.dataset_revision
    data: dict[str, Any] = {"dataset": dataset, "value": number(result), "date": result.date}
    if result.source_url:
        data["source"] = _source(result)
    if result.notes:
        data["notes"] = result.notes
    if result.verify_token:
        data["verifyToken"] = result.verify_token
    if result.extra:
        data["extra"] = dict(result.extra)
    return data


def _source(result: ResultRow) -> dict[str, str]:
    source = {"url": result.source_url}
    if result.source_name:
        source["name"] = result.source_name
    if result.source_user:
        source["user"] = result.source_user
    if result.source_org:
        source["org"] = result.source_org
    return source
