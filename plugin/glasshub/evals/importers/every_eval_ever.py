"""Records of Every Eval Ever: one JSON document for a run, with a list of results.

Format: ``eval.schema.json`` of https://github.com/evaleval/every_eval_ever, 0.2 and 0.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glasshub.errors import Invalid
from glasshub.evals.importers.drafting import Drafts
from glasshub.evals.importers.json_values import (
    commit,
    conditions,
    mapping,
    moment,
    number,
    repo_id,
    text,
    whole,
)
from glasshub.evals.importers.proposal import Draft, Importer, LogFile, Measure, Proposal

TOOL = "every-eval-ever"
_MARKS = ("schema_version", "evaluation_id", "model_info", "source_metadata")


def read(file: LogFile) -> Proposal | None:
    """What a record says. Raises ``Invalid`` for the files of single items beside it, and where nothing is left."""
    document = file.document
    if document is None and file.data.startswith(b'{"schema_version": ') and b'"sample_hash": ' in file.data[:4096]:
        raise Invalid("These are the single items of a record. Import the record beside them, which ends in .json.")
    if not isinstance(document, dict) or not all(key in document for key in _MARKS):
        return None
    if not isinstance(document.get("evaluation_results"), list):
        return None
    drafts = Drafts()
    for result in document["evaluation_results"]:
        drafts.add(_draft(document, mapping(result), drafts))
    found, remarks = drafts.done()
    model = mapping(document.get("model_info"))
    return Proposal(
        tool=TOOL,
        version=text(document.get("schema_version"), 60),
        drafts=found,
        model=text(model.get("id")) or text(model.get("name")),
        model_revision=commit(mapping(model.get("additional_details")).get("revision")),
        remarks=remarks,
    )


IMPORTER = Importer(TOOL, read)


def _draft(document: Mapping[str, Any], result: Mapping[str, Any], drafts: Drafts) -> Draft:
    what = text(result.get("evaluation_name"))
    source, details = mapping(result.get("source_data")), mapping(result.get("score_details"))
    more = mapping(source.get("additional_details"))
    date = result.get("evaluation_timestamp") or document.get("evaluation_timestamp")
    return Draft(
        what=what,
        measures=tuple(_measures(what, result, details, drafts)),
        dataset=repo_id(source.get("hf_repo")),
        task=text(more.get("task_id"), 200),
        revision=commit(more.get("revision")),
        split=text(source.get("hf_split")),
        date=moment(date),
        conditions=_conditions(document, result),
    )


def _measures(what: str, result: Mapping[str, Any], details: Mapping[str, Any], drafts: Drafts) -> list[Measure]:
    config, uncertainty = mapping(result.get("metric_config")), mapping(details.get("uncertainty"))
    lower = config.get("lower_is_better")
    name = text(config.get("metric_name")) or text(config.get("metric_id")) or what
    return [
        Measure(
            name=name,
            value=value,
            stderr=number(mapping(uncertainty.get("standard_error")).get("value")),
            n=whole(uncertainty.get("num_samples")),
            higher_is_better=not lower if isinstance(lower, bool) else None,
        )
        for _, value in drafts.numbers(what, {"score": details.get("score")})
    ]


def _conditions(document: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    source, generation = mapping(document.get("source_metadata")), mapping(result.get("generation_config"))
    arguments, more = mapping(generation.get("generation_args")), mapping(generation.get("additional_details"))
    library = mapping(document.get("eval_library"))
    shots = more.get("num_fewshot")
    return conditions(
        [
            ("harness", library.get("name")),
            ("harness_version", _known(library.get("version"))),
            ("shots", int(shots) if isinstance(shots, str) and shots.isdecimal() and len(shots) < 4 else None),
            *((name, arguments.get(name)) for name in ("temperature", "top_p", "max_tokens", "reasoning")),
            ("evaluation_id", document.get("evaluation_id")),
            ("evaluated_by", _known(source.get("source_organization_name"))),
        ]
    )


def _known(value: Any) -> Any:
    return None if value == "unknown" else value  # what converters write where the schema demands a text
