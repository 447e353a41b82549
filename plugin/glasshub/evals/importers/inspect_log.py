"""Logs of Inspect, ``.eval`` or ``.json``. They alone say which of their numbers is the headline.

What the log reports is taken as it stands. Whether it adds up is for an audit (:mod:`glasshub.verify.logs`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from glasshub.errors import Invalid
from glasshub.evals.importers.drafting import Drafts, unique
from glasshub.evals.importers.json_values import commit, conditions, mapping, moment, number, repo_id, text
from glasshub.evals.importers.proposal import Complete, Draft, Importer, LogFile, Measure, Proposal
from glasshub.verify.logs.archive import Limits
from glasshub.verify.logs.log import EvalLog, Header, LogScore, Results, open_log
from glasshub.verify.logs.task import parse_task_name

TOOL = "inspect-ai"
MAX_HEADER = 8 * 1024 * 1024
_LIMITS = Limits(file=64 * 1024 * 1024, member=MAX_HEADER, total=4 * MAX_HEADER)
_OF_THE_MEAN = ("accuracy", "mean")  # what Inspect's stderr is the error of
_SPREAD = ("stderr", "std", "var")


def read(file: LogFile) -> Proposal | None:
    """What a log says. Raises ``Invalid`` if the run did not end well, or was called invalid by those who made it."""
    log = _open(file)
    if log is None:
        return None
    header = log.header
    if header.status != "success":
        raise Invalid(f"The run of this log did not end well (its status is {text(header.status, 40)}).")
    if header.invalidated:
        raise Invalid("This log was marked as invalid.")
    drafts = Drafts()
    drafts.add(_draft(header, header.results or Results(), drafts))
    if header.log_updates or header.config_updates:
        drafts.remark("The log was edited after the run.")
    found, remarks = drafts.done()
    metadata = header.eval.metadata or {}
    return Proposal(
        tool=TOOL,
        version=text(header.eval.packages.get("inspect_ai"), 60),
        drafts=found,
        ending="eval" if file.data[:2] == b"PK" else "json",
        model=repo_id(metadata.get("hub_model")) or text(header.eval.model),
        model_revision=commit(metadata.get("hub_model_sha")),
        holds_items=bool(log.places),
        remarks=remarks,
    )


IMPORTER = Importer(TOOL, read)


def _open(file: LogFile) -> EvalLog | None:
    if file.data[:2] != b"PK":
        document = file.document
        if not isinstance(document, dict) or not all(key in document for key in ("version", "status", "eval")):
            return None
    return open_log(io.BytesIO(file.data), _LIMITS)


def _draft(header: Header, results: Results, drafts: Drafts) -> Draft:
    said = header.eval
    dataset, task, revision = parse_task_name(said.task)
    if said.dataset.location and dataset and said.dataset.location != dataset:
        drafts.remark(f"The log names two datasets: {text(dataset)} and {text(said.dataset.location)}.")
        dataset = task = revision = ""
    asked = commit(revision)
    if revision and not asked:
        drafts.remark(f"The log names the revision {text(revision, 60)}: where that pointed then is not known.")
    complete, ran, n = _coverage(header, results)
    return Draft(
        what=text(said.task) or "run",
        measures=unique(list(_measures(results, n, drafts))),
        dataset=repo_id(dataset),
        task=text(task, 200),
        only_task=bool(dataset) and not task,
        revision=asked or commit((said.metadata or {}).get("hub_dataset_sha")),
        date=moment(header.stats.completed_at),
        complete=complete,
        ran=ran,
        conditions=_conditions(header),
    )


def _measures(results: Results, n: int | None, drafts: Drafts) -> Iterator[Measure]:
    for score in results.scores:
        values = {name: metric.value for name, metric in score.metrics.items() if name not in _SPREAD}
        stderr = score.metrics.get("stderr")
        for name, value in drafts.numbers(text(score.name), values):
            yield Measure(
                name=text(_name(score, name)),
                value=value,
                stderr=number(stderr.value) if stderr and name in _OF_THE_MEAN else "",
                n=n,
                headline=_is_headline(results, score, name),
            )


def _name(score: LogScore, metric: str) -> str:
    return f"{score.name}/{metric}" + (f" ({score.reducer})" if score.reducer else "")


def _is_headline(results: Results, score: LogScore, metric: str) -> bool:
    headline = results.headline
    if headline is None or headline.metric != metric:
        return False
    return (headline.score or headline.scorer) == score.name and headline.reducer == score.reducer


def _coverage(header: Header, results: Results) -> tuple[Complete, str, int | None]:
    """Whether all items were run, in words, and how many were."""
    dataset, config = header.eval.dataset, header.eval.config
    ran = len(dataset.sample_ids) if dataset.sample_ids is not None else None
    limited = any(config.get(key) is not None for key in ("limit", "sample_id"))
    unscored = any(score.unscored_samples for score in results.scores)
    ended = results.completed_samples == results.total_samples and not unscored
    if ran is None or dataset.samples is None:
        return (Complete.NO, "a part of the items", ran) if limited or not ended else (Complete.UNKNOWN, "", ran)
    whole = ran == dataset.samples and not limited and ended
    return (Complete.YES if whole else Complete.NO), f"{ran:,} of {dataset.samples:,} items", ran


def _conditions(header: Header) -> dict[str, str]:
    said, plan = header.eval, header.plan.config
    generation: Mapping[str, Any] = {**said.model_generate_config, **plan}
    grader = (said.model_roles or {}).get("grader")
    return conditions(
        [
            ("epochs", said.config.get("epochs")),
            ("scorer", ", ".join(text(mapping(scorer).get("name"), 60) for scorer in (said.scorers or [])[:5])),
            ("solver", said.solver),
            ("judge", grader if isinstance(grader, str) else mapping(grader).get("model")),
            *((name, generation.get(name)) for name in ("temperature", "top_p", "max_tokens", "seed")),
            ("reasoning_effort", generation.get("reasoning_effort")),
        ]
    )
