"""What a runner signs: the claims of an attestation (schema 1; docs/verification.md lists them one by one)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from glasshub.errors import Invalid

SCHEMA = 1
MAX_BYTES = 12_288  # of the claims as JSON; a token must fit into verifyToken
Text = Annotated[str, StringConstraints(max_length=500)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
RepoId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,96}/[A-Za-z0-9_.-]{1,96}$")]
CommitId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Instant = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")]
Count = Annotated[int, Field(ge=1, le=100_000_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Model(_Strict):
    """The model: its repo at a commit, the digest of its content there, and how it was served."""

    id: RepoId
    sha: CommitId
    weights_sha256: Sha256
    served: Literal["weights", "endpoint"]


class Dataset(_Strict):
    """The benchmark: its repo at a commit, and the digests of ``eval.yaml`` and of the data there."""

    id: RepoId
    sha: CommitId
    eval_yaml_sha256: Sha256
    data_sha256: Sha256


class Task(_Strict):
    """The task: its id, part of the data, and the digest of its entry in ``eval.yaml``."""

    id: Name
    config: Name
    split: Name
    spec_sha256: Sha256


class Metric(_Strict):
    """What was measured, and in which direction it is better."""

    name: Name
    scorer: Name
    reducer: Name
    direction: Literal["higher", "lower"]
    unit: Text = ""


class Log(_Strict):
    """The log of the run: digest and size in bytes of the file, and where the hub keeps it."""

    sha256: Sha256
    size: Count
    uri: Text


class Framework(_Strict):
    """What ran the benchmark; ``lock_sha256`` is the digest of the list of installed packages."""

    name: Name
    version: Name
    lock_sha256: Sha256


class Runner(_Strict):
    """Who ran it, with which engine, on what, and how the network was kept from the run."""

    id: Name
    engine: Text
    hardware: Text = ""
    image_digest: Text = ""
    network: Literal["isolated", "proxies"] | None = None


class Judge(_Strict):
    """The model that graded, where one did."""

    model: Name
    revision: Text = ""


class Claims(_Strict):
    """The whole statement. ``value`` is what was measured, never what somebody claimed."""

    iss: Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,400}$")]
    jti: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    iat: Annotated[int, Field(ge=0, le=253_402_300_799)]
    sub: Text
    schema_version: Annotated[Literal[1], Field(alias="schema")]
    model: Model
    dataset: Dataset
    task: Task
    metric: Metric
    value: float
    stderr: Annotated[float, Field(ge=0)] | None = None
    n_items: Count
    n_expected: Count
    epochs: Count
    log: Log
    framework: Framework
    gen: dict[str, str | int | float | bool | None]
    judge: Judge | None = None
    runner: Runner
    attempt: Count
    started_at: Instant
    finished_at: Instant

    @model_validator(mode="after")
    def _complete(self) -> Claims:
        if self.sub != f"models/{self.model.id}@{self.model.sha}":
            raise ValueError("sub must be models/<model.id>@<model.sha>")
        if self.n_items != self.n_expected:
            raise ValueError(f"the run covered {self.n_items} of {self.n_expected} items")
        return self

    def to_json(self) -> bytes:
        """The claims as compact JSON with sorted keys."""
        said = self.model_dump(by_alias=True, exclude_none=True)
        return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def parse_claims(data: bytes) -> Claims:
    """Read claims from untrusted JSON.

    Raises:
        Invalid: it is no JSON object, names a key twice, or a claim is missing, unknown or not as it must be.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"The claims have {len(data):,} bytes; at most {MAX_BYTES:,} are read.")
    try:
        said = json.loads(data, object_pairs_hook=_once, parse_constant=_refuse_constant)
        return Claims.model_validate(said)
    except ValidationError as error:
        raise Invalid(f"The claims are not of schema {SCHEMA}: {_first(error)}.") from error
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The claims are no JSON: {error}.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError("a key stands twice")
    return said


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"]).removeprefix("Value error, ")
