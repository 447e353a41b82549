"""What a log of Inspect says: its header, and its samples one by one. Nothing in it is believed here.

Format: the JSON Schema of Inspect's ``EvalLog`` (``inspect log schema``), version 2, as ``.eval`` archive or as one
JSON document. Members that are not named here are passed over.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, ValidationError

from glasshub.errors import Invalid, TooLarge
from glasshub.verify.logs.archive import Archive, Limits, open_archive

HEADER, SUMMARIES, REDUCTIONS, SAMPLES = "header.json", "summaries.json", "reductions.json", "samples/"
MAX_DOCUMENT = 256 * 1024 * 1024  # of a log that is one JSON document: it is read as a whole


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class LogDataset(_Read):
    """The data as the log names it: ``samples`` is its whole size, ``sample_ids`` are those that were run."""

    name: str | None = None
    location: str | None = None
    samples: int | None = None
    sample_ids: list[int | str] | None = None
    shuffled: bool | None = None


class Revision(_Read):
    """The state of the code that Inspect was started in."""

    commit: str = ""
    dirty: bool | None = None


class LogEval(_Read):
    """What was to be run."""

    task: str
    created: str = ""
    dataset: LogDataset = LogDataset()
    model: str
    model_base_url: str | None = None
    model_args: dict[str, Any] = Field(default_factory=dict)
    model_generate_config: dict[str, Any] = Field(default_factory=dict)
    model_roles: dict[str, Any] | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    solver: str | None = None
    scorers: list[dict[str, Any]] | None = None
    packages: dict[str, str] = Field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    tags: list[str] | None = None


class Step(_Read):
    """A solver as it was run."""

    solver: str
    params: dict[str, Any] = Field(default_factory=dict)
    params_passed: dict[str, Any] | None = None


class Plan(_Read):
    """The solvers, and the settings of generation."""

    steps: list[Step] = Field(default_factory=list)
    config: dict[str, Any] = Field(default_factory=dict)


class LogMetric(_Read):
    """A number that the log reports."""

    name: str
    value: StrictInt | StrictFloat
    params: dict[str, Any] = Field(default_factory=dict)


class LogScore(_Read):
    """The metrics of a scorer, for one way of reducing epochs."""

    name: str
    scorer: str
    reducer: str | None = None
    scored_samples: int | None = None
    unscored_samples: int | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, LogMetric] = Field(default_factory=dict)


class Headline(_Read):
    """Which metric of which score stands for the run."""

    scorer: str | None = None
    score: str | None = None
    metric: str | None = None
    reducer: str | None = None


class Results(_Read):
    """What the log reports of all samples."""

    total_samples: int = 0
    completed_samples: int = 0
    scores: list[LogScore] = Field(default_factory=list)
    headline: Headline | None = None
    early_stopping: Any = None


class Stats(_Read):
    """When it ran, and how many tokens it took."""

    started_at: str = ""
    completed_at: str = ""
    model_usage: dict[str, dict[str, Any]] = Field(default_factory=dict)


class Header(_Read):
    """Everything but the samples."""

    version: int
    status: str
    eval: LogEval
    plan: Plan = Plan()
    results: Results | None = None
    stats: Stats = Stats()
    invalidated: bool = False
    error: dict[str, Any] | None = None
    log_updates: list[Any] | None = None
    config_updates: list[Any] | None = None


class SampleScore(_Read):
    """What a scorer says of a sample."""

    value: Any
    answer: str | None = None
    explanation: str | None = None


class Sample(_Read):
    """One item in one epoch. ``output``, ``messages`` and ``events`` stay as they are.

    Long texts of events lie in ``attachments``, messages that several events share in ``events_data``.
    """

    id: int | str
    epoch: int
    input: str | list[Any]
    choices: list[str] | None = None
    target: str | list[str]
    messages: list[dict[str, Any]] = Field(default_factory=list)
    output: dict[str, Any] = Field(default_factory=dict)
    scores: dict[str, SampleScore] | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None
    limit: dict[str, Any] | None = None
    events: list[dict[str, Any]] = Field(default_factory=list)
    attachments: dict[str, str] = Field(default_factory=dict)
    events_data: dict[str, Any] = Field(default_factory=dict)

    @property
    def completion(self) -> str:
        """The text that the model ended with."""
        said = self.output.get("completion")
        return said if isinstance(said, str) else ""


@dataclass(frozen=True, slots=True)
class EvalLog:
    """An open log. ``places`` are its samples by (id as text, epoch), as the container names them."""

    header: Header
    places: Mapping[tuple[str, int], str]
    _archive: Archive | None = None
    _document: Mapping[str, Any] | None = None

    def sample(self, id: str, epoch: int) -> Sample:
        """One sample. Raises ``Invalid`` when there is none, or it cannot be read."""
        place = self.places.get((id, epoch))
        if place is None:
            raise Invalid(f"The log has no sample {id} of epoch {epoch}.")
        if self._archive is not None:
            return _sample(_json(self._archive.read(place), place), place)
        assert self._document is not None
        return _sample(self._document["samples"][int(place)], f"samples[{place}]")

    def samples(self) -> Iterator[Sample]:
        """All samples, in the order of the container. Raises ``Invalid`` or ``TooLarge`` at one that cannot be read."""
        for id, epoch in self.places:
            sample = self.sample(id, epoch)
            if (str(sample.id), sample.epoch) != (id, epoch):
                raise Invalid(f"The sample in the place of {id}, epoch {epoch}, says that it is {sample.id!r}.")
            yield sample

    def reductions(self) -> list[dict[str, Any]]:
        """Per scorer, what the log reports of each item over all epochs (none: ``[]``)."""
        if self._archive is not None:
            found = _json(self._archive.read(REDUCTIONS), REDUCTIONS) if REDUCTIONS in self._archive.members else []
        else:
            found = (self._document or {}).get("reductions") or []
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def open_log(file: BinaryIO, limits: Limits | None = None, *, most: int = MAX_DOCUMENT) -> EvalLog:
    """Open a log, whichever its container is.

    Args:
        file: seekable; stays open as long as the log is used.
        limits: how much is read at most of an archive.
        most: how many bytes are read at most of a JSON document.

    Raises:
        Invalid: it is no log of Inspect, or not of the version that is understood.
        TooLarge: it is larger than is read.
    """
    file.seek(0)
    return _open_eval(file, limits) if file.read(2) == b"PK" else _open_json(file, most)


def _open_eval(file: BinaryIO, limits: Limits | None) -> EvalLog:
    archive = open_archive(file, limits)
    places = {}
    for name in archive.names:
        if name.startswith(SAMPLES) and name.endswith(".json"):
            id, found, epoch = name.removeprefix(SAMPLES).removesuffix(".json").rpartition("_epoch_")
            if not found or not epoch.isdecimal():
                raise Invalid(f"The log holds a sample under an impossible name: {name!r}.")
            places[id, int(epoch)] = name
    return EvalLog(_header(_json(archive.read(HEADER), HEADER)), places, archive)


def _open_json(file: BinaryIO, most: int) -> EvalLog:
    size = file.seek(0, io.SEEK_END)
    if size > most:
        raise TooLarge(f"The log has {size:,} bytes; at most {most:,} are read of one in JSON. Use .eval.")
    file.seek(0)
    document = _json(file.read(most + 1), "the log")
    if not isinstance(document, dict):
        raise Invalid("This is no log of Inspect: a JSON object was expected.")
    samples = document.get("samples") or []
    places: dict[tuple[str, int], str] = {}
    for place, sample in enumerate(samples if isinstance(samples, list) else ()):
        named = _sample(sample, f"samples[{place}]")
        if (str(named.id), named.epoch) in places:
            raise Invalid(f"The log holds sample {named.id}, epoch {named.epoch}, twice.")
        places[str(named.id), named.epoch] = str(place)
    return EvalLog(_header(document), places, None, document)


def _json(data: bytes, name: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{name} is no JSON: {error}.") from error


def _header(said: Any) -> Header:
    try:
        header = Header.model_validate(said)
    except ValidationError as error:
        raise Invalid(f"This is no log of Inspect: {_first(error)}.") from error
    if header.version != 2:
        raise Invalid(f"The log is of version {header.version}; version 2 is understood. Convert it with inspect log.")
    return header


def _sample(said: Any, name: str) -> Sample:
    try:
        return Sample.model_validate(said)
    except ValidationError as error:
        raise Invalid(f"{name} of the log is no sample: {_first(error)}.") from error


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
