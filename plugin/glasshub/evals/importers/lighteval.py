"""Results of lighteval: ``results_<time>.json``.

Format: ``lighteval/logging/evaluation_tracker.py`` of https://github.com/huggingface/lighteval, 0.13 and before. The
file does not say which release wrote it, nor when (its times count from when the machine started): only its name tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from glasshub.evals.importers.drafting import Drafts, counted, unique
from glasshub.evals.importers.json_values import (
    commit,
    conditions,
    items,
    mapping,
    moment,
    number,
    repo_id,
    text,
    whole,
)
from glasshub.evals.importers.proposal import Draft, Importer, LogFile, Measure, Proposal

TOOL = "lighteval"
_AVERAGE = "all"
_NAME = re.compile(r"results_(\d{4}-\d{2}-\d{2}T\d{2})[-:](\d{2})[-:](\d{2}(?:\.\d{1,9})?)\.json")


def read(file: LogFile) -> Proposal | None:
    """What a file of results says. Raises ``Invalid`` where nothing is left."""
    document = file.document
    if not isinstance(document, dict) or not isinstance(document.get("config_general"), dict):
        return None
    if not isinstance(document.get("results"), dict) or "versions" not in document:
        return None
    general, drafts = document["config_general"], Drafts()
    for key, said in document["results"].items():
        if key != _AVERAGE:  # over tasks that have nothing in common
            drafts.add(_draft(document, key, mapping(said), _date(file.name), drafts))
    found, remarks = drafts.done()
    model = mapping(general.get("model_config"))
    return Proposal(
        tool=TOOL,
        version="",
        drafts=found,
        model=text(general.get("model_name")) or text(model.get("model_name")),
        model_revision=commit(general.get("model_sha")) or commit(model.get("revision")),
        remarks=remarks,
    )


IMPORTER = Importer(TOOL, read)


def _date(name: str) -> str:
    found = _NAME.search(name)
    return moment(":".join(found.groups())) if found else ""


def _draft(document: Mapping[str, Any], key: str, said: Mapping[str, Any], date: str, drafts: Drafts) -> Draft:
    general = document["config_general"]
    tasks = mapping(document.get("config_tasks"))
    task = mapping(tasks.get(key) or tasks.get(key.rpartition("|")[0]))
    effective, original = _count(task.get("effective_num_docs")), _count(task.get("original_num_docs"))
    complete, ran = counted(effective, original, limited=general.get("max_samples") is not None)
    return Draft(
        what=text(key),
        measures=unique(list(_measures(text(key), said, effective, task, drafts))),
        dataset=repo_id(task.get("hf_repo")),
        revision=commit(task.get("hf_revision")),
        config=text(task.get("hf_subset")),
        split=", ".join(text(split, 60) for split in items(task.get("evaluation_splits"))[:5]),
        date=date,
        complete=complete,
        ran=ran,
        conditions=_conditions(document, key, task),
    )


def _count(value: Any) -> int | None:
    return whole(value) or None  # -1 stands for "not counted"


def _measures(
    what: str, said: Mapping[str, Any], n: int | None, task: Mapping[str, Any], drafts: Drafts
) -> Iterator[Measure]:
    directions = {
        text(metric.get("metric_name")): metric.get("higher_is_better")
        for metric in items(task.get("metrics"))
        if isinstance(metric, dict)
    }
    metrics = {key: value for key, value in said.items() if not key.endswith("_stderr")}
    for key, value in drafts.numbers(what, metrics):
        higher = directions.get(key)
        yield Measure(
            name=text(key),
            value=value,
            stderr=number(said.get(f"{key}_stderr")),
            n=n,
            higher_is_better=higher if isinstance(higher, bool) else None,
        )


def _conditions(document: Mapping[str, Any], key: str, task: Mapping[str, Any]) -> dict[str, str]:
    general = document["config_general"]
    model = mapping(general.get("model_config"))
    generation = mapping(model.get("generation_parameters"))
    hashes = mapping(mapping(mapping(document.get("summary_tasks")).get(key)).get("hashes"))
    example_hash, shots = text(hashes.get("hash_examples"), 60), key.split("|")
    return conditions(
        [
            ("shots", int(shots[-1]) if len(shots) > 1 and shots[-1].isdecimal() and len(shots[-1]) < 4 else None),
            ("temperature", generation.get("temperature")),
            ("max_tokens", generation.get("max_new_tokens") or task.get("generation_size")),
            ("seed", generation.get("seed")),
            ("task_version", mapping(document.get("versions")).get(key, task.get("version"))),
            ("task_hash", example_hash and f"xxh64:{example_hash}"),
            ("dtype", model.get("dtype") or general.get("model_dtype")),
            ("system_prompt", bool(model.get("system_prompt")) if "system_prompt" in model else None),
            ("lighteval_commit", commit(general.get("lighteval_sha"))),
        ]
    )
