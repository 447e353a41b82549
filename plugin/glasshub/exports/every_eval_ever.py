"""Results as records of Every Eval Ever, for those who gather results of many hubs and tools.

Schema: ``eval.schema.json`` 0.3, https://github.com/evaleval/every_eval_ever. What a result does not say stays out, or
is ``unknown`` where the schema demands a word. One thing has no such word: which direction is better. So results of
tasks that are not on this hub are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from glasshub.exports.plain_json import to_json
from glasshub.exports.records import COLUMNS, Record

SCHEMA = "0.3.0"
UNKNOWN = "unknown"
_NAMES = [column.name for column in COLUMNS]
_ARGUMENTS = ("temperature", "top_p", "top_k")  # numbers that the schema knows by these names
_PROVENANCE = (
    "id", "state", "submitter", "git_author", "pull_request", "via_pull_request", "merged_by", "verified", "commit",
    "path", "line", "source_url", "source_name", "notes",
)  # fmt: skip


def write(records: Iterable[Record]) -> Iterator[bytes]:
    """The lines of the file: a record of Every Eval Ever each."""
    now = time.time()
    for record in records:
        found = to_record(dict(zip(_NAMES, record, strict=True)), now)
        if found is not None:
            yield to_json(found) + b"\n"


def to_record(said: Mapping[str, Any], now: float) -> dict[str, Any] | None:
    """One result.

    Args:
        said: the result by columns of the exports.
        now: when the record is made, in seconds since 1970.

    Returns:
        The record; ``None`` if it is not known whether higher is better.
    """
    if said["higher_is_better"] is None:
        return None
    extra = said["extra"] or {}
    measured, model, dataset = _seconds(said["date"]), said["model"], said["dataset"]
    return {
        "schema_version": SCHEMA,
        "evaluation_id": f"{dataset}/{said['task']}/{model}/{said['id']}",
        "evaluation_timestamp": measured,
        "retrieved_timestamp": f"{now:.3f}",
        "source_metadata": _source(said, extra),
        "eval_library": {
            "name": _text(extra.get("harness")) or UNKNOWN,
            "version": _text(extra.get("harness_version")) or UNKNOWN,
        },
        "model_info": {
            "name": model,
            "id": model,
            "developer": model.partition("/")[0],
            "additional_details": {
                "deployment_type": UNKNOWN,
                "model_availability": UNKNOWN,
                **_texts({"revision": extra.get("model_revision")}),
            },
        },
        "evaluation_results": [
            {
                "evaluation_result_id": said["id"],
                "evaluation_name": f"{dataset}/{said['task']}",
                "source_data": {
                    "dataset_name": said["benchmark"] or dataset,
                    "source_type": "hf_dataset",
                    "hf_repo": dataset,
                    "additional_details": _texts({"task_id": said["task"], "revision": said["dataset_revision"]}),
                },
                "evaluation_timestamp": measured,
                "metric_config": _metric(said),
                "score_details": {"score": said["value"], **_uncertainty(extra)},
                **_generation(extra),
            }
        ],
    }


def _source(said: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Where it comes from. Who stands behind it is told as far as the hub knows: an author, or somebody else."""
    own = said["origin"] == "author" and not said["via_pull_request"]
    ran = said["verified"] or "log_sha256" in extra
    who = said["source_org"] or (said["model"].partition("/")[0] if own else said["submitter"])
    details = {name: said[name] for name in _PROVENANCE} | {"log_sha256": extra.get("log_sha256")}
    return {
        "source_name": "Glasshub",
        "source_type": "evaluation_run" if ran else "documentation",
        "source_organization_name": who or UNKNOWN,
        "evaluator_relationship": "first_party" if own else "other",
        "additional_details": _texts(details),
    }


def _metric(said: Mapping[str, Any]) -> dict[str, Any]:
    named = {"metric_name": said["metric"], "metric_unit": said["unit"]}
    return {"lower_is_better": not said["higher_is_better"], **{name: text for name, text in named.items() if text}}


def _uncertainty(extra: Mapping[str, Any]) -> dict[str, Any]:
    stderr, n = extra.get("stderr"), extra.get("n")
    found: dict[str, Any] = {}
    if _is_number(stderr):
        found["standard_error"] = {"value": stderr}
    if isinstance(n, int) and not isinstance(n, bool):
        found["num_samples"] = n
    return {"uncertainty": found} if found else {}


def _generation(extra: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {name: extra[name] for name in _ARGUMENTS if _is_number(extra.get(name))}
    most = extra.get("max_tokens")
    if isinstance(most, int) and not isinstance(most, bool) and most > 0:
        arguments["max_tokens"] = most
    more = {"num_fewshot": extra.get("shots"), "complete": extra.get("complete"), "epochs": extra.get("epochs")}
    found = {"generation_args": arguments, "additional_details": _texts(more)}
    return {"generation_config": {name: value for name, value in found.items() if value}} if any(found.values()) else {}


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    """The schema takes nothing but texts in its details."""
    return {name: text for name, value in said.items() if (text := _text(value))}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(date: str) -> str:
    return str(int(datetime.fromisoformat(date).timestamp()))
