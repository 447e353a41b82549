"""Results of lm-evaluation-harness: ``results_<time>.json``.

Format: ``lm_eval/result_schema.py`` of https://github.com/EleutherAI/lm-evaluation-harness, 0.4 and, as far as it goes,
before. A task has several numbers (``<metric>,<filter>``), none of which the file calls the headline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from glasshub.errors import Invalid
from glasshub.evals.importers.drafting import Drafts, counted, unique
from glasshub.evals.importers.json_values import commit, conditions, mapping, moment, number, repo_id, text, whole
from glasshub.evals.importers.proposal import Draft, Importer, LogFile, Measure, Proposal

TOOL = "lm-evaluation-harness"
_NO_METRICS = frozenset({"alias", "name", "sample_len", "samples"})
_SEEDS = ("random_seed", "numpy_seed", "torch_seed", "fewshot_seed")


def read(file: LogFile) -> Proposal | None:
    """What a file of results says. Raises ``Invalid`` for the files of samples beside it, and where nothing is left."""
    document = file.document
    if document is None and _is_samples(file.data):
        raise Invalid("These are the samples of a run. Import the results beside them: results_*.json.")
    if not isinstance(document, dict) or not _is_results(document):
        return None
    drafts = Drafts()
    for group, said in {**mapping(document.get("results")), **mapping(document.get("groups"))}.items():
        drafts.add(_draft(document, group, mapping(said), drafts))
    found, remarks = drafts.done()
    config = mapping(document.get("config"))
    return Proposal(
        tool=TOOL,
        version=text(document.get("lm_eval_version"), 60),
        drafts=found,
        model=text(document.get("model_name")) or text(config.get("model")),
        model_revision=commit(config.get("model_sha")) or commit(config.get("model_revision")),
        remarks=remarks,
    )


IMPORTER = Importer(TOOL, read)


def _is_results(document: Mapping[str, Any]) -> bool:
    named = all(isinstance(document.get(key), dict) for key in ("results", "versions", "config"))
    return named and "model" in document["config"]


def _is_samples(data: bytes) -> bool:
    head = data[:64]
    return head.startswith(b'{"doc_id": ') and b'"doc": ' in head


def _draft(document: Mapping[str, Any], name: str, said: Mapping[str, Any], drafts: Drafts) -> Draft:
    task = mapping(mapping(document.get("configs")).get(name))
    count = mapping(mapping(document.get("n-samples")).get(name))
    effective, original = whole(count.get("effective")), whole(count.get("original"))
    limited = mapping(document.get("config")).get("limit") is not None
    complete, ran = counted(effective, original, limited=limited)
    directions = mapping(mapping(document.get("higher_is_better")).get(name))
    return Draft(
        what=text(name),
        measures=unique(list(_measures(text(name), said, effective, directions, drafts))),
        dataset=repo_id(task.get("dataset_path")),
        revision=commit(mapping(task.get("dataset_kwargs")).get("revision")),
        config=text(task.get("dataset_name")),
        split=text(task.get("test_split")) or text(task.get("validation_split")),
        date=moment(document.get("date")),
        complete=complete,
        ran=ran,
        conditions=_conditions(document, name, task),
    )


def _measures(
    what: str, said: Mapping[str, Any], n: int | None, directions: Mapping[str, Any], drafts: Drafts
) -> Iterator[Measure]:
    filtered = any("," in key for key in said)  # before 0.4, keys named no filter
    metrics = {
        key: value
        for key, value in said.items()
        if key not in _NO_METRICS and ("," in key) == filtered and not key.partition(",")[0].endswith("_stderr")
    }
    for key, value in drafts.numbers(what, metrics):
        metric, comma, name = key.partition(",")
        higher = directions.get(metric)
        yield Measure(
            name=text(key),
            value=value,
            stderr=number(said.get(f"{metric}_stderr{comma}{name}")),
            n=n,
            higher_is_better=higher if isinstance(higher, bool) else None,
        )


def _conditions(document: Mapping[str, Any], name: str, task: Mapping[str, Any]) -> dict[str, str]:
    config = mapping(document.get("config"))
    generation = {**mapping(task.get("generation_kwargs")), **mapping(config.get("gen_kwargs"))}
    pairs: list[tuple[str, Any]] = [
        ("shots", whole(mapping(document.get("n-shot")).get(name))),
        ("temperature", generation.get("temperature")),
        ("max_tokens", generation.get("max_gen_toks")),
        ("output_type", task.get("output_type")),
        ("task_version", mapping(document.get("versions")).get(name)),
        ("task_hash", mapping(document.get("task_hashes")).get(name)),
        ("dtype", config.get("model_dtype")),
        *((seed, config.get(seed)) for seed in _SEEDS),
    ]
    if "chat_template" in document:
        pairs.append(("chat_template", document["chat_template"] is not None))
    if "system_instruction" in document:
        pairs.append(("system_prompt", bool(document["system_instruction"])))
    return conditions(pairs)
